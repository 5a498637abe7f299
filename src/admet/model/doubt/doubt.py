"""Intervals and neighbours as columns of a table of predictions."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from admet.data.transforms import Transform
from admet.kinds import Kind
from admet.model.chemprop.predictor import Prediction
from admet.model.doubt.asked import Asked
from admet.model.doubt.calibration import Calibration
from admet.model.doubt.neighbours import Nearest, Neighbours

log = logging.getLogger(__name__)

_SETS = np.array([["", "1"], ["0", "0 or 1"]])
_SIGNS = {1: ">", -1: "<"}


@dataclass(frozen=True, eq=False)
class Doubt:
    """What a model knows of the errors of its predictions.

    Attributes:
        names: T task names.
        calibration: What intervals need.
        neighbours: Its training molecules.
    """

    names: tuple[str, ...]
    calibration: Calibration
    neighbours: Neighbours

    def columns(
        self, prediction: Prediction, smiles: Sequence[str], asked: Asked
    ) -> dict[str, np.ndarray]:
        """Gives the columns that are asked for beside the predictions of n molecules.

        Args:
            prediction: The predictions.
            smiles: Their canonical SMILES.
            asked: What is wanted.

        Returns:
            Name → shape (n,). For values `<task>_low` and `<task>_high`; for a binary task
            `<task>_set`, the classes that cannot be ruled out; `<task>_nearest`,
            `<task>_similarity` and `<task>_nearest_label`.
        """
        nearest = self.neighbours.nearest(smiles)
        found: dict[str, np.ndarray] = {}
        if asked.intervals is not None:
            found |= self._intervals(prediction, nearest, asked.intervals)
        if asked.nearest:
            found |= self._nearest(nearest)
        return found

    def _intervals(
        self, prediction: Prediction, nearest: Nearest, level: float
    ) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        spread = prediction.learnt_spread
        if spread is None:
            spread = np.zeros_like(prediction.mean)
        for column, name in enumerate(self.names):
            mean = prediction.mean[:, column]
            if not self.calibration.kinds[column].scaled:
                kept = self.calibration.tasks[column].classes(mean, level).astype(int)
                found[f"{name}_set"] = _SETS[kept[:, 0], kept[:, 1]].astype(object)
                continue
            found[f"{name}_low"], found[f"{name}_high"] = self.calibration.intervals(
                column, mean, spread[:, column], nearest.distance[:, column], level
            )
        return found

    def _nearest(self, nearest: Nearest) -> dict[str, np.ndarray]:
        own, found = self.neighbours, {}
        names = np.array([*own.smiles, ""], dtype=object)  # the last one stands for none
        for column, name in enumerate(self.names):
            rows = nearest.rows[:, column]
            there = rows >= 0
            found[f"{name}_nearest"] = names[rows]
            found[f"{name}_similarity"] = np.where(there, nearest.similarity[:, column], np.nan)
            labels = np.where(there, own.labels[rows, column], np.nan)
            found[f"{name}_nearest_label"] = labels
            limits = None if own.limits is None else own.limits[:, column]
            if limits is not None and limits.any():
                signs = [_SIGNS.get(int(limits[row]), "") if row >= 0 else "" for row in rows]
                found[f"{name}_nearest_label"] = np.array(
                    [f"{s}{v:g}" if v == v else "" for s, v in zip(signs, labels, strict=True)],  # noqa: PLR0124 - NaN
                    dtype=object,
                )
        return found

    def warn_of_few(self, level: float) -> None:
        """Says which tasks have too few calibration labels for intervals of a level."""
        for name, kind, task in zip(
            self.names, self.calibration.kinds, self.calibration.tasks, strict=True
        ):
            n, needed = min(len(scores) for scores in task.scores), task.needed(level)
            if n < needed:
                what = "its intervals are empty" if kind.scaled else "no class is ruled out"
                log.warning(
                    "%s: %d labels calibrate it and intervals of %g need %d; %s",
                    name, n, level, needed, what,
                )  # fmt: skip

    def arrays(self) -> dict[str, np.ndarray]:
        """Gives all that it knows."""
        calibration = {f"calibration.{k}": v for k, v in self.calibration.arrays().items()}
        return calibration | {f"neighbours.{k}": v for k, v in self.neighbours.arrays().items()}

    @classmethod
    def of(
        cls,
        arrays: Mapping[str, np.ndarray],
        names: Sequence[str],
        kinds: tuple[Kind, ...],
        transforms: tuple[Transform, ...],
    ) -> Self:
        """Makes it of what `arrays` gave.

        Raises:
            ValueError: If an array has another shape or holds what it cannot.
            KeyError: If one is missing.
        """
        parts: dict[str, dict[str, Any]] = {"calibration": {}, "neighbours": {}}
        for key, array in arrays.items():
            part, _, name = key.partition(".")
            parts[part][name] = array
        calibration = Calibration.of(parts["calibration"], kinds, transforms)
        neighbours = Neighbours.from_arrays(parts["neighbours"], len(names))
        return cls(tuple(names), calibration, neighbours)
