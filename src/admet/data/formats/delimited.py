"""Delimited text: CSV and its relatives."""

import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from admet.config.reading import TableReading, say_it
from admet.data.formats.format import Format, refuse_sheet
from admet.data.formats.layout import Layout
from admet.data.formats.survey import survey
from admet.data.formats.text import TextTable, open_text
from admet.data.table import Table
from admet.errors import DataError

log = logging.getLogger(__name__)

Records = Iterator[tuple[int, list[str], str]]


class Delimited(Format):
    """Text with a header and one record per line, unless a quoted cell spans several lines.

    Attributes:
        delimiter: What separates the cells, unless the file says otherwise.
    """

    delimiter: ClassVar[str]

    def read(self, path: Path, reading: TableReading) -> Table:
        """Reads all records; cells are text."""
        layout = self._survey(path, reading)
        _tell(path, layout)
        with _records(path, layout) as (text, records):
            table = _next_table(text, layout, records, None)
        if table is None:
            raise DataError(
                f"Data file {text.source} has a header but no records. Add them below it."
            )
        if len(table.faults) == len(table.lines):
            raise DataError(
                f"No record of {text.source} has as many cells as its header ({len(text.header)}); "
                f"line {table.lines[0]} {table.faults[0]}. Check the quotes and the separator, "
                f"{layout.delimiter!r}. Another one can be named, such as "
                f"{say_it('delimiter', 'semicolon')}."
            )
        return table

    def stream(self, path: Path, reading: TableReading, size: int) -> Iterator[Table]:
        """Reads part by part; lines are those of the file."""
        layout = self._survey(path, reading)
        with _records(path, layout) as (text, records):
            while (table := _next_table(text, layout, records, size)) is not None:
                yield table

    def count(self, path: Path, reading: TableReading) -> int:
        """Counts by reading, so that faults are met early."""
        layout = self._survey(path, reading)
        with _records(path, layout) as (text, records):
            count = faulty = 0
            for _, _, fault in records:
                count += 1
                faulty += bool(fault)
            source = text.source
        if not count or count == faulty:
            self.read(path, reading)  # says what is wrong
            raise DataError(f"{source} has no record that can be used.")
        _tell(path, layout)
        return count

    def _survey(self, path: Path, reading: TableReading) -> Layout:
        refuse_sheet(path, reading)
        return survey(path, reading, self.delimiter)


class CommaSeparated(Delimited):
    """Cells separated by commas."""

    endings: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz", ".txt", ".txt.gz")
    delimiter: ClassVar[str] = ","


class TabSeparated(Delimited):
    """Cells separated by tabs."""

    endings: ClassVar[tuple[str, ...]] = (".tsv", ".tsv.gz", ".tab", ".tab.gz")
    delimiter: ClassVar[str] = "\t"


def _tell(path: Path, layout: Layout) -> None:
    for note in layout.notes:
        log.info("%s: %s", path.name, note)


@contextmanager
def _records(path: Path, layout: Layout) -> Iterator[tuple[TextTable, Records]]:
    """Opens the records of a table, without the row of units."""
    with open_text(path, layout) as text:
        records = iter(text)
        if layout.has_units:
            next(records)
        yield text, records


def _next_table(
    text: TextTable, layout: Layout, records: Records, size: int | None
) -> Table | None:
    """Makes a table of the next records, or of all where `size` is None; None at the end."""
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
    numbers = np.asarray(lines, dtype=np.int64)
    return Table(text.source, frame, numbers, "line", faults, units=layout.units)
