"""Parquet: columns keep their types."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pandas as pd

from admet.errors import DataError
from admet.table_files.writer import Origin, TableWriter

if TYPE_CHECKING:
    import pyarrow as pa


class Parquet(TableWriter):
    """One file, with one row group per part; the first part decides the types.

    A column from a Parquet file keeps its type; any other column that holds objects is text.
    """

    endings: ClassVar[tuple[str, ...]] = (".parquet",)
    typed: ClassVar[bool] = True

    def __init__(self, path: Path, origin: Origin) -> None:
        """Stores where to write; the file is opened with the first part."""
        super().__init__(path, origin)
        came_from = origin.path
        known = came_from is not None and came_from.suffix.lower() in {".parquet", ".pq"}
        self._like = came_from if known else None
        self._writer: Any = None
        self._schema: pa.Schema | None = None

    def _append(self, part: pd.DataFrame) -> None:
        """Appends rows."""
        import pyarrow as pa  # noqa: PLC0415 - a fifth of a second, for Parquet only
        import pyarrow.parquet as pq  # noqa: PLC0415

        if self._schema is None:
            self._schema = self._types(part)
            self._writer = pq.ParquetWriter(self.path, self._schema)
        columns = [_array(part.iloc[:, place], field) for place, field in enumerate(self._schema)]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        """Writes the footer."""
        if self._writer is not None:
            self._writer.close()

    def _types(self, part: pd.DataFrame) -> "pa.Schema":
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        known = {} if self._like is None else {f.name: f for f in pq.read_schema(self._like)}
        fields = []
        for place, name in enumerate(map(str, part.columns)):
            column = part.iloc[:, place]
            if name in known:
                fields.append(pa.field(name, known[name].type))
            elif column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
                fields.append(pa.field(name, pa.string()))
            else:
                fields.append(pa.field(name, pa.Array.from_pandas(column).type))
        return pa.schema(fields)


def _array(column: pd.Series, field: "pa.Field") -> "pa.Array":
    """Makes an array of the type of its column.

    Raises:
        DataError: If a cell is of another type.
    """
    import pyarrow as pa  # noqa: PLC0415

    if field.type == pa.string():
        cells = [cell if isinstance(cell, str) else _text(cell) for cell in column]
        return pa.array(cells, type=field.type)
    try:
        return pa.Array.from_pandas(column, type=field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        raise DataError(
            f"Column {field.name!r} cannot be written to Parquet as {field.type}: {error}. Write a "
            ".csv file."
        ) from None


def _text(cell: Any) -> str | None:
    missing = pd.api.types.is_scalar(cell) and pd.isna(cell)
    return None if missing else str(cell)
