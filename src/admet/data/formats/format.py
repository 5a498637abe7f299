"""What every table format can do."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from admet.config.reading import TableReading
from admet.data.table import Table
from admet.errors import ConfigError


class Format(ABC):
    """A way to write a table into a file.

    `read` and `count` log what a format has recognised rather than known.

    Attributes:
        endings: Endings of the names of such files, in lower case.
    """

    endings: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path, reading: TableReading) -> Table:
        """Reads a file that exists.

        Raises:
            DataError: If it cannot be read, is empty, has no records, names a column twice, or
                could be read in more than one way.
        """

    @abstractmethod
    def stream(self, path: Path, reading: TableReading, size: int) -> Iterator[Table]:
        """Reads a file part by part, `size` records at a time, in constant memory.

        Raises:
            DataError: As `read`, once the fault is reached.
        """

    @abstractmethod
    def count(self, path: Path, reading: TableReading) -> int:
        """Counts the records of a file.

        Raises:
            DataError: As `read`, as far as counting meets the fault.
        """


def refuse_sheet(path: Path, reading: TableReading) -> None:
    """Refuses the name of a sheet for a file that has none.

    Raises:
        ConfigError: Names the key.
    """
    if reading.sheet is not None:
        raise ConfigError(
            f"`sheet` names {reading.sheet!r}, but {str(path)!r} is no workbook. Remove it."
        )
