"""Comparison of models on the same molecules: paired differences from the first one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from admet.errors import DataError
from admet.evaluation.differences import Aligned, Difference, compare_kind
from admet.evaluation.predicted import Predicted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Models compared with a reference on the same molecules.

    Attributes:
        reference: Name of the model that the others are compared with.
        rows: Kind by kind, metric by metric, task by task, model by model.
    """

    reference: str
    rows: tuple[Difference, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """The rows; the columns are those of `Difference`, NaN where a number is None."""
        names = [field.name for field in fields(Difference)]
        frame = pd.DataFrame(
            [[getattr(row, name) for name in names] for row in self.rows], columns=names
        )
        return frame.astype(dict.fromkeys(("value", "difference", "low", "high"), float))

    def plot(self) -> "Figure":
        """Draws how the primary metric of each task changes, in percent of the reference's.

        Returns:
            The figure, which a notebook shows.
        """
        from admet.evaluation.display import comparison_plot  # noqa: PLC0415 - it reads this module

        return comparison_plot(self)

    def _repr_html_(self) -> str:
        from admet.evaluation.display import comparison_html  # noqa: PLC0415 - it reads this module

        return comparison_html(self)


def compare(
    names: Sequence[str], models: Sequence[Predicted], *, n_bootstrap: int = 1000, seed: int = 42
) -> Comparison:
    """Compares models with the first one, task by task, on the molecules that all have.

    Args:
        names: Names of the models.
        models: Two or more, the reference first.
        n_bootstrap: Resamples of the molecules, the same for every model: differences are paired.
        seed: Seed of the resampling.

    Returns:
        Every metric of each task that all models have, and where a kind has several tasks, the
        mean over them.

    Raises:
        DataError: If fewer than two models are given, they share no task or no molecule, or their
            labels differ.
    """
    if len(models) < 2:
        raise DataError(f"A comparison needs at least two models; got {len(models)}. Name more.")
    tasks = _shared_tasks(names, models)
    common = set(models[0].smiles).intersection(*(model.smiles for model in models[1:]))
    if not common:
        raise DataError("The models were tested on no common molecule. Evaluate them on one table.")
    aligned = [_align(model, common, tasks) for model in models]
    _check_labels(names, aligned, tasks)
    rows: list[Difference] = []
    for kind in dict.fromkeys(models[0].tasks[task] for task in tasks):
        members = [task for task in tasks if models[0].tasks[task] == kind]
        rows += compare_kind(
            aligned, names, members, tasks, kind, models[0].units, n_bootstrap, seed
        )
    return Comparison(names[0], tuple(rows))


def _shared_tasks(names: Sequence[str], models: Sequence[Predicted]) -> list[str]:
    """Gives the tasks that all models have, of one kind, and warns of the others."""
    tasks = [
        task
        for task, kind in models[0].tasks.items()
        if all(model.tasks.get(task) == kind for model in models)
    ]
    if not tasks:
        had = zip(names, models, strict=True)
        raise DataError(
            "The models share no task of the same kind: "
            + "; ".join(f"{name} has {', '.join(model.tasks)}" for name, model in had)
            + ". Compare models of the same panel."
        )
    every = dict.fromkeys(task for model in models for task in model.tasks)
    left = [task for task in every if task not in tasks]
    if left:
        log.warning("Not compared, since not every model has them: %s", ", ".join(left))
    return tasks


def _check_labels(names: Sequence[str], aligned: list[Aligned], tasks: list[str]) -> None:
    """Checks that all models were tested against the same labels."""
    for name, (labels, _, limits) in zip(names[1:], aligned[1:], strict=True):
        for column, task in enumerate(tasks):
            same = np.allclose(labels[:, column], aligned[0][0][:, column], equal_nan=True)
            if not same or (limits[:, column] != aligned[0][2][:, column]).any():
                raise DataError(
                    f"The labels of {task!r} differ between {names[0]} and {name}: "
                    "they were evaluated on different tables, or read them by other rules "
                    "(data.standardize, data.duplicates). Compare runs with --model-dirs on one "
                    "table, trained with the same rules."
                )


def _align(model: Predicted, common: set[str], tasks: list[str]) -> Aligned:
    """Gives labels, predictions and limits of the common molecules, sorted by SMILES, (m, T)."""
    index = {smiles: row for row, smiles in enumerate(model.smiles)}
    rows = [index[smiles] for smiles in sorted(common)]
    columns = [list(model.tasks).index(name) for name in tasks]
    chosen = np.ix_(rows, columns)
    labels = model.labels[chosen]
    limits = np.zeros(labels.shape, np.int8) if model.limits is None else model.limits[chosen]
    return labels, model.predictions[chosen], limits
