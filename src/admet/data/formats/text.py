"""Delimited text as a stream of records, each with the line where it begins."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from admet.data.table import check_header
from admet.errors import DataError

_CELL_LIMIT = 10_000_000  # characters; csv's own limit of 131,072 is below a long peptide's notes


class TextTable:
    """A text table that is open for reading, record by record, in constant memory.

    Attributes:
        source: Name for messages.
        header: Names of the columns.
    """

    def __init__(self, file: IO[str], delimiter: str, source: str) -> None:
        """Reads the header.

        Raises:
            DataError: If there is none, or it names a column twice or is not split by `delimiter`.
        """
        csv.field_size_limit(_CELL_LIMIT)
        self.source = source
        self._reader = csv.reader(file, delimiter=delimiter, strict=True)
        first = next(self._records(), None)
        if first is None:
            raise DataError(f"Data file {source} is empty. Write a header and records to it.")
        self.header = first[1]
        if len(self.header) == 1 and delimiter == "," and any(m in self.header[0] for m in ";\t|"):
            mark = next(mark for mark in ";\t|" if mark in self.header[0])
            raise DataError(
                f"{source} seems to be separated by {mark!r}, not by ','. Save it with commas, or "
                "with tabs under a name that ends in .tsv."
            )
        check_header(self.header, source)

    def __iter__(self) -> Iterator[tuple[int, list[str], str]]:
        """Gives line, cells and fault of each record; cells are padded or cut to the header."""
        width = len(self.header)
        for line, record in self._records():
            while len(record) > width and not record[-1].strip():
                record.pop()  # spreadsheets pad with empty cells
            fault = ""
            if len(record) != width:
                fault = f"has {len(record)} cells where the header has {width}"
                record = (record + [""] * width)[:width]  # noqa: PLW2901 - the record as it counts
            yield line, record, fault

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        """Gives the records that are not blank, with the line where each begins."""
        while True:
            line = self._reader.line_num + 1
            try:
                record = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise DataError(
                    f"{self.source} cannot be read as a table: {error} (line "
                    f"{self._reader.line_num}). Check the quotes there, and that the file is text."
                ) from None
            if any(cell.strip() for cell in record):
                yield line, record


@contextmanager
def open_text(path: Path, delimiter: str) -> Iterator[TextTable]:
    """Opens a text table: packed or not, in UTF-8 or, by its byte-order mark, in UTF-16.

    Args:
        path: The file.
        delimiter: What separates its cells.

    Yields:
        The table.

    Raises:
        DataError: If the file cannot be read, unpacked, decoded or split into records.
    """
    try:
        with _open_binary(path) as raw:
            utf16 = raw.peek(2)[:2] in (b"\xff\xfe", b"\xfe\xff")
            encoding = "utf-16" if utf16 else "utf-8-sig"
            with io.TextIOWrapper(raw, encoding=encoding, newline="") as file:
                yield TextTable(file, delimiter, repr(str(path)))
    except UnicodeDecodeError as error:
        raise DataError(_undecodable(path, error)) from None
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"Data file {str(path)!r} cannot be read: {error}.") from None


def _open_binary(path: Path) -> io.BufferedReader:
    """Opens a file, unpacked where its name says that it is packed."""
    if path.name.lower().endswith(".gz"):
        return io.BufferedReader(cast("io.RawIOBase", gzip.GzipFile(path)))
    return path.open("rb")


def _undecodable(path: Path, error: UnicodeDecodeError) -> str:
    """Says where a file stops being text; reads it again, line by line."""
    place = ""
    if error.encoding.startswith("utf-8"):
        with _open_binary(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as found:
                    place = f"byte 0x{line[found.start]:02x} in line {number}"
                    break
    name = error.encoding.upper().removesuffix("-SIG")
    return (
        f"Data file {str(path)!r} is not valid {name}: {place or error.reason}. Save it as UTF-8."
    )
