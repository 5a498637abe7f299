"""What every table format can do."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from admet.data.table import Table


class Format(ABC):
    """A way to write a table into a file.

    Attributes:
        endings: What the names of such files end in, in lower case.
    """

    endings: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path) -> Table:
        """Reads a file that exists.

        Raises:
            DataError: If it cannot be read, is empty, has no records, or names a column twice.
        """

    @abstractmethod
    def stream(self, path: Path, size: int) -> Iterator[Table]:
        """Reads a file part by part, `size` records at a time, in constant memory.

        Raises:
            DataError: As `read`, once the fault is reached.
        """

    @abstractmethod
    def count(self, path: Path) -> int:
        """Counts the records of a file.

        Raises:
            DataError: As `read`, as far as counting meets the fault.
        """
