"""What every affinity estimator takes and gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.problem import FOLDS, AffinityProblem

FREEDOM = FOLDS - 1
"""Degrees of freedom of what is known of the spread."""


@dataclass(frozen=True)
class Doubt:
    """How far an affinity can be trusted.

    Attributes:
        low: Lower ends of the 95 % intervals, shape (T, T).
        high: Upper ends, shape (T, T).
        reliability: Share of each task's squared gradient that other molecules would show too,
            shape (T,), from 0 to 1; NaN for a task without gradient.
        components: What the matrix may be off by, in independent parts, shape (S, T, T): the sum
            of their outer products is the covariance of the entries.
        n_runs: Networks that it was measured on; from one nothing is known of their spread.
    """

    low: np.ndarray
    high: np.ndarray
    reliability: np.ndarray
    components: np.ndarray
    n_runs: int

    def too_few_labels(self) -> np.ndarray:
        """Tells which tasks have too few labels to say: half of their gradient is noise."""
        return ~(self.reliability >= 0.5)

    def draws(self, matrix: np.ndarray, n: int, seed: int) -> Iterator[np.ndarray]:
        """Draws the matrix as other molecules, initial weights and orders might have given it.

        Each component enters with a weight from the standard normal distribution (the wild
        bootstrap: Wu, Ann. Stat. 1986, 14, 1261), all of a draw with one factor more that makes
        them Student's t: the size of the components is itself known from few folds and runs.

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
            weights *= np.sqrt(FREEDOM / rng.chisquare(FREEDOM))
            yield np.clip(matrix + np.tensordot(weights, self.components, axes=1), -1.0, 1.0)


@dataclass(frozen=True)
class AffinityEstimate:
    """An affinity matrix and what it rests on.

    Attributes:
        matrix: Shape (T, T), float64; [i, j] is the affinity of i and j, NaN where unknown.
        pair_steps: Shape (T, T), int64; steps in which both tasks had labels.
        n_steps: Steps in all.
        n_common: Molecules with labels of both tasks, shape (T, T); of the task on the diagonal.
        doubt: How far it can be trusted; None from an estimator that does not say.
    """

    matrix: np.ndarray
    pair_steps: np.ndarray
    n_steps: int
    n_common: np.ndarray
    doubt: Doubt | None = None


class AffinityEstimator(Protocol):
    """Measures the affinity of the tasks of a problem."""

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it.

        Args:
            problem: The labelled examples and the network.
            config: The `task_affinity` section; its seed has been set for torch already.

        Returns:
            The estimate.

        Raises:
            NoGradientStepsError: If there was no label to learn from.
        """
        ...
