"""What every format of a written table can do."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd


@dataclass(frozen=True)
class Origin:
    """Where the rows of a table came from.

    Attributes:
        path: The file that they were read from; its columns keep their types in Parquet.
        smiles_column: The column that an SD file draws.
    """

    path: Path | None = None
    smiles_column: str = "SMILES"


class TableWriter(ABC):
    """A file that takes a table part by part, in constant memory; the parts have equal columns.

    Attributes:
        endings: Endings of the names of such files, in lower case.
        typed: Whether numbers stay numbers; otherwise they become text, with the digits that they
            have.
        most_rows: Rows that it takes, the header included; None is no limit.
    """

    endings: ClassVar[tuple[str, ...]]
    typed: ClassVar[bool] = False
    most_rows: ClassVar[int | None] = None

    def __init__(self, path: Path, origin: Origin) -> None:
        """Begins a file.

        Args:
            path: The file.
            origin: Where the rows come from.
        """
        self.path = path
        self.origin = origin

    def write(self, part: pd.DataFrame, blocks: Sequence[str] | None = None) -> None:
        """Appends rows.

        Args:
            part: The rows.
            blocks: Their structures as an SD file writes them, where they came from one.

        Raises:
            DataError: If the format cannot hold a cell.
        """
        del blocks  # a format without structures leaves them out
        self._append(part)

    @abstractmethod
    def _append(self, part: pd.DataFrame) -> None:
        """Appends rows; as `write`."""

    @abstractmethod
    def close(self) -> None:
        """Writes what is left; the file is complete afterwards."""
