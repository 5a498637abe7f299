"""Tasks and labels, and the numbers in cells, with every fault named by its line."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from admet.config.data import LabelRules
from admet.config.reading import DecimalName
from admet.data.chemistry import cell_text
from admet.data.label_rules import (
    Column,
    LabelMap,
    approximate,
    codes_at,
    folded,
    lookup,
    map_numbers,
    places,
    split_relation,
)
from admet.data.numbers import Writing, writing_of
from admet.data.table import Table
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
        rules: How cells of its column became labels.
    """

    name: str
    kind: Kind
    unit: str = ""
    transform: Transform = NO_TRANSFORM
    rules: LabelRules = field(default_factory=LabelRules)


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

    def __post_init__(self) -> None:
        """Keeps no limits where there are none, so that nothing is computed for them."""
        if self.limits is not None and not self.limits.any():
            object.__setattr__(self, "limits", None)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def present(self) -> np.ndarray:
        """Where there is a label, shape (n, T), bool."""
        return np.asarray(~np.isnan(self.values))

    def subset(self, rows: np.ndarray) -> "Labels":
        """Gives the labels of some molecules, indices or a mask."""
        return Labels(self.values[rows], None if self.limits is None else self.limits[rows])

    @property
    def every_limit(self) -> np.ndarray:
        """The limits, shape (n, T), int8, also where all labels were measured: 0."""
        return np.zeros(self.values.shape, np.int8) if self.limits is None else self.limits

    def columns(self, tasks: Sequence[int]) -> "Labels":
        """Gives the labels of some tasks, by their places."""
        chosen = list(tasks)
        limits = None if self.limits is None else self.limits[:, chosen]
        return Labels(self.values[:, chosen], limits)


LARGEST = 1e100
"""Largest size of a label: its square is still a finite number, which a scale needs."""


def infer_tasks(
    labels: Labels, columns: list[str], given: Mapping[str, Kind], source: str
) -> tuple[Task, ...]:
    """Decides the kind of each task, where the user has not.

    Args:
        labels: Labels of n rows and T columns.
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
    for name, column in zip(columns, labels.values.T, strict=True):
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


def check_kinds(labels: Labels, tasks: Sequence[Task], source: str) -> None:
    """Checks that T tasks hold labels of their kind only.

    Raises:
        DataError: Names the tasks and the labels that do not fit.
    """
    faults = []
    for index, (task, column) in enumerate(zip(tasks, labels.values.T, strict=True)):
        foreign = task.kind.foreign(np.unique(column[~np.isnan(column)]))
        if foreign.size:
            shown = ", ".join(f"{value:g}" for value in foreign[:3])
            faults.append(
                f"Target {task.name!r} is {task.kind.name}, so its labels {task.kind.labels_rule}; "
                f"in {source} it has {shown}. Recode them (data.label_maps), or set its kind to "
                "regression."
            )
        n_limits = 0 if labels.limits is None else np.count_nonzero(labels.limits[:, index])
        if n_limits and not task.kind.has_limits:
            faults.append(
                f"Target {task.name!r} is {task.kind.name}, so no label can be a limit (> or <); "
                f"in {source} {n_limits} are. Remove the signs, or set its kind to regression."
            )
    if faults:
        raise DataError("\n".join(faults))


def check_scales(labels: Labels, tasks: Sequence[Task], table: Table) -> None:
    """Checks that tasks hold only labels that their transforms allow.

    Raises:
        DataError: Names the tasks, the lines and the remedies.
    """
    faults = []
    for task, column in zip(tasks, labels.values.T, strict=True):
        scale = task.transform
        if scale.name not in {"none", "auto"} and not task.kind.scaled:
            faults.append(
                f"Target {task.name!r} is {task.kind.name}, so it has no scale to transform. "
                "Remove it from data.transforms, or set its kind to regression."
            )
            continue
        strange = np.flatnonzero(~scale.allows(column)).tolist()
        if strange:
            faults.append(
                f"Target {task.name!r} is learnt as {scale}, so its labels {scale.rule}; "
                f"{len(strange)} are not, at {places(table, strange, task.name)}. Correct or empty "
                "these cells; say from which number on they are limits (data.limits, such as "
                "{below: 0.1}); or choose another transform"
                + (", such as log1p." if (column[strange] == 0).all() else ".")
            )
    if faults:
        raise DataError("\n".join(faults))


def read_numbers(
    table: Table, name: str, label_map: LabelMap, decimal: DecimalName, faults: list[str]
) -> tuple[Column, list[int]]:
    """Reads the numbers of a column, the signs before them, and the codes of a map.

    Args:
        table: The table.
        name: The column.
        label_map: What the cells that are codes mean.
        decimal: The decimal mark of numbers in text, where the user says it.
        faults: Takes up what is wrong.

    Returns:
        The column, and the rows whose cells are neither a number nor a code.
    """
    cells = table.frame[name]
    codes = lookup(label_map)
    limits = np.zeros(len(cells), dtype=np.int8)
    words: list[int] = []
    about: list[int] = []
    # True and False are words that a map may name.
    if pd.api.types.is_numeric_dtype(cells) and not pd.api.types.is_bool_dtype(cells):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        coded = np.zeros(len(cells), dtype=bool)
    else:
        values = np.full(len(cells), np.nan)
        coded = codes_at(cells, codes)
        writing = writing_of(table, name, decimal)
        if writing.question:
            faults.append(writing.question)
            return Column(name, values, limits), []
        for note in writing.notes:
            log.info("  %s: %s", name, note)
        for row, cell in enumerate(cells):
            if coded[row]:
                values[row] = codes[folded(cell_text(cell))]
                continue
            number = _number(cell, writing)
            if number is None and (signed := _signed_number(cell, writing)) is not None:
                number, limits[row], is_about = signed
                about += [row] * is_about
            if number is None:
                words.append(row)
            else:
                values[row] = number
    values, strange = map_numbers(values, ~coded & (limits == 0), label_map)
    if strange.size:
        faults.append(
            f"data.label_maps gives other labels to the numbers {', '.join(label_map)} of "
            f"{name!r}, and does not say what others mean, at "
            f"{places(table, strange.tolist(), name)}. Add them to the map, or correct these cells."
        )
    extreme = np.flatnonzero(np.isfinite(values) & (np.abs(values) > LARGEST))
    if extreme.size:
        faults.append(
            f"Target column {name!r} must hold numbers up to ±{LARGEST:g}; it holds larger ones at "
            f"{places(table, extreme.tolist(), name)}. Correct or empty these cells."
        )
    infinite = np.flatnonzero(np.isinf(values))
    if infinite.size:
        faults.append(
            f"Target column {name!r} holds infinite values at "
            f"{places(table, infinite.tolist(), name)}. Correct or empty these cells."
        )
    return approximate(table, Column(name, values, limits), about), words


def _signed_number(cell: object, writing: Writing) -> tuple[float, int, bool] | None:
    """Gives the number after a sign, its limit, and whether it is approximate; None for text."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
    found = split_relation(text) if isinstance(text, str) else None
    number = None if found is None else _number(found[1], writing)
    if found is None or number is None or np.isnan(number):
        return None
    return number, found[0].limit, found[0].about


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
