"""Frames as tables of a page."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from admet.names import short_number
from admet.report.content import Cell, Table

LISTED = 8
"""Names, or ways, that a sentence or a list holds."""
Make = Callable[[Any], Cell]
"""Makes a cell of a value."""


def text(value: Any) -> Cell:
    """Shows a value as it stands; nothing for one that is absent."""
    return Cell("" if _absent(value) else str(value))


def number(value: Any) -> Cell:
    """Shows a number, as short as in a sentence."""
    if _absent(value):
        return Cell("–")
    return Cell(short_number(float(value)), repr(float(value)))


def count(value: Any) -> Cell:
    """Shows a whole number."""
    return Cell("–") if _absent(value) else Cell(f"{int(value):,}", str(int(value)))


def percent(value: Any) -> Cell:
    """Shows a share as percent."""
    if _absent(value):
        return Cell("–")
    return Cell(f"{100 * float(value):.0f} %", repr(float(value)))


def change(mean: float, low: float, high: float) -> str:
    """Writes a change of a loss with its interval, in percent."""
    if _absent(mean):
        return "not known"
    if _absent(low) or _absent(high):
        return f"{100 * mean:+.0f} %"
    return f"{100 * mean:+.0f} % [{100 * low:+.0f}, {100 * high:+.0f}]"


def interval(value: Any, low: Any, high: Any) -> Cell:
    """Shows a number with its interval, where there is one."""
    if _absent(value):
        return Cell("–")
    ends = "" if _absent(low) or _absent(high) else f" [{short_number(low)}, {short_number(high)}]"
    return Cell(short_number(float(value)) + ends, repr(float(value)))


def names_of(names: Sequence[str]) -> str:
    """Lists names in a sentence, the first few of many."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more


def table(
    caption: str, stem: str, rows: Sequence[Sequence[Cell]], heads: Sequence[str], numbers: str
) -> Table:
    """Makes a table of rows of cells.

    Args:
        caption: What it shows.
        stem: Start of the name of its file.
        rows: The cells.
        heads: Names of the columns.
        numbers: A letter per column: "n" where it holds numbers, "t" where text.
    """
    cells, right = tuple(map(tuple, rows)), tuple(letter == "n" for letter in numbers)
    return Table(caption, tuple(heads), cells, right, file_stem(stem))


def of_frame(
    caption: str, stem: str, frame: pd.DataFrame, columns: Mapping[str, tuple[str, Make]]
) -> Table:
    """Makes a table of some columns of a frame.

    Args:
        caption: What it shows.
        stem: Start of the name of its file.
        frame: The frame.
        columns: Column → its head, and what makes its cells.
    """
    used = {name: how for name, how in columns.items() if name in frame.columns}
    values = [frame[name].tolist() for name in used]
    makes = [make for _, make in used.values()]
    rows = [
        [make(value) for make, value in zip(makes, row, strict=True)]
        for row in zip(*values, strict=True)
    ]
    heads = [head for head, _ in used.values()]
    return table(caption, stem, rows, heads, "".join("t" if m is text else "n" for m in makes))


def file_stem(name: str) -> str:
    """Gives the start of a file's name that every system takes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:60].strip("._-") or "report"


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, float | np.floating) and bool(np.isnan(value)))
