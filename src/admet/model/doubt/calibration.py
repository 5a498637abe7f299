"""Conformal intervals: how far labels lay from predictions of molecules that were not learnt."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.optimize import nnls

from admet.data.transforms import Transform
from admet.kinds import Kind

_FEWEST = 50  # labels from which the size of an error is fitted, and not the same everywhere
_FLOOR = 0.25  # of the median size: the least that is expected of any error
_NEAREST = 10  # labels that must lie as near, or a distance tells nothing more


@dataclass(frozen=True, eq=False)
class Evidence:
    """Molecules that a model had not learnt from, in one task.

    Attributes:
        labels: Shape (n,), NaN where there is none or it is a limit, on the scale that is learnt.
        predictions: Shape (n,), on the same scale; probabilities for a binary task.
        spread: How far the members of the model lay apart there, shape (n,); 0 for one member.
        distance: 1 less the Tanimoto similarity to the nearest molecule with a label of the task
            that the model had learnt from, shape (n,).
    """

    labels: np.ndarray
    predictions: np.ndarray
    spread: np.ndarray
    distance: np.ndarray

    def of(self, rows: np.ndarray) -> "Evidence":
        """Gives that of some molecules, indices or a mask."""
        parts = (self.labels, self.predictions, self.spread, self.distance)
        return Evidence(*(part[rows] for part in parts))

    @property
    def known(self) -> "Evidence":
        """That of the molecules with a label and all else."""
        sums = self.labels + self.predictions + self.spread + self.distance
        return self.of(np.isfinite(sums))


@dataclass(frozen=True, eq=False)
class TaskCalibration:
    """What intervals of one task need.

    The expected size of an error is σ = a + b · spread + c · distance, with a, b, c ≥ 0. Molecules
    nearer than those that calibrated it count as these: that errors go on falling nobody saw. The
    conformity score of a label is |label − prediction| / σ; that of class k of a binary task is
    1 less the probability of k.

    Attributes:
        size: a, b and c, shape (3,).
        least: The least σ.
        nearest: The least distance that counts.
        scores: Increasing scores of the calibration labels: one array for a value, one for each of
            the classes 0 and 1 of a binary task.
    """

    size: np.ndarray
    least: float
    nearest: float
    scores: tuple[np.ndarray, ...]

    @classmethod
    def fit(cls, evidence: Evidence, kind: Kind) -> Self:
        """Calibrates by molecules that the model had not learnt from.

        Source: Lei et al., J. Am. Stat. Assoc. 2018, 113, 1094 (split conformal intervals, locally
        weighted); Vovk et al., Algorithmic Learning in a Random World, 2005 (classes one by one).

        Args:
            evidence: The molecules.
            kind: Kind of the task.
        """
        known = evidence.known
        y, p = known.labels, known.predictions
        if not kind.scaled:
            scores = tuple(np.sort(1 - q[y == k]) for k, q in ((0, 1 - p), (1, p)))
            return cls(np.zeros(3), 1.0, 0.0, scores)
        nearest = float(np.sort(known.distance)[:_NEAREST].max(initial=0.0))
        distance = np.maximum(known.distance, nearest)
        errors = np.abs(y - p)
        size = np.zeros(3)
        if len(errors) < _FEWEST or not errors.any():
            size[0] = errors.mean() if errors.any() else 1.0
        else:
            design = np.stack([np.ones_like(errors), known.spread, distance], axis=1)
            size = nnls(design, errors)[0]
        expected = _expected(size, known.spread, distance)
        least = float(_FLOOR * np.median(expected)) if len(expected) else 1.0
        least = least if least > 0 else 1.0
        return cls(size, least, nearest, (np.sort(errors / np.maximum(expected, least)),))

    def sigma(self, spread: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """Gives σ, shape (n,), from spreads and distances of that shape."""
        counted = np.maximum(distance, self.nearest)
        return np.asarray(np.maximum(_expected(self.size, spread, counted), self.least))

    def needed(self, level: float) -> int:
        """Gives the number of labels without which there is no interval of a level."""
        return math.ceil(round(level / (1 - level), 9))

    def interval(
        self, mean: np.ndarray, spread: np.ndarray, distance: np.ndarray, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gives both ends of the intervals, shape (n,) each, on the scale that is learnt.

        Args:
            mean: Predictions, shape (n,), on that scale.
            spread: Shape (n,), on that scale.
            distance: Shape (n,).
            level: Share of the labels that lie inside.

        Returns:
            Lower and upper ends; NaN where too few labels calibrate it.
        """
        half = quantile(self.scores[0], level) * self.sigma(spread, distance)
        half = np.where(np.isfinite(half), half, np.nan)
        return mean - half, mean + half

    def classes(self, probability: np.ndarray, level: float) -> np.ndarray:
        """Tells which classes cannot be ruled out at a level, shape (n, 2), bool, for 0 and 1."""
        limits = [quantile(scores, level) for scores in self.scores]
        return np.stack([probability <= limits[0], 1 - probability <= limits[1]], axis=1)


