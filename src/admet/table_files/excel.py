"""Excel workbooks of one sheet."""

import datetime
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from admet.errors import DataError
from admet.spreadsheet import whole
from admet.table_files.writer import Origin, TableWriter

_MOST_COLUMNS = 16_384
_LONGEST = 32_767  # characters of a cell
_WHOLE = 2**53  # beyond, a spreadsheet changes the last digits of a whole number


class Excel(TableWriter):
    """A sheet called `table`; numbers and dates are written as such, and nothing is a formula."""

    endings: ClassVar[tuple[str, ...]] = (".xlsx",)
    typed: ClassVar[bool] = True
    most_rows: ClassVar[int | None] = 1_048_576

    def __init__(self, path: Path, origin: Origin) -> None:
        """Begins the workbook."""
        super().__init__(path, origin)
        import xlsxwriter  # noqa: PLC0415 - for workbooks only

        options = {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False, "remove_timezone": True,
        }  # fmt: skip
        self._book = xlsxwriter.Workbook(str(path), options)
        # A fixed time: equal tables are equal files.
        self._book.set_properties({"created": datetime.datetime(2000, 1, 1)})
        self._sheet = self._book.add_worksheet("table")
        self._date = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._bold = self._book.add_format({"bold": True})
        self._row = 0

    def _append(self, part: pd.DataFrame) -> None:
        """Appends rows; the header goes before the first."""
        if part.shape[1] > _MOST_COLUMNS:
            raise DataError(
                f"A workbook takes {_MOST_COLUMNS:,} columns; the table has {part.shape[1]:,}. "
                "Write a .csv or .parquet file."
            )
        if not self._row:
            for place, name in enumerate(part.columns):
                self._put(place, str(name))
            self._row = 1
        columns = [part.iloc[:, place].tolist() for place in range(part.shape[1])]
        for row in zip(*columns, strict=True):
            for place, cell in enumerate(row):
                self._put(place, cell)
            self._row += 1

    def close(self) -> None:
        """Writes the file."""
        self._book.close()

    def _put(self, place: int, cell: Any) -> None:
        """Writes one cell; an absent value stays empty.

        Raises:
            DataError: If a text is too long for a cell.
        """
        cell = cell.item() if isinstance(cell, np.generic) else whole(cell)
        if cell is None or (pd.api.types.is_scalar(cell) and pd.isna(cell)):
            return
        if isinstance(cell, bool):
            self._sheet.write_boolean(self._row, place, cell)
        elif math.isfinite(cell) if isinstance(cell, float) else _exact(cell):
            self._sheet.write_number(self._row, place, cell)
        elif isinstance(cell, datetime.datetime | datetime.date) and cell.year >= 1900:
            self._sheet.write_datetime(self._row, place, cell, self._date)
        else:
            self._put_text(place, cell if isinstance(cell, str) else str(cell))

    def _put_text(self, place: int, text: str) -> None:
        if len(text) > _LONGEST:
            raise DataError(
                f"A cell of row {self._row + 1} has {len(text):,} characters; a workbook takes "
                f"{_LONGEST:,}. Write a .csv or .parquet file."
            )
        if text:
            style = self._bold if self._row == 0 else None
            self._sheet.write_string(self._row, place, text, style)


def _exact(cell: Any) -> bool:
    return isinstance(cell, int) and abs(cell) <= _WHOLE
