"""Workbooks of spreadsheet programs: Excel and OpenDocument."""

import datetime
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from admet.config.reading import TableReading
from admet.data.formats.format import Format
from admet.data.formats.units import units_in
from admet.data.formats.workbook_parts import (
    cell_name,
    check_size,
    error_cells,
    merged_cells,
    sheet_xml,
    unreadable,
    without_value,
)
from admet.data.table import Table, check_header
from admet.errors import ConfigError, DataError, near_names

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

log = logging.getLogger(__name__)

_FIRST = 200  # records that tell whether the row under the header holds units
_WHOLE = 2.0**53  # beyond, a float holds no whole number exactly


class Workbook(Format):
    """One sheet, with types; rows are counted as in the sheet. It is held in memory as a whole.

    A formula gives the value that was stored with it.
    """

    endings: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm", ".ods")

    def read(self, path: Path, reading: TableReading) -> Table:
        """Reads all rows."""
        table, notes = _read(path, reading)
        for note in notes:
            log.info("%s: %s", path.name, note)
        return table

    def stream(self, path: Path, reading: TableReading, size: int) -> Iterator[Table]:
        """Gives the rows part by part, of a sheet that is read as a whole."""
        table, _ = _read(path, reading)
        for start in range(0, len(table.frame), size):
            part = slice(start, start + size)
            frame = table.frame.iloc[part].reset_index(drop=True)
            yield Table(table.source, frame, table.lines[part], table.unit, units=table.units)

    def count(self, path: Path, reading: TableReading) -> int:
        """Counts by reading."""
        return len(self.read(path, reading).frame)


def _read(path: Path, reading: TableReading) -> tuple[Table, list[str]]:
    with _open(path) as book:
        sheet, note = _sheet(path, book, reading.sheet)
        source = f"sheet {sheet.name!r} of {str(path)!r}"
        content = sheet_xml(path, sheet.name)
        _check_cells(path, sheet, content, source)
        rows = sheet.to_python(skip_empty_area=False)
        for (row, column), error in error_cells(content).items():
            if row < len(rows) and column < len(rows[row]):
                rows[row][column] = error
    header, records, numbers = _records(rows, source)
    notes = [note] if note else []
    units = units_in(header, records[:_FIRST], reading.units_row)
    if units is not None:
        said = ", ".join(f"{column} {unit}" for column, unit in units.items()) or "none"
        notes.append(f"the row under the header holds units: {said}")
        records, numbers = records[1:], numbers[1:]
    if not records:
        raise DataError(f"{source} has a header but no records. Add them below it.")
    columns = [_typed(list(column)) for column in zip(*records, strict=True)]
    frame = pd.concat(columns, axis=1, ignore_index=True)
    frame.columns = pd.Index(header)
    lines = np.asarray(numbers, dtype=np.int64)
    return Table(source, frame, lines, unit="row", units=units or {}), notes


@contextmanager
def _open(path: Path) -> Iterator["CalamineWorkbook"]:
    from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - when needed

    check_size(path)
    try:
        with CalamineWorkbook.from_path(path) as book:
            yield book
    except BaseException as error:  # its panics are no `Exception`
        panics = type(error).__name__ == "PanicException"
        if not panics and not isinstance(error, CalamineError | UnicodeError):
            raise
        raise unreadable(path, error) from None


