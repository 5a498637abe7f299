"""A test of one model on one table: its scores, where they came from, and what was predicted."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from admet.errors import DataError
from admet.evaluation.metrics import BY_KIND
from admet.evaluation.predicted import Predicted
from admet.evaluation.scores import Scores
from admet.evaluation.stored import items, mapping, member, must_be, text, whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA_VERSION = 4
"""Raised when a reader of an older version could no longer understand a stored evaluation."""


@dataclass(frozen=True)
class RejectedRow:
    """A row of the table that was left out.

    Attributes:
        unit: What `number` counts: "line", "row" or "record".
        number: Where the row stands, from 1.
        smiles: What its SMILES cell held.
        reason: Why it was left out.
        id: Its identifier; empty where it has none.
    """

    unit: str
    number: int
    smiles: str
    reason: str
    id: str = ""

    def to_json(self) -> dict[str, Any]:
        """Gives an object whose first key is the unit; `id` is there where the row has one."""
        named = {"id": self.id} if self.id else {}
        return {self.unit: self.number, **named, "smiles": self.smiles, "reason": self.reason}

    @classmethod
    def from_json(cls, content: Any, place: str) -> Self:
        """Reads what `to_json` gave; see `Evaluation.from_json`."""
        found = mapping(content, place)
        unit = next((unit for unit in ("row", "record") if unit in found), "line")
        return cls(
            unit,
            whole(member(content, unit, place), f"{place}.{unit}", least=1),
            text(member(content, "smiles", place), f"{place}.smiles"),
            text(member(content, "reason", place), f"{place}.reason"),
            text(content.get("id", ""), f"{place}.id"),
        )


@dataclass(frozen=True, eq=False)  # as `Predicted`, which it holds
class Evaluation:
    """The test of a model on a labelled table.

    Attributes:
        model_dir: The run directory of the model.
        data_path: The table.
        split: The side of the split that was tested, "unseen" or "all".
        n_bootstrap: Resamples of the intervals; 0 where there are none.
        seed: Seed of the resampling.
        scores: Metrics of each task, and macro means.
        rejected: Rows of the table that were left out.
        predicted: Labels and predictions of the molecules tested, for the tasks of `scores`.
    """

    model_dir: Path
    data_path: Path
    split: str
    n_bootstrap: int
    seed: int
    scores: Scores
    rejected: tuple[RejectedRow, ...]
    predicted: Predicted

    @property
    def n_molecules(self) -> int:
        """Number of molecules tested."""
        return len(self.predicted.smiles)

    @property
    def frame(self) -> pd.DataFrame:
        """The metrics, one per row; see `Scores.frame`."""
        return self.scores.frame

    @property
    def predictions(self) -> pd.DataFrame:
        """Labels and predictions, one molecule and task per row; see `Predicted.frame`."""
        return self.predicted.frame

    def plot(self, metric: str | None = None) -> "Figure":
        """Draws a metric of each task with its 95 % interval.

        Args:
            metric: The metric; None takes RAE, or AUROC where all tasks are of two classes.

        Returns:
            The figure, which a notebook shows.
        """
        from admet.evaluation.display import scores_plot  # noqa: PLC0415 - it reads this module

        return scores_plot(self.scores, self._title, metric)

    def _repr_html_(self) -> str:
        from admet.evaluation.display import scores_html  # noqa: PLC0415 - it reads this module

        return scores_html(self.scores, self._title)

    @property
    def _title(self) -> str:
        return f"{self.model_dir} on {self.data_path} ({self.split})"

    def to_json(self) -> dict[str, Any]:
        """Gives what `admet evaluate` writes."""
        return {
            "schema_version": SCHEMA_VERSION,
            "model_dir": str(self.model_dir),
            "data_path": str(self.data_path),
            "split": self.split,
            "n_molecules": self.n_molecules,
            "n_bootstrap": self.n_bootstrap,
            "seed": self.seed,
            **self.scores.to_json(),
            "rejected": [row.to_json() for row in self.rejected],
            "predictions": self.predicted.to_json(),
        }

    @classmethod
    def from_json(cls, content: Any, source: str) -> Self:
        """Reads what `to_json` gave.

        Args:
            content: The content of a JSON file.
            source: Where it came from, for messages.

        Raises:
            DataError: If it is no evaluation, is of a newer schema version, or is damaged: a kind
                is unknown, there is no task, columns differ in length, a molecule stands twice, or
                a number is not finite.
        """
        _check_version(content, source)
        with _read_from(source):
            whole(member(content, "schema_version"), "schema_version", least=1)
            predicted = _read_predicted(content)
        _check_predicted(predicted, source)
        with _read_from(source):
            n_molecules = whole(member(content, "n_molecules"), "n_molecules")
            if n_molecules != len(predicted.smiles):
                rule = f"{len(predicted.smiles)}, the number of SMILES"
                raise must_be(rule, n_molecules, "n_molecules")
            return cls(
                model_dir=Path(text(member(content, "model_dir"), "model_dir")),
                data_path=Path(text(member(content, "data_path"), "data_path")),
                split=text(member(content, "split"), "split"),
                n_bootstrap=whole(member(content, "n_bootstrap"), "n_bootstrap"),
                seed=whole(member(content, "seed"), "seed"),
                scores=Scores.from_json(content),
                rejected=tuple(
                    RejectedRow.from_json(row, f"rejected.{index}")
                    for index, row in enumerate(items(member(content, "rejected"), "rejected"))
                ),
                predicted=predicted,
            )


def _check_version(content: Any, source: str) -> None:
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DataError(
            f"{source!r} has schema version {version}; this admet reads up to {SCHEMA_VERSION}. "
            "Update admet."
        )


@contextmanager
def _read_from(source: str) -> Iterator[None]:
    """Turns errors over missing or wrong content into one: the file is no evaluation."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        named = isinstance(error, DataError)
        fault = str(error) if named else f"{type(error).__name__} {error}"[:300] + "."
        raise DataError(f"{source!r} is not a result of `admet evaluate`: {fault}") from None


def _read_predicted(content: Any) -> Predicted:
    kinds = {
        text(name, "tasks"): text(member(task, "kind", f"tasks.{name}"), f"tasks.{name}.kind")
        for name, task in mapping(member(content, "tasks"), "tasks").items()
    }
    return Predicted.from_json(member(content, "predictions"), kinds, "predictions")


def _check_predicted(predicted: Predicted, source: str) -> None:
    tasks, labels, values = predicted.tasks, predicted.labels, predicted.predictions
    unknown = sorted(set(tasks.values()) - set(BY_KIND))
    if unknown or not tasks:
        fault = f"unknown kinds {unknown}" if unknown else "no task"
        raise DataError(f"{source!r} is damaged: it holds {fault}. Evaluate the model again.")
    n_ids = len(predicted.smiles if predicted.ids is None else predicted.ids)
    expected = (len(predicted.smiles), len(tasks))
    if labels.shape != expected or values.shape != expected or n_ids != len(predicted.smiles):
        raise DataError(f"{source!r} is damaged: its columns differ in length.")
    if len(set(predicted.smiles)) != len(predicted.smiles):
        raise DataError(f"{source!r} is damaged: a molecule stands twice. Evaluate again.")
    if not np.isfinite(values).all() or np.isinf(labels).any():
        raise DataError(
            f"{source!r} is damaged: a prediction or a label is no finite number. Evaluate the "
            "model again."
        )
