"""Delimited text: CSV and its relatives."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from admet.data.formats.format import Format
from admet.data.formats.text import TextTable, open_text
from admet.data.table import Table
from admet.errors import DataError


class Delimited(Format):
    """Text with a header, one record a line unless a quoted cell spans several.

    Attributes:
        delimiter: What separates the cells.
    """

    delimiter: ClassVar[str]

    def read(self, path: Path) -> Table:
        """Reads all records; cells are text."""
        with open_text(path, self.delimiter) as text:
            table = _next_table(text, iter(text), None)
        if table is None:
            raise DataError(
                f"Data file {text.source} has a header but no records. Add them below it."
            )
        if len(table.faults) == len(table.lines):
            raise DataError(
                f"No record of {text.source} has as many cells as its header ({len(text.header)}); "
                f"line {table.lines[0]} {table.faults[0]}. Check the separator and the quotes."
            )
        return table

    def stream(self, path: Path, size: int) -> Iterator[Table]:
        """Reads part by part; lines are those of the file."""
        with open_text(path, self.delimiter) as text:
            records = iter(text)
            while (table := _next_table(text, records, size)) is not None:
                yield table

    def count(self, path: Path) -> int:
        """Counts by reading, so that faults are met early."""
        with open_text(path, self.delimiter) as text:
            count = faulty = 0
            for _, _, fault in text:
                count += 1
                faulty += bool(fault)
            source = text.source
        if not count or count == faulty:
            self.read(path)  # says what is wrong
            raise DataError(f"{source} has no record that can be used.")
        return count


class CommaSeparated(Delimited):
    """Cells separated by commas."""

    endings: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".txt", ".txt.gz")
    delimiter: ClassVar[str] = ","


class TabSeparated(Delimited):
    """Cells separated by tabs."""

    endings: ClassVar[tuple[str, ...]] = (".tsv", ".tsv.gz", ".tab", ".tab.gz")
    delimiter: ClassVar[str] = "\t"


def _next_table(
    text: TextTable, records: Iterator[tuple[int, list[str], str]], size: int | None
) -> Table | None:
    """Makes a table of the next records, of all where `size` is None; None at the end."""
    lines: list[int] = []
    cells: list[list[str]] = []
    faults: dict[int, str] = {}
    for line, record, fault in itertools.islice(records, size):
        if fault:
            faults[len(cells)] = fault
        lines.append(line)
        cells.append(record)
    if not cells:
        return None
    frame = pd.DataFrame(cells, columns=text.header, dtype=object)
    return Table(text.source, frame, np.asarray(lines, dtype=np.int64), "line", faults)