def _sheet(path: Path, book: "CalamineWorkbook", given: str | None) -> tuple["CalamineSheet", str]:
    """Gives the sheet that is meant, and what to tell the user.

    Raises:
        ConfigError: If there is no such sheet, or several could be meant.
        DataError: If all are empty.
    """
    from python_calamine import SheetTypeEnum  # noqa: PLC0415 - when needed

    sheets = book.sheets_metadata
    names = [sheet.name for sheet in sheets if sheet.typ == SheetTypeEnum.WorkSheet]
    if given is not None:
        if given not in names:
            raise ConfigError(
                f"`sheet` names {given!r}, which {str(path)!r} does not have. "
                f"{near_names(given, names)}"
            )
        return book.get_sheet_by_name(given), ""
    filled = [sheet for name in names if (sheet := book.get_sheet_by_name(name)).height]
    if not filled:
        raise DataError(f"{str(path)!r} is empty. Write a header and records to a sheet.")
    if len(filled) > 1:
        shown = ", ".join(repr(sheet.name) for sheet in filled)
        raise ConfigError(
            f"{str(path)!r} has {len(filled)} sheets with cells: {shown}. Name the one to read: "
            f"`data.sheet: {filled[0].name}` (--data.sheet of train, --sheet elsewhere)."
        )
    return filled[0], f"sheet {filled[0].name!r} is read" if len(names) > 1 else ""


def _check_cells(path: Path, sheet: "CalamineSheet", content: bytes, source: str) -> None:
    """Refuses merged cells, and formulas without a stored value."""
    merged = merged_cells(path, sheet.name, sheet.merged_cell_ranges)
    if merged:
        shown = ", ".join(merged[:3]) + (f" and {len(merged) - 3} more" if merged[3:] else "")
        raise DataError(
            f"{source} has merged cells, {shown}: which record they belong to is not certain. "
            "Unmerge them, and fill each cell."
        )
    bare = without_value(content)
    if bare:
        raise DataError(
            f"{source} has formulas without a stored value, the first in {bare[0]} ({len(bare)} "
            "in all). Open the workbook in a spreadsheet program and save it, or paste the values."
        )


def _records(rows: list[list[Any]], source: str) -> tuple[list[str], list[list[Any]], list[int]]:
    """Gives the header, the records that are not empty, and their rows, counted from 1.

    Raises:
        DataError: If the first row is no header, or names a column twice.
    """
    first = next((i for i, row in enumerate(rows) if any(_filled(cell) for cell in row)), None)
    if first is None:
        raise DataError(f"{source} is empty. Write a header and records to it.")
    if first:
        raise DataError(
            f"{source} begins with {first} empty row(s). The header must stand in row 1: remove "
            "what is above it."
        )
    records = [[cell if _filled(cell) else None for cell in row] for row in rows]
    kept = [
        place for place in range(len(rows[0])) if any(row[place] is not None for row in records)
    ]
    records = [[row[place] for place in kept] for row in records]
    header = [_name(cell) for cell in records[0]]
    bare = [place for place, name in enumerate(header) if not name]
    if len(bare) >= len(header) - len(bare):
        raise DataError(
            f"{source} has {len(bare)} columns with cells but no name in row 1, the first is "
            f"{cell_name(0, kept[bare[0]])[:-1]}. The header must stand in row 1: remove titles "
            "above it, and name the columns."
        )
    check_header(header, source)
    numbered = [
        (number, row)
        for number, row in enumerate(records[1:], start=2)
        if any(cell is not None for cell in row)
    ]
    return header, [row for _, row in numbered], [number for number, _ in numbered]


def _filled(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


def _name(cell: Any) -> str:
    """Writes a cell of the header as text; Excel holds whole numbers as floats."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell)


def _typed(cells: Sequence[Any]) -> pd.Series:
    """Makes a column of its cells; it has a type where all cells have the same one."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {int, float}:
        numbers = pd.Series(cells, dtype="float64")
        present = numbers.dropna()
        if (present == present.round()).all() and (present.abs() < _WHOLE).all():
            return numbers.astype("int64" if len(present) == len(numbers) else "Int64")
        return numbers
    if kinds == {bool}:
        return pd.Series(cells, dtype="boolean" if None in cells else "bool")
    if kinds and kinds <= {datetime.date, datetime.datetime}:
        return pd.Series(pd.to_datetime(pd.Series(cells, dtype=object)))
    return pd.Series(cells, dtype=object)
