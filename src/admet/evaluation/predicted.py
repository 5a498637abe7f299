"""Labels and predictions, paired molecule by molecule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd

from admet.evaluation.stored import below, items, mapping, member, must_be, numbers, text


@dataclass(frozen=True, eq=False)  # arrays give no single answer
class Predicted:
    """One model's predictions with the labels.

    Attributes:
        smiles: Canonical SMILES, each once, shape (n,).
        tasks: Task name → kind, T of them.
        labels: Shape (n, T), NaN where absent.
        predictions: Shape (n, T); probabilities for a binary task.
        ids: Identifiers of the molecules, those of merged records joined, shape (n,); None where
            the table has none.
        limits: Which labels are limits, shape (n, T), int8: 1 where the true value is above the
            label (`>`), −1 where below (`<`); None where none is.
        units: Task name → unit of its labels; one that is absent or empty is unknown.
    """

    smiles: Sequence[str]
    tasks: Mapping[str, str]
    labels: np.ndarray
    predictions: np.ndarray
    limits: np.ndarray | None = None
    ids: Sequence[str] | None = None
    units: Mapping[str, str] = field(default_factory=dict)

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each task and molecule, task after task: n · T rows.

        Columns id (where there are any), smiles, task, kind, label, predicted; a label is NaN where
        it is absent. Where any label is a limit, there is also a column limit with `>`, `<` or
        nothing.
        """
        n = len(self.smiles)
        columns: dict[str, object] = (
            {} if self.ids is None else {"id": list(self.ids) * len(self.tasks)}
        )
        columns |= {
            "smiles": list(self.smiles) * len(self.tasks),
            "task": [name for name in self.tasks for _ in range(n)],
            "kind": [kind for kind in self.tasks.values() for _ in range(n)],
            "label": self.labels.T.flatten(),
            "predicted": self.predictions.T.flatten(),
        }
        if self.limits is not None:
            columns["limit"] = signs(self.limits.T.flatten())
        return pd.DataFrame(columns)

    def to_json(self) -> dict[str, Any]:
        """Gives `smiles`, `ids` (where there are any), `labels` and `predicted`.

        The last two map each task to a list, with null for NaN. `units` holds the units that are
        known. Where labels are limits, `limits` maps each such task to a list of `>`, `<` and
        nothing.
        """
        named = {} if self.ids is None else {"ids": list(self.ids)}
        content: dict[str, Any] = {
            **named,
            "smiles": list(self.smiles),
            "labels": _columns(self.labels, self.tasks),
            "predicted": _columns(self.predictions, self.tasks),
            "units": {task: unit for task, unit in self.units.items() if unit},
        }
        if self.limits is not None:
            pairs = zip(self.tasks, self.limits.T, strict=True)
            content["limits"] = {name: signs(column) for name, column in pairs if column.any()}
        return content

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
        texts = [text(s, f"{place}.smiles.{i}") for i, s in enumerate(smiles)]
        ids = None
        if "ids" in content:
            here = below(place, "ids")
            ids = [text(v, f"{here}.{i}") for i, v in enumerate(items(content["ids"], here))]
        here = below(place, "units")
        units = {  # results of older versions have none
            text(task, here): text(unit, below(here, task))
            for task, unit in mapping(content.get("units", {}), here).items()
        }
        limits = _read_limits(content.get("limits", {}), list(tasks), arrays[0], place)
        return cls(texts, tasks, arrays[0], arrays[1], limits, ids, units)


_SIGNS = {">": 1, "<": -1, "": 0}


def signs(limits: np.ndarray) -> list[str]:
    """Writes limits, shape (n,), as `>`, `<` and nothing."""
    shown = {value: sign for sign, value in _SIGNS.items()}
    return [shown[limit] for limit in limits.tolist()]


def _read_limits(
    content: Any, tasks: Sequence[str], labels: np.ndarray, place: str
) -> np.ndarray | None:
    """Reads the limits of some tasks; None where there are none.

    Raises:
        DataError: If something else stands there, or the numbers of limits and labels differ.
    """
    here = below(place, "limits")
    found = np.zeros(labels.shape, dtype=np.int8)
    for task, column in mapping(content, here).items():
        at = below(here, task)
        if task not in tasks or len(items(column, at)) != len(labels):
            raise must_be(f"a list of {len(labels)} for one of the tasks", column, at)
        for sign in column:
            if not isinstance(sign, str) or sign not in _SIGNS:
                raise must_be("'>', '<' or empty", sign, at)
        found[:, tasks.index(task)] = [_SIGNS[sign] for sign in column]
    return found if found.any() else None


def _columns(values: np.ndarray, names: Mapping[str, str]) -> dict[str, list[float | None]]:
    return {
        name: [None if np.isnan(v) else float(v) for v in column]
        for name, column in zip(names, values.T, strict=True)
    }
