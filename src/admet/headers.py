"""The columns of a table file, read without the table: a mistyped name is answered at once.

Only the first bytes of a file are read, with the standard library (Parquet and workbooks with their
own readers, where these are quick). What is not certain from them is left to `admet.data`, which
reads the whole file: nothing that it would accept is refused here.
"""

import codecs
import csv
import gzip
import io
import itertools
import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from admet.config.data import NUMERIC, DataConfig, PanelColumns, is_pattern
from admet.config.reading import AS_FOUND, TableReading
from admet.errors import DataError, DataFileNotFoundError, near_names

ENDINGS = (
    ".csv", ".csv.gz", ".txt", ".txt.gz", ".tsv", ".tsv.gz", ".tab", ".tab.gz", ".parquet", ".pq",
    ".xlsx", ".xlsm", ".ods", ".sdf", ".sdf.gz", ".sd", ".sd.gz", ".smi", ".smi.gz",
)  # fmt: skip
"""Endings of table files; a test holds that they are those of `admet.data.formats`."""
_DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_TABS = (".tsv", ".tsv.gz", ".tab", ".tab.gz")
_HEAD = 2**20  # bytes of a text that may hold its header
_SEP_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_LARGEST_BOOK = 2**24  # bytes, unpacked: larger ones take too long for an answer at once


@dataclass(frozen=True)
class Column:
    """A column that a command will read.

    Attributes:
        name: Its name, or a pattern of targets.
        role: What it is, for messages: "SMILES", "Target" and the like.
    """

    name: str
    role: str


def check_file(path: str | Path) -> Path:
    """Checks that a path names a table file.

    Args:
        path: The path.

    Returns:
        The path.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: If it is a folder, a pipe or a device, or its ending is not known.
    """
    path = Path(path)
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = near_names(path.name, beside) if beside else f"No folder {str(path.parent)!r}."
        raise DataFileNotFoundError(
            f"Data file {str(path)!r} does not exist. {hint} Name yours with --data-path."
        )
    known = ", ".join(ENDINGS)
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder, not a table. Name a file: {known}.")
    if not path.is_file():  # it would be read twice, and perhaps never end
        raise DataError(f"{str(path)!r} is a pipe or a device. Write the table to a file first.")
    if not path.name.lower().endswith(ENDINGS):
        raise DataError(f"{str(path)!r} has an unknown format. Known endings: {known}.")
    return path


def check_panel(path: Path, config: PanelColumns) -> None:
    """Checks that a table has the columns that a panel is made of.

    Args:
        path: The table.
        config: Its columns.

    Raises:
        DataError: If there is no such file, or a column is certainly missing; names the nearest.
    """
    wanted = [Column(config.smiles_column, "SMILES")]
    if isinstance(config, DataConfig) and config.needs_split_column:
        wanted.append(Column(str(config.split_column), "Split"))
    if config.id_column is not None:
        wanted.append(Column(config.id_column, "Identifier"))
    wanted += [Column(name, "Target") for name in config.target_columns]
    wanted += [Column(name, "Relation") for name in config.relation_columns.values()]
    own = {column.name for column in wanted if column.role != "Target"}
    check_columns(path, wanted, config, own=own)


def check_columns(
    path: Path,
    wanted: Sequence[Column],
    reading: TableReading = AS_FOUND,
    *,
    own: Iterable[str] = (),
) -> None:
    """Checks that a table has columns.

    Args:
        path: The table.
        wanted: The columns; a target may be a pattern.
        reading: How the table is written, as far as the user says.
        own: Columns that no pattern takes.

    Raises:
        DataError: If there is no such file, or a column is certainly missing; names the nearest.
    """
    path = check_file(path)
    headers = possible_headers(path, reading)
    absent = [[c for c in wanted if not _has(header, c, set(own))] for header in headers]
    if not absent or not all(absent):
        return
    header, missing = headers[0], absent[0]
    raise DataError("\n".join(_said(column, header, path) for column in missing))


def _has(header: Sequence[str], column: Column, own: set[str]) -> bool:
    if column.name in header:
        return True
    if column.role != "Target" or not is_pattern(column.name):
        return False
    free = [name for name in header if name and name not in own]
    return column.name == NUMERIC or any(fnmatchcase(name, column.name) for name in free)


