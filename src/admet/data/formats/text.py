"""Delimited text as a stream of records, each with the line where it begins."""

import csv
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from admet.config.reading import say_it
from admet.data.formats.encodings import open_binary
from admet.data.formats.layout import Layout
from admet.data.formats.quotes import opens_at, whole_records
from admet.data.table import check_header
from admet.errors import DataError

_CELL_LIMIT = 10_000_000  # characters; csv's own limit of 131,072 is below a long peptide's notes


class QuoteError(DataError):
    """A quote that does not close, or that encloses what looks like whole records."""


class TextTable:
    """A text table that is open for reading, record by record, in constant memory.

    Every line of the file is part of a record, or blank. A quoted cell may span lines, unless these
    look like whole records.

    Attributes:
        source: Name for messages.
        header: Names of the columns.
        n_spanning: Records read so far that span several lines.
        first_spanning: The line of the first of them.
    """

    def __init__(self, file: IO[str], layout: Layout, source: str) -> None:
        """Reads the header.

        Raises:
            DataError: If there is none, or it names a column twice.
        """
        csv.field_size_limit(_CELL_LIMIT)
        self.source = source
        self.n_spanning = self.first_spanning = 0
        self._layout = layout
        self._file = file
        self._lines: list[str] = []  # of the record that is being read
        self._line = 0
        self._width = 0
        self._blank_behind = f"{layout.delimiter} "
        self._prose = True  # until a record has a blank behind a delimiter outside quotes
        for _ in range(layout.skip):
            next(file, None)
            self._line += 1
        self._reader = csv.reader(
            self._feed(),
            delimiter=layout.delimiter,
            strict=True,
            quoting=csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE,
        )
        first = next(self._records(), None)
        if first is None:
            raise DataError(f"Data file {source} is empty. Write a header and records to it.")
        self.header = first[1]
        self._width = len(self.header)
        check_header(self.header, source)

    def __iter__(self) -> Iterator[tuple[int, list[str], str]]:
        """Gives line, cells and fault of each record; cells are padded or cut to the header."""
        width = len(self.header)
        for line, record in self._records():
            while len(record) > width and not record[-1].strip():
                record.pop()  # spreadsheets pad with empty cells
            if len(self._lines) > 1:
                self._check_lines(line, len(record))
            fault = ""
            if len(record) != width:
                fault = f"has {len(record)} cells where the header has {width}"
                record = (record + [""] * width)[:width]  # noqa: PLW2901 - the record as it counts
            yield line, record, fault

    def _feed(self) -> Iterator[str]:
        for line in self._file:
            self._lines.append(line)
            self._line += 1
            if self._prose and self._blank_behind in line and '"' not in line:
                self._prose = False
            yield line

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Gives the records that are not blank, with the line where each begins."""
        while True:
            self._lines.clear()
            line = self._line + 1
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise self._unreadable(line, error) from None
            if any(cell.strip() for cell in record):
                yield line, record

    def _check_lines(self, line: int, n_cells: int) -> None:
        """Counts a record of several lines, and refuses one that has swallowed others."""
        self.n_spanning += 1
        self.first_spanning = self.first_spanning or line
        if self._layout.unchecked:
            return
        mark = self._layout.delimiter
        found = whole_records(self._lines, self._width, n_cells, mark, prose=self._prose)
        if found:
            opens = line + opens_at(self._lines, mark)
            raise QuoteError(
                f"{self.source}: the quote that opens in line {opens} closes in line {self._line} "
                f"or before, so that one cell holds what looks like {found} records. "
                f"{_REMEDY} If the cell really holds these lines, set "
                f"{say_it('quoting', 'quoted')}."
            )

    def _unreadable(self, line: int, error: csv.Error) -> DataError:
        opens = line + opens_at(self._lines, self._layout.delimiter)
        if "unexpected end" in str(error) or ("limit" in str(error) and len(self._lines) > 1):
            return QuoteError(
                f"{self.source} cannot be read as a table: the quote that opens in line {opens} "
                f"does not close. {_REMEDY}"
            )
        if "expected after" in str(error):
            return QuoteError(
                f"{self.source} cannot be read as a table: the quote that opens in line {opens} "
                f"closes inside a cell in line {self._line}. {_REMEDY}"
            )
        return DataError(
            f"{self.source} cannot be read as a table: {error} (line {self._line}). Check the "
            "quotes there, and that the file is text."
        )


_REMEDY = (
    'Close it, or where it is part of a name, write it twice and quote the cell ("5"" tube"). If '
    f"no cell of the table is quoted, set {say_it('quoting', 'none')}."
)


@contextmanager
def open_text(path: Path, layout: Layout) -> Iterator[TextTable]:
    """Opens a text table, packed or not.

    Args:
        path: The file.
        layout: How it is written.

    Yields:
        The table.

    Raises:
        DataError: If the file cannot be read, unpacked, decoded or split into records.
    """
    with text_of(path, layout.encoding) as file:
        yield TextTable(file, layout, repr(str(path)))


@contextmanager
def text_of(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Opens a text, packed or not; line ends stay as they are.

    Args:
        path: The file.
        encoding: Its encoding.

    Yields:
        The text.

    Raises:
        DataError: If the file cannot be read, unpacked or decoded.
    """
    try:
        with open_binary(path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="") as file:
            yield file
    except UnicodeError as error:
        raise DataError(f"Data file {str(path)!r} is not valid {encoding}: {error}.") from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"Data file {str(path)!r} cannot be read: {error}.") from None
