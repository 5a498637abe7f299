"""Label columns: from cells to numbers, with every fault named by its line."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from admet.config.reading import DecimalName
from admet.data.numbers import Writing, writing_of
from admet.data.table import Table, require_columns
from admet.data.transforms import NO_TRANSFORM, Transform
from admet.errors import DataError
from admet.kinds import Kind, infer_kind

log = logging.getLogger(__name__)

MISSING = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "<na>", "#n/a", "#na", "-nan", "nat", "nd", "n.d."}
)
"""Cells (case folded, blanks stripped) that mean "not measured"."""


@dataclass(frozen=True)
class Task:
    """One endpoint to predict.

    Attributes:
        name: Its column name.
        kind: What its labels are, and what follows from it.
        unit: Unit of its labels; empty where the table does not say.
        transform: What networks learn instead of the labels themselves.
    """

    name: str
    kind: Kind
    unit: str = ""
    transform: Transform = NO_TRANSFORM


@dataclass(frozen=True)
class Labels:
    """The labels of n molecules and T tasks.

    Attributes:
        values: Shape (n, T), float64, in the unit of the table; NaN where there is no label.
        limits: Shape (n, T), int8: 1 where the true value is known to be above the one given
            (`>`), −1 where it is below (`<`), 0 where it was measured; None where all were.
    """

    values: np.ndarray
    limits: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def present(self) -> np.ndarray:
        """Where there is a label, shape (n, T), bool."""
        return np.asarray(~np.isnan(self.values))

    def subset(self, rows: np.ndarray) -> "Labels":
        """Gives the labels of some molecules, indices or a mask."""
        return Labels(self.values[rows], None if self.limits is None else self.limits[rows])

    def columns(self, tasks: Sequence[int]) -> "Labels":
        """Gives the labels of some tasks, by their places."""
        chosen = list(tasks)
        limits = None if self.limits is None else self.limits[:, chosen]
        return Labels(self.values[:, chosen], limits)


LARGEST = 1e100
"""Size that a label may have: its square is still a number, which a scale needs."""


def read_labels(table: Table, columns: list[str], decimal: DecimalName = "auto") -> np.ndarray:
    """Reads target columns.

    Args:
        table: The table.
        columns: T column names.
        decimal: The decimal mark of numbers in text, where the user says it.

    Returns:
        Labels, shape (n, T), float64, NaN where a cell is empty or says that it is missing.

    Raises:
        DataError: If a column is missing, or holds text or a value that is infinite or beyond
            `LARGEST`; names the lines.
    """
    require_columns(table, columns, "Target")
    faults: list[str] = []
    parsed = [_numbers(table, name, decimal, faults) for name in columns]
    if faults:
        raise DataError("\n".join(faults))
    return np.stack(parsed, axis=1) if parsed else np.empty((len(table.frame), 0))


def infer_tasks(
    labels: np.ndarray, columns: list[str], given: Mapping[str, Kind], source: str
) -> tuple[Task, ...]:
    """Decides the kind of each task, where the user has not.

    Args:
        labels: Shape (n, T), NaN where absent.
        columns: T names.
        given: Kinds that the user has set, by name.
        source: Name of the table for messages.

    Returns:
        T tasks.

    Raises:
        DataError: If a task has no label, only equal labels, or labels that its kind cannot have.
    """
    tasks: list[Task] = []
    faults: list[str] = []
    for name, column in zip(columns, labels.T, strict=True):
        values = np.unique(column[~np.isnan(column)])
        kind = given.get(name) or infer_kind(values)
        if values.size == 0:
            faults.append(f"Target {name!r} has no label in {source}. Remove it from the targets.")
        elif values.size == 1:
            faults.append(
                f"Target {name!r} has the same label, {values[0]:g}, wherever it has one in "
                f"{source}: there is nothing to learn. Remove it from the targets."
            )
        tasks.append(Task(name, kind))
    if faults:
        raise DataError("\n".join(faults))
    check_kinds(labels, tasks, source)
    return tuple(tasks)


def check_kinds(labels: np.ndarray, tasks: Sequence[Task], source: str) -> None:
    """Checks that tasks hold labels of their kind only; shape (n, T), NaN where absent.

    Raises:
        DataError: Names the tasks and the labels that do not fit.
    """
    faults = []
    for task, column in zip(tasks, labels.T, strict=True):
        foreign = task.kind.foreign(np.unique(column[~np.isnan(column)]))
        if foreign.size:
            shown = ", ".join(f"{value:g}" for value in foreign[:3])
            faults.append(
                f"Target {task.name!r} is {task.kind.name}, so its labels {task.kind.labels_rule}; "
                f"in {source} it has {shown}. Recode them, or set its kind to regression."
            )
    if faults:
        raise DataError("\n".join(faults))


def _numbers(table: Table, name: str, decimal: DecimalName, faults: list[str]) -> np.ndarray:
    column = table.frame[name]
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong: list[int] = []
    else:
        values = np.full(len(column), np.nan)
        wrong = []
        writing = writing_of(table, name, decimal)
        if writing.question:
            faults.append(writing.question)
            return values
        for note in writing.notes:
            log.info("  %s: %s", name, note)
        for row, cell in enumerate(column):
            number = _number(cell, writing)
            if number is None:
                wrong.append(row)
            else:
                values[row] = number
    if wrong:
        faults.append(
            f"Target column {name!r} must hold numbers or empty cells; it holds text at "
            f"{_places(table, wrong, name)}. Correct or empty these cells."
        )
    extreme = np.flatnonzero(np.isfinite(values) & (np.abs(values) > LARGEST))
    if extreme.size:
        faults.append(
            f"Target column {name!r} must hold numbers up to ±{LARGEST:g}; it holds larger ones at "
            f"{_places(table, extreme.tolist(), name)}. Correct or empty these cells."
        )
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        faults.append(
            f"Target column {name!r} holds infinite values at "
            f"{_places(table, infinite.tolist(), name)}. Correct or empty these cells."
        )
    return values


def _number(cell: object, writing: Writing) -> float | None:
    """Gives the number in a cell, NaN for a missing one, None for text."""
    if cell is None or cell is pd.NA:
        return float("nan")
    if isinstance(cell, bytes):
        cell = cell.decode("utf-8", "replace")
    if isinstance(cell, str):
        text = cell.strip()
        if text.casefold() in MISSING:
            return float("nan")
        if "_" in text:  # float() would read 1_000 as 1000
            return None
        return writing.number(text)
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def _places(table: Table, rows: list[int], name: str, shown: int = 5) -> str:
    cells = table.frame[name]
    named = ", ".join(
        f"{table.unit} {table.lines[row]} ({str(cells.iloc[row])[:30]!r})" for row in rows[:shown]
    )
    more = f" and {len(rows) - shown} more" if len(rows) > shown else ""
    return named + more
