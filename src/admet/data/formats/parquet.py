"""Parquet files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from admet.config.reading import TableReading
from admet.data.formats.format import Format, refuse_sheet
from admet.data.table import Table, check_header, table_from_frame
from admet.errors import DataError

if TYPE_CHECKING:
    import pyarrow.parquet as pq


class Parquet(Format):
    """Columns with types; rows are counted from 1."""

    endings: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    def read(self, path: Path, reading: TableReading) -> Table:
        """Reads all rows."""
        refuse_sheet(path, reading)
        with _open(path):
            pass  # it can be opened and has rows
        try:
            frame = pd.read_parquet(path)
        except Exception as error:  # as in `_open`
            raise _unreadable(path, error) from None
        return table_from_frame(_with_index(frame), repr(str(path)))

    def stream(self, path: Path, reading: TableReading, size: int) -> Iterator[Table]:
        """Reads part by part; whole numbers stay whole where a part has an empty cell."""
        refuse_sheet(path, reading)
        source, done, whole = repr(str(path)), 0, _whole_types()
        with _open(path) as file:
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

    def count(self, path: Path, reading: TableReading) -> int:
        """Takes the number from the file's own record of it."""
        refuse_sheet(path, reading)
        with _open(path) as file:
            return int(file.metadata.num_rows)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Makes columns of an index that pandas has stored, unless it is mere row numbers."""
    numbers = frame.index.nlevels == 1 and frame.index.name is None
    return frame.reset_index(drop=numbers)


@contextmanager
def _open(path: Path) -> Iterator["pq.ParquetFile"]:
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
    """Maps Arrow's whole numbers to pandas types that stay whole beside an empty cell."""
    import pyarrow as pa  # noqa: PLC0415 - for Parquet only

    signed = {f"int{bits}": f"Int{bits}" for bits in (8, 16, 32, 64)}
    unsigned = {f"uint{bits}": f"UInt{bits}" for bits in (8, 16, 32, 64)}
    whole = {getattr(pa, a)(): pd.api.types.pandas_dtype(b) for a, b in (signed | unsigned).items()}
    return whole | {pa.bool_(): pd.BooleanDtype()}


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(f"{str(path)!r} is not a readable Parquet file: {error}")