def _said(column: Column, header: Sequence[str], path: Path) -> str:
    near = near_names(column.name, [name for name in header if name])
    if column.role == "Target" and is_pattern(column.name):
        return (
            f"`target_columns` names {column.name!r}, but no column matches in {str(path)!r}. "
            f"{near}"
        )
    return f"{column.role} column {column.name!r} is not in {str(path)!r}. {near}"


def possible_headers(path: Path, reading: TableReading = AS_FOUND) -> list[tuple[str, ...]]:
    """Gives the headers that a table can have, given what its first bytes say.

    Args:
        path: A file whose ending is among `ENDINGS`.
        reading: How it is written, as far as the user says.

    Returns:
        Names of columns, the likeliest header first; none where they are not known.
    """
    name = path.name.lower()
    try:
        if name.endswith((".parquet", ".pq")):
            return _of_parquet(path)
        if name.endswith((".xlsx", ".xlsm", ".ods")):
            return _of_workbook(path, reading.sheet)
        if name.endswith((".sdf", ".sdf.gz", ".sd", ".sd.gz", ".smi", ".smi.gz")):
            return []
        return list(dict.fromkeys(_of_text(path, reading)))
    except Exception:
        return []


def _of_text(path: Path, reading: TableReading) -> Iterator[tuple[str, ...]]:
    """Gives the first record of a text, as each delimiter that may be meant divides it."""
    lines = _first_lines(path, reading.encoding)
    separator = _SEP_LINE.fullmatch(lines[0]) if lines else None
    lines = lines[1:] if separator else lines
    filled = next((line for line in lines if line.strip()), "")
    if reading.delimiter != "auto":
        marks = [_DELIMITERS[reading.delimiter]]
    elif separator:
        marks = [separator[1]]
    else:
        usual = "\t" if path.name.lower().endswith(_TABS) else ","
        others = sorted(set(_DELIMITERS.values()) - {usual}, key=filled.count, reverse=True)
        marks = [usual, *others] if usual in filled else [*others, usual]
    quoted = (True, False) if reading.quoting == "auto" else (reading.quoting == "quoted",)
    for quotes, mark in itertools.product(quoted, marks):
        records = csv.reader(
            lines, delimiter=mark, quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
        )
        first = next((record for record in records if any(c.strip() for c in record)), None)
        if first is not None:
            yield tuple(first)


def _first_lines(path: Path, encoding: str | None) -> list[str]:
    """Reads the first lines of a text, none of them cut; none where the header is longer."""
    with path.open("rb") as file:
        packed = path.name.lower().endswith(".gz")
        start = (gzip.GzipFile(fileobj=file) if packed else file).read(_HEAD)
    if encoding is None:
        utf16 = start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        encoding = "utf-16" if utf16 else "utf-8-sig"
    elif codecs.lookup(encoding).name == "utf-8":
        encoding = "utf-8-sig"
    decoder = codecs.getincrementaldecoder(encoding)()  # which waits for the rest of a letter
    try:
        text = decoder.decode(start)
    except UnicodeDecodeError:
        text = start.decode("cp1252")
    lines = list(io.StringIO(text, newline=""))
    return lines[:-1] if len(start) == _HEAD else lines


def _of_parquet(path: Path) -> list[tuple[str, ...]]:
    import pyarrow.parquet as pq  # noqa: PLC0415 - a fifth of a second, for Parquet only

    schema = pq.read_schema(path)
    stored = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    ranges = [index for index in stored.get("index_columns", []) if isinstance(index, dict)]
    return [(*schema.names, *(str(index.get("name")) for index in ranges))]


def _of_workbook(path: Path, sheet: str | None) -> list[tuple[str, ...]]:
    """Gives the first row of each sheet that may be meant, unless the workbook is large."""
    from python_calamine import CalamineWorkbook  # noqa: PLC0415 - for workbooks only

    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > _LARGEST_BOOK:
            return []
    found = []
    with CalamineWorkbook.from_path(path) as book:
        for name in book.sheet_names if sheet is None else [sheet]:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False, nrows=1)
            cells = rows[0] if rows else []
            found.append(tuple(_name(cell) for cell in cells))
    return [header for header in found if any(header)]


def _name(cell: object) -> str:
    """Writes a cell of the header as text; Excel holds whole numbers as floats."""
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
