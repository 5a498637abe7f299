"""Labels and predictions, paired molecule by molecule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from admet.evaluation.stored import below, items, mapping, member, numbers, text


@dataclass(frozen=True, eq=False)  # arrays give no single answer
class Predicted:
    """One model's predictions with the labels.

    Attributes:
        smiles: Canonical SMILES, each once, shape (n,).
        tasks: Task name → kind, T of them.
        labels: Shape (n, T), NaN where absent.
        predictions: Shape (n, T); probabilities for a binary task.
        units: Task name → unit of its labels; one that is absent or empty is unknown.
    """

    smiles: Sequence[str]
    tasks: Mapping[str, str]
    labels: np.ndarray
    predictions: np.ndarray
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each task and molecule, task after task: n · T rows.

        Columns smiles, task, kind, label, predicted; a label is NaN where it is absent.
        """
        n = len(self.smiles)
        return pd.DataFrame(
            {
                "smiles": list(self.smiles) * len(self.tasks),
                "task": [name for name in self.tasks for _ in range(n)],
                "kind": [kind for kind in self.tasks.values() for _ in range(n)],
                "label": self.labels.T.flatten(),
                "predicted": self.predictions.T.flatten(),
            }
        )

    def to_json(self) -> dict[str, Any]:
        """Gives `smiles`; `labels` and `predicted`, each task → list, null for NaN; and `units`."""
        return {
            "smiles": list(self.smiles),
            "labels": _columns(self.labels, self.tasks),
            "predicted": _columns(self.predictions, self.tasks),
            "units": {task: unit for task, unit in self.units.items() if unit},
        }

    @classmethod
    def from_json(cls, content: Any, tasks: Mapping[str, str], place: str) -> Self:
        """Reads what `to_json` gave.

        Args:
            content: The object.
            tasks: Task name → kind of the tasks to be read.
            place: Where the object stands in its file.

        Raises:
            DataError: If a member is missing or is of another type.
            KeyError: If a task has no labels or no predictions.
            ValueError: If the tasks have labels, or predictions, of different numbers.
            OverflowError: If a whole number is too large.
        """
        smiles = items(member(content, "smiles", place), below(place, "smiles"))
        arrays = []
        for key, gaps in (("labels", True), ("predicted", False)):
            here = below(place, key)
            columns = {
                task: numbers(values, below(here, task), gaps=gaps)
                for task, values in mapping(member(content, key, place), here).items()
            }
            arrays.append(np.array([columns[task] for task in tasks], dtype=np.float64).T)
        here = below(place, "units")
        units = {  # results of older versions have none
            text(task, here): text(unit, below(here, task))
            for task, unit in mapping(content.get("units", {}), here).items()
        }
        known = [text(s, f"{place}.smiles.{i}") for i, s in enumerate(smiles)]
        return cls(known, tasks, arrays[0], arrays[1], units)


def _columns(values: np.ndarray, names: Mapping[str, str]) -> dict[str, list[float | None]]:
    return {
        name: [None if np.isnan(v) else float(v) for v in column]
        for name, column in zip(names, values.T, strict=True)
    }
