"""Text formats: CSV, TSV, JSON."""

import gzip
import io
import json
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from admet.files import free_name
from admet.spreadsheet import harmless
from admet.table_files.writer import Origin, TableWriter


class Delimited(TableWriter):
    """Delimited text in UTF-8; a spreadsheet does not run its cells.

    Attributes:
        delimiter: What separates the cells.
    """

    delimiter: ClassVar[str]

    def __init__(self, path: Path, origin: Origin) -> None:
        """Opens the file; one whose name ends in .gz is packed."""
        super().__init__(path, origin)
        self._begun = False
        self._raw: Any = path.open("wb")
        if path.name.lower().endswith(".gz"):
            # Without a name and a time in it, equal tables are equal files.
            self._packed: Any = gzip.GzipFile(filename="", fileobj=self._raw, mode="wb", mtime=0)
        else:
            self._packed = self._raw
        self._file = io.TextIOWrapper(self._packed, encoding="utf-8", newline="")

    def _append(self, part: pd.DataFrame) -> None:
        """Appends rows; the header goes before the first."""
        harmless(part).to_csv(
            self._file,
            sep=self.delimiter,
            index=False,
            header=not self._begun,
            lineterminator="\n",
        )
        self._begun = True

    def close(self) -> None:
        """Writes what is left."""
        self._file.close()
        self._raw.close()


class CommaSeparated(Delimited):
    """Cells separated by commas."""

    endings: ClassVar[tuple[str, ...]] = (".csv", ".csv.gz")
    delimiter: ClassVar[str] = ","


class TabSeparated(Delimited):
    """Cells separated by tabs."""

    endings: ClassVar[tuple[str, ...]] = (".tsv", ".tsv.gz")
    delimiter: ClassVar[str] = "\t"


class Json(TableWriter):
    """A JSON list with one object per row, each on its own line; what is absent is null."""

    endings: ClassVar[tuple[str, ...]] = (".json",)
    typed: ClassVar[bool] = True

    def __init__(self, path: Path, origin: Origin) -> None:
        """Opens the file."""
        super().__init__(path, origin)
        self._file = path.open("w", encoding="utf-8")
        self._file.write("[")
        self._begun = False

    def _append(self, part: pd.DataFrame) -> None:
        """Appends rows."""
        names: dict[str, None] = {}  # an object cannot hold two of one name
        for name in part.columns:
            names[free_name(str(name), names)] = None
        columns = [part.iloc[:, place].tolist() for place in range(part.shape[1])]
        for row in zip(*columns, strict=True):
            content = dict(zip(names, map(_plain, row), strict=True))
            text = json.dumps(content, ensure_ascii=False, allow_nan=False)
            self._file.write(f"{',' * self._begun}\n{text}")
            self._begun = True

    def close(self) -> None:
        """Ends the list."""
        self._file.write("\n]\n")
        self._file.close()


def _plain(value: Any) -> Any:
    """Gives a cell as JSON has it: a number that is not finite is absent, a date is text."""
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value if isinstance(value, str | int) else str(value)
