"""What an estimator gives: a matrix, what it rests on, and how far it can be trusted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import pandas as pd

from admet.model.chemprop.task_affinity.problems.base import FOLDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FREEDOM = FOLDS - 1
"""Degrees of freedom with which the spread is known."""

NEVER_TOGETHER = "They never had labels in one batch. Raise affinity_batch_size or affinity_epochs."
"""Why a pair is unknown to an estimator that looks at batches, and what to do about it."""


@dataclass(frozen=True, eq=False)
class Intervals:
    """Where the affinities may lie.

    Attributes:
        low: Lower ends of the 95 % intervals, shape (T, T).
        high: Upper ends, shape (T, T).
        reliability: How far each task's own part would come out again with other molecules, shape
            (T,), from 0 to 1: with gradients the share of its square, with `coregionalization` 1
            less the squared relative error of its slope; NaN for a task of which nothing was seen.
    """

    low: np.ndarray
    high: np.ndarray
    reliability: np.ndarray

    @property
    def holds_zero(self) -> np.ndarray:
        """The pairs whose interval holds 0, shape (T, T), bool."""
        return np.asarray((self.low <= 0) & (self.high >= 0))

    def too_few_labels(self) -> np.ndarray:
        """Tells which tasks have too few labels: most of their squared gradient is noise."""
        return ~(self.reliability >= 0.5)


@dataclass(frozen=True, eq=False)
class Doubt(Intervals):
    """How far an affinity can be trusted: the intervals, and what they follow from.

    Attributes:
        components: What the matrix may be off by, in independent parts, shape (S, T, T): the sum
            of their outer products is the covariance of the entries.
        n_runs: Networks that it was measured on, without networks parts of the molecules; one
            tells nothing about the spread.
        least: Reliability below which a task has too few labels.
        freedom: Degrees of freedom with which the size of the components is known.
    """

    components: np.ndarray
    n_runs: int
    least: float = 0.5
    freedom: int = FREEDOM

    def too_few_labels(self) -> np.ndarray:
        """Tells which tasks have too few labels, by the reliability that the estimator needs."""
        return ~(self.reliability >= self.least)

    def draws(self, matrix: np.ndarray, n: int, seed: int) -> Iterator[np.ndarray]:
        """Draws the matrix as other molecules, initial weights and orders might have given it.

        Each component enters with a weight from the standard normal distribution (the wild
        bootstrap: Wu, Ann. Stat. 1986, 14, 1261). All weights of a draw share one more factor,
        which makes them Student's t, since the size of the components is itself known only from few
        folds and runs.

        Args:
            matrix: The matrix, shape (T, T).
            n: Number of draws.
            seed: Seed of the weights.

        Yields:
            Matrices of shape (T, T), in [−1, 1], with the diagonal of the matrix.
        """
        rng = np.random.default_rng(seed)
        for _ in range(n):
            weights = rng.standard_normal(len(self.components))
            weights *= np.sqrt(self.freedom / rng.chisquare(self.freedom))
            yield np.clip(matrix + np.tensordot(weights, self.components, axes=1), -1.0, 1.0)


PlanForm = Literal["networks", "heads", "partners"]
"""What the sets of tasks in a plan are: separate networks; heads on a common layer; or, one for
each task, separate networks that serve that task alone."""


class PlanMeter(Protocol):
    """Measures what a plan really gives."""

    test_share: float
    """Share of the molecules that a block tests."""

    def relative_errors(
        self, plan: Sequence[tuple[int, ...]], form: PlanForm = "networks"
    ) -> np.ndarray:
        """Measures a plan out of fold.

        Args:
            plan: Sets of tasks, as columns; together all of them.
            form: What the sets are.

        Returns:
            Mean over tasks of the error relative to that of the task alone, for each block (a fold
            and a seed), shape (B,).
        """
        ...


@dataclass(frozen=True, eq=False)
class AffinityEstimate:
    """An affinity matrix and what it rests on.

    Attributes:
        matrix: Shape (T, T), float64; [i, j] is the affinity of i and j, NaN where unknown.
        pair_steps: On how much a pair rests, shape (T, T), int64: with gradients the steps in which
            both tasks had labels, with `coregionalization` pairs of molecules, with `measured`
            sets of tasks.
        n_steps: Steps in all, or parts of the molecules.
        n_common: Molecules with labels of both tasks, shape (T, T); of the task on the diagonal.
        doubt: How far it can be trusted; None from an estimator that does not say.
        meter: Measures plans; None from an estimator that cannot.
        unknown: Why a pair without a step is unknown, and the remedy, for the warning.
        either_sign: Whether tasks that are opposed serve one another as well as tasks that agree;
            then groups go by the size of an affinity.
        names: T names; empty where whoever measured was not told them.
    """

    matrix: np.ndarray
    pair_steps: np.ndarray
    n_steps: int
    n_common: np.ndarray
    doubt: Doubt | None = None
    meter: PlanMeter | None = None
    unknown: str = NEVER_TOGETHER
    names: tuple[str, ...] = ()
    either_sign: bool = False

    @property
    def strength(self) -> np.ndarray:
        """How much two tasks have to do with one another, shape (T, T): what groups go by."""
        return np.abs(self.matrix) if self.either_sign else self.matrix

    @property
    def partners(self) -> np.ndarray:
        """Whether a source helps a target, shape (T, T), true on the diagonal.

        It does where its strength is above 0 by more than one standard error; without doubt, above
        0.
        """
        error = np.zeros_like(self.matrix)
        if self.doubt is not None:
            error = np.sqrt((self.doubt.components**2).sum(axis=0))
        helps = np.nan_to_num(self.strength - error, nan=-1.0) > 0
        np.fill_diagonal(helps, val=True)
        return np.asarray(helps)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per ordered pair of tasks.

        The columns are source, target, affinity, low, high and molecules_in_common; the ends of the
        95 % interval are NaN from an estimator that does not give them.
        """
        from admet.model.chemprop.task_affinity import display  # noqa: PLC0415 - it reads this module

        return display.pairs_of(self)

    def plot(self) -> "Figure":
        """Draws the heatmap, which a notebook shows; pairs whose interval holds 0 are hatched."""
        from admet.model.chemprop.task_affinity import display  # noqa: PLC0415 - it reads this module

        return display.estimate_plot(self)

    def _repr_html_(self) -> str:
        from admet.model.chemprop.task_affinity import display  # noqa: PLC0415 - it reads this module

        return display.estimate_html(self)
