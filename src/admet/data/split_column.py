"""The column from which a time split, a predefined split or a split by groups is read."""

import logging

import numpy as np
import pandas as pd

from admet.data.dates import DateOrder, is_date, read_dates
from admet.data.table import Table
from admet.errors import DataError

log = logging.getLogger(__name__)

_SIDE_WORDS = {
    "train": 0, "training": 0,
    "val": 1, "valid": 1, "validation": 1, "dev": 1,
    "test": 2, "testing": 2, "holdout": 2,
}  # fmt: skip


def read_split_column(
    table: Table, column: str, split_type: str, rows: list[int], order: DateOrder = "auto"
) -> np.ndarray:
    """Reads the cells of some rows.

    Args:
        table: The table.
        column: The column.
        split_type: "time", "predefined" or "group".
        rows: The m rows that are used.
        order: What comes first in the dates of a time split, where the user says it.

    Returns:
        Shape (m,): for a time split numbers (float64) that sort as the times do; for a predefined
        one sides (int8): 0 train, 1 validation, 2 test; for groups their numbers (int64).

    Raises:
        DataError: If a cell is empty, a side is unknown, or a time column is neither all numbers
            nor all dates of one writing; names the lines.
    """
    cells = table.frame[column].iloc[rows].reset_index(drop=True)
    lines = table.lines[rows]
    empty = np.flatnonzero(cells.isna() | (cells.astype(str).str.strip() == ""))
    if empty.size:
        shown = ", ".join(str(line) for line in lines[empty[:5]])
        raise DataError(
            f"Split column {column!r} is empty at {table.unit} {shown} ({empty.size} rows in all). "
            "Fill these cells, or remove the rows."
        )
    if split_type == "predefined":
        return _sides(cells, lines, column, table.unit)
    if split_type == "group":
        return np.asarray(pd.factorize(cells.astype(str).str.strip())[0], dtype=np.int64)
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.notna().all():
        return numbers.to_numpy(dtype=np.float64)
    dates = read_dates(cells, order)
    if dates.question:
        raise DataError(
            f"Split column {column!r} holds dates that may be {dates.question}, such as "
            f"{str(cells[0])!r} at {table.unit} {lines[0]}. Say which: "
            f"`data.dates: {dates.question.split(' ')[0]}` (--data.dates)."
        )
    if dates.times is not None:
        if dates.note:
            log.info("Split column %s: dates are written %s", column, dates.note)
        return dates.times.astype("int64").to_numpy(dtype=np.float64)
    raise DataError(_neither(cells, numbers, lines, f"Split column {column!r}", table.unit, order))


def _neither(
    cells: pd.Series,
    numbers: pd.Series,
    lines: np.ndarray,
    what: str,
    unit: str,
    order: DateOrder,
) -> str:
    """Names the first cell that differs from most: no date, no number, or written otherwise."""
    dates = np.array([is_date(cell) for cell in cells])
    counted = numbers.notna().to_numpy()
    odd = np.flatnonzero(~(dates if dates.sum() >= counted.sum() else counted))
    if not odd.size and order != "auto":
        odd = np.flatnonzero([not is_date(cell, order) for cell in cells])
        row = int(odd[0]) if odd.size else 0
        return (
            f"{what} holds {str(cells[row])!r} at {unit} {lines[row]}, which is no date of "
            f"`data.dates: {order}`. Correct the key, or rewrite the column."
        )
    if not odd.size:  # all are dates, written in two ways
        iso = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True).notna()
        odd = np.flatnonzero(iso != iso[0])
    row = int(odd[0]) if odd.size else 0
    return (
        f"{what} must hold only numbers, or only dates of one writing "
        f"(2024-03-15, 15.03.2024, 03/15/2024), to sort by; {unit} {lines[row]} holds "
        f"{str(cells[row])!r}. Rewrite the column."
    )


def _sides(cells: pd.Series, lines: np.ndarray, column: str, unit: str) -> np.ndarray:
    sides = [_SIDE_WORDS.get(str(cell).strip().casefold(), -1) for cell in cells]
    unknown = [row for row, side in enumerate(sides) if side < 0]
    if unknown:
        row = unknown[0]
        raise DataError(
            f"Split column {column!r} must hold train, val or test; {unit} {lines[row]} holds "
            f"{str(cells[row])!r} ({len(unknown)} such rows). Correct them."
        )
    return np.array(sides, dtype=np.int8)
