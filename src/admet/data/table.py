"""Tables on disk: CSV, CSV.gz, TSV and Parquet, read with the line of every record."""

import csv
import gzip
import io
import zlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from admet.errors import DataError, DataFileNotFoundError, near_names

_FORMATS = ".csv, .csv.gz, .tsv, .tsv.gz, .tab, .txt, .parquet"
_CELL_LIMIT = 10_000_000  # characters; csv's own limit of 131,072 is below a long peptide's notes


@dataclass(frozen=True)
class Rejection:
    """A record that is left out, and why.

    Attributes:
        line: Line in the file where the record begins (1-based, the header being line 1), or the
            row number (1-based) for a source without lines.
        smiles: What its SMILES cell held.
        reason: Why it is left out.
    """

    line: int
    smiles: str
    reason: str


@dataclass(frozen=True)
class Table:
    """A table as it was read, before anything is interpreted.

    Attributes:
        source: Name for messages.
        frame: One row a record. Text formats hold strings only, shape (n, n_columns).
        lines: Where each record begins, shape (n,), dtype int64.
        unit: What `lines` counts: "line" of a text file, or "row".
        faults: Row → what is wrong with the shape of that record; its cells were padded or cut.
    """

    source: str
    frame: pd.DataFrame
    lines: np.ndarray
    unit: str = "line"
    faults: dict[int, str] = field(default_factory=dict)

    def sound(self) -> "Table":
        """Gives the table without the records of a wrong shape."""
        if not self.faults:
            return self
        keep = np.ones(len(self.frame), dtype=bool)
        keep[list(self.faults)] = False
        frame = self.frame.loc[keep].reset_index(drop=True)
        return Table(self.source, frame, self.lines[keep], self.unit)


def read_table(path: str | Path) -> Table:
    """Reads a table.

    Args:
        path: A .csv, .csv.gz, .tsv, .tsv.gz, .tab, .txt or .parquet file. Text is UTF-8 (with or
            without a byte-order mark) or UTF-16 with one; cells may be quoted and hold newlines.

    Returns:
        The table. A record with fewer or more cells than the header is among its `faults`.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: If it cannot be read, is empty, has no records, or names a column twice.
    """
    path = Path(path)
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = near_names(path.name, beside) if beside else f"No folder {str(path.parent)!r}."
        raise DataFileNotFoundError(
            f"Data file {str(path)!r} does not exist. {hint} Name yours with --data-path."
        )
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder, not a table. Name a file: {_FORMATS}.")
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return _read_parquet(path)
    stem = name.removesuffix(".gz")
    if stem.endswith((".tsv", ".tab")):
        return _read_text(path, "\t")
    if stem.endswith((".csv", ".txt")):
        return _read_text(path, ",")
    raise DataError(f"{str(path)!r} has an unknown format. Known endings: {_FORMATS}.")


def table_from_frame(frame: pd.DataFrame, source: str = "the DataFrame") -> Table:
    """Wraps a frame, whose rows are then counted from 1.

    Raises:
        DataError: If the frame is empty or names a column twice.
    """
    renamed = frame.copy(deep=False)
    renamed.columns = [str(name) for name in frame.columns]
    _check_header(list(renamed.columns), source)
    if not len(frame):
        raise DataError(f"{source} has columns but no rows. Add records below the header.")
    return Table(source, renamed, np.arange(1, len(frame) + 1), unit="row")


def require_columns(table: Table, names: list[str], role: str) -> None:
    """Checks that columns exist.

    Raises:
        DataError: Names the missing ones with the nearest that exist.
    """
    known = [str(name) for name in table.frame.columns]
    missing = [name for name in names if name not in known]
    if missing:
        lines = "\n".join(
            f"{role} column {name!r} is not in {table.source}. {near_names(name, known)}"
            for name in missing
        )
        raise DataError(lines)


def _read_parquet(path: Path) -> Table:
    if path.stat().st_size == 0:
        raise DataError(f"Data file {str(path)!r} is empty. Write a table to it.")
    try:
        frame = pd.read_parquet(path)
    except Exception as error:  # pyarrow raises a family of its own; all mean "not readable"
        raise DataError(f"{str(path)!r} is not a readable Parquet file: {error}") from None
    return table_from_frame(frame.reset_index(drop=True), repr(str(path)))


def _read_text(path: Path, delimiter: str) -> Table:
    source = repr(str(path))
    text = _decode(path)
    if not text.strip("\ufeff \t\r\n"):
        raise DataError(f"Data file {source} is empty. Write a header and records to it.")
    header, records, starts = _parse(text, delimiter, source)
    if len(header) == 1 and delimiter == "," and any(mark in header[0] for mark in ";\t|"):
        mark = next(mark for mark in ";\t|" if mark in header[0])
        raise DataError(
            f"{source} seems to be separated by {mark!r}, not by ','. Save it with commas, or "
            "with tabs under a name that ends in .tsv."
        )
    _check_header(header, source)
    if not records:
        raise DataError(f"Data file {source} has a header but no records. Add them below it.")
    width = len(header)
    faults: dict[int, str] = {}
    for row, record in enumerate(records):
        while len(record) > width and not record[-1].strip():
            record.pop()  # spreadsheets pad with empty cells
        if len(record) != width:
            faults[row] = f"has {len(record)} cells where the header has {width}"
            records[row] = (record + [""] * width)[:width]
    if len(faults) == len(records):
        raise DataError(
            f"No record of {source} has as many cells as its header ({width}); line {starts[0]} "
            f"{faults[0]}. Check the separator and the quotes."
        )
    frame = pd.DataFrame(records, columns=header, dtype=object)
    return Table(source, frame, np.asarray(starts, dtype=np.int64), "line", faults)


def _decode(path: Path) -> str:
    """Reads a text file, unpacked where needed, by its byte-order mark or as UTF-8."""
    try:
        raw = path.read_bytes()
        if path.name.lower().endswith(".gz"):
            raw = gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"Data file {str(path)!r} cannot be read: {error}.") from None
    encoding = "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise DataError(
            f"Data file {str(path)!r} is not valid {encoding.upper().removesuffix('-SIG')}: byte "
            f"0x{raw[error.start]:02x} in line {line}. Save it as UTF-8."
        ) from None


def _parse(text: str, delimiter: str, source: str) -> tuple[list[str], list[list[str]], list[int]]:
    """Splits text into header, records and the line where each record begins."""
    csv.field_size_limit(_CELL_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    records: list[list[str]] = []
    starts: list[int] = []
    end_of_last = 0
    try:
        for record in reader:
            if any(cell.strip() for cell in record):
                if header:
                    records.append(record)
                    starts.append(end_of_last + 1)
                else:
                    header = record
            end_of_last = reader.line_num
    except csv.Error as error:
        raise DataError(
            f"{source} cannot be read as a table: {error} (line {reader.line_num}). Check the "
            "quotes there, and that the file is text."
        ) from None
    return header, records, starts


def _check_header(header: list[str], source: str) -> None:
    counts = Counter(name for name in header if name)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        named = ", ".join(repr(name) for name in twice[:5])
        raise DataError(f"{source} has more than one column named {named}. Rename all but one.")