def quantile(scores: np.ndarray, level: float) -> float:
    """Gives the ⌈(n + 1) · level⌉-th smallest of n increasing scores; infinity where n is less."""
    place = math.ceil(round((len(scores) + 1) * level, 9))
    return float(scores[place - 1]) if place <= len(scores) else math.inf


def _expected(size: np.ndarray, spread: np.ndarray, distance: np.ndarray) -> np.ndarray:
    return np.asarray(size[0] + size[1] * spread + size[2] * distance)


@dataclass(frozen=True, eq=False)
class Calibration:
    """What intervals of T tasks need.

    Attributes:
        tasks: One for each task.
        kinds: T kinds.
        transforms: T transforms of the labels.
    """

    tasks: tuple[TaskCalibration, ...]
    kinds: tuple[Kind, ...]
    transforms: tuple[Transform, ...]

    @classmethod
    def fit(
        cls, evidence: Sequence[Evidence], kinds: Sequence[Kind], transforms: Sequence[Transform]
    ) -> Self:
        """Calibrates T tasks; see `TaskCalibration.fit`."""
        pairs = zip(evidence, kinds, strict=True)
        tasks = tuple(TaskCalibration.fit(own, kind) for own, kind in pairs)
        return cls(tasks, tuple(kinds), tuple(transforms))

    def intervals(
        self, column: int, mean: np.ndarray, spread: np.ndarray, distance: np.ndarray, level: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Gives both ends of the intervals of a task of values, in the unit of its labels.

        Args:
            column: Which task.
            mean: Its predictions, shape (n,), in the unit of the labels.
            spread: Shape (n,), on the scale that is learnt.
            distance: Shape (n,).
            level: Share of the labels that lie inside.

        Returns:
            Lower and upper ends, shape (n,) each; NaN where too few labels calibrate it.
        """
        transform = self.transforms[column]
        learnt = transform.apply(mean)
        low, high = self.tasks[column].interval(learnt, spread, distance, level)
        return transform.undo(low), transform.undo(high)

    def arrays(self) -> dict[str, np.ndarray]:
        """Gives all that it knows."""
        found = {}
        for index, task in enumerate(self.tasks):
            found[f"{index}.size"] = np.array([*task.size, task.least, task.nearest])
            for place, scores in enumerate(task.scores):
                found[f"{index}.scores.{place}"] = scores
        return found

    @classmethod
    def of(
        cls,
        arrays: Mapping[str, np.ndarray],
        kinds: tuple[Kind, ...],
        transforms: tuple[Transform, ...],
    ) -> Self:
        """Makes it of what `arrays` gave.

        Raises:
            ValueError: If an array has another shape or holds what it cannot.
            KeyError: If one is missing.
        """
        tasks = []
        for index, kind in enumerate(kinds):
            size = arrays[f"{index}.size"]
            scores = tuple(arrays[f"{index}.scores.{k}"] for k in range(1 if kind.scaled else 2))
            if size.shape == (4,):  # of models from before `nearest`
                size = np.append(size, 0.0)
            if size.shape != (5,) or (size < 0).any() or size[3] <= 0:
                raise ValueError(f"the size of errors of task {index} is not what it can be")
            if any(s.ndim != 1 or (np.diff(s) < 0).any() or (s < 0).any() for s in scores):
                raise ValueError(f"the scores of task {index} do not increase")
            tasks.append(TaskCalibration(size[:3], float(size[3]), float(size[4]), scores))
        return cls(tuple(tasks), kinds, transforms)
