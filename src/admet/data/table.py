"""Tables on disk: CSV, CSV.gz, TSV and Parquet, read with the line of every record."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from admet.data.text import TextTable, check_header, open_text
from admet.errors import DataError, DataFileNotFoundError, near_names

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_FORMATS = ".csv, .csv.gz, .tsv, .tsv.gz, .tab, .txt, .parquet"


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
    delimiter = _delimiter(path)
    if delimiter is None:
        return _read_parquet(path)
    with open_text(path, delimiter) as text:
        table = _next_table(text, iter(text), None)
    if table is None:
        raise DataError(f"Data file {text.source} has a header but no records. Add them below it.")
    if len(table.faults) == len(table.lines):
        raise DataError(
            f"No record of {text.source} has as many cells as its header ({len(text.header)}); "
            f"line {table.lines[0]} {table.faults[0]}. Check the separator and the quotes."
        )
    return table


def stream_table(path: str | Path, size: int) -> Iterator[Table]:
    """Reads a table part by part, in constant memory.

    Args:
        path: As for `read_table`.
        size: Records in one part.

    Yields:
        The parts, in order; the rows of a Parquet file are counted through all of them.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: As `read_table`, once the fault is reached.
    """
    path = Path(path)
    delimiter = _delimiter(path)
    if delimiter is None:
        yield from _stream_parquet(path, size)
        return
    with open_text(path, delimiter) as text:
        records = iter(text)
        while (table := _next_table(text, records, size)) is not None:
            yield table


def count_records(path: str | Path) -> int:
    """Counts the records of a table; a text is read for it, so that its faults are met early.

    Args:
        path: As for `read_table`.

    Returns:
        The number of records.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: As `read_table`.
    """
    path = Path(path)
    delimiter = _delimiter(path)
    if delimiter is None:
        with _open_parquet(path) as file:
            return int(file.metadata.num_rows)
    with open_text(path, delimiter) as text:
        count = faulty = 0
        for _, _, fault in text:
            count += 1
            faulty += bool(fault)
        source = text.source
    if not count or count == faulty:
        read_table(path)  # says what is wrong
        raise DataError(f"{source} has no record that can be used.")
    return count


def _delimiter(path: Path) -> str | None:
    """Tells what separates the cells of a file by its ending; None means Parquet."""
    if not path.exists():
        beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = near_names(path.name, beside) if beside else f"No folder {str(path.parent)!r}."
        raise DataFileNotFoundError(
            f"Data file {str(path)!r} does not exist. {hint} Name yours with --data-path."
        )
    if path.is_dir():
        raise DataError(f"{str(path)!r} is a folder, not a table. Name a file: {_FORMATS}.")
    if not path.is_file():  # it would be read twice, and perhaps never end
        raise DataError(f"{str(path)!r} is a pipe or a device. Write the table to a file first.")
    name = path.name.lower()
    if name.endswith((".parquet", ".pq")):
        return None
    stem = name.removesuffix(".gz")
    if stem.endswith((".tsv", ".tab")):
        return "\t"
    if stem.endswith((".csv", ".txt")):
        return ","
    raise DataError(f"{str(path)!r} has an unknown format. Known endings: {_FORMATS}.")


def table_from_frame(frame: pd.DataFrame, source: str = "the DataFrame") -> Table:
    """Wraps a frame, whose rows are then counted from 1.

    Raises:
        DataError: If it is no frame, is empty or names a column twice.
    """
    if not isinstance(frame, pd.DataFrame):
        raise DataError(
            f"{source} must be a pandas DataFrame; got {type(frame).__name__}. Read a file with "
            "pandas first."
        )
    renamed = frame.copy(deep=False)
    renamed.columns = [str(name) for name in frame.columns]
    check_header(list(renamed.columns), source)
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


def _read_parquet(path: Path) -> Table:
    with _open_parquet(path):
        pass  # it can be opened and has rows
    try:
        frame = pd.read_parquet(path)
    except Exception as error:  # as above
        raise _unreadable(path, error) from None
    return table_from_frame(_with_index(frame), repr(str(path)))


def _stream_parquet(path: Path, size: int) -> Iterator[Table]:
    source, done, whole = repr(str(path)), 0, _whole_types()
    with _open_parquet(path) as file:
        try:
            for batch in file.iter_batches(batch_size=size):
                frame = _with_index(batch.to_pandas(types_mapper=whole.get))
                frame.columns = [str(name) for name in frame.columns]
                check_header(list(frame.columns), source)
                lines = np.arange(done + 1, done + len(frame) + 1)
                done += len(frame)
                yield Table(source, frame, lines, unit="row")
        except (OSError, ValueError) as error:  # pyarrow's errors are both
            if isinstance(error, DataError):
                raise
            raise _unreadable(path, error) from None


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Makes columns of an index that pandas has stored, but for mere row numbers."""
    numbers = frame.index.nlevels == 1 and frame.index.name is None
    return frame.reset_index(drop=numbers)


@contextmanager
def _open_parquet(path: Path) -> Iterator["pq.ParquetFile"]:
    """Opens a Parquet file that has rows."""
    import pyarrow.parquet as pq  # noqa: PLC0415 - a fifth of a second, for Parquet only

    if path.stat().st_size == 0:
        raise DataError(f"Data file {str(path)!r} is empty. Write a table to it.")
    try:
        file = pq.ParquetFile(path)
    except Exception as error:  # pyarrow raises a family of its own; all mean "not readable"
        raise _unreadable(path, error) from None
    with file:
        if not file.metadata.num_rows:
            raise DataError(f"{str(path)!r} has columns but no rows. Add records below the header.")
        yield file


def _whole_types() -> dict[Any, Any]:
    """Maps Arrow's whole numbers to pandas' that stay whole in a part with an empty cell."""
    import pyarrow as pa  # noqa: PLC0415 - for Parquet only

    signed = {f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)}
    unsigned = {f"uint{bits}": f"UInt{bits}" for bits in (8, 16, 32, 64)}
    whole = {getattr(pa, a)(): pd.api.types.pandas_dtype(b) for a, b in (signed | unsigned).items()}
    return whole | {pa.bool_(): pd.BooleanDtype()}


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{str(path)!r} is not a readable Parquet file: {error}")
