"""Formats whose files are read through once before their tables are made."""

import logging
from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from admet.config.reading import TableReading
from admet.data.formats.encodings import encoding_of
from admet.data.formats.format import Format, refuse_sheet
from admet.data.table import Table

log = logging.getLogger(__name__)


class Survey(Protocol):
    """What a file as a whole says."""

    @property
    def n(self) -> int:
        """Its records."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What to tell the user about how it was recognised."""


S = TypeVar("S", bound=Survey)


class Surveyed(Format, Generic[S]):
    """A format whose columns are known only once a whole file was read through."""

    @abstractmethod
    def survey(self, path: Path, encoding: str, note: str) -> S:
        """Looks through a file.

        Args:
            path: The file.
            encoding: Its encoding.
            note: What to tell about the encoding; empty where there is nothing to tell.

        Raises:
            DataError: If it is empty or names a column twice.
        """

    @abstractmethod
    def tables(self, path: Path, survey: S, size: int) -> Iterator[Table]:
        """Reads a file, `size` records at a time."""

    def read(self, path: Path, reading: TableReading) -> Table:
        """Reads all records."""
        survey = self._look(path, reading)
        _tell(path, survey)
        return next(self.tables(path, survey, survey.n))

    def stream(self, path: Path, reading: TableReading, size: int) -> Iterator[Table]:
        """Reads part by part."""
        yield from self.tables(path, self._look(path, reading), size)

    def count(self, path: Path, reading: TableReading) -> int:
        """Counts while it looks through the file."""
        survey = self._look(path, reading)
        _tell(path, survey)
        return survey.n

    def _look(self, path: Path, reading: TableReading) -> S:
        refuse_sheet(path, reading)
        return self.survey(path, *encoding_of(path, reading.encoding))


def _tell(path: Path, survey: Survey) -> None:
    for note in survey.notes:
        log.info("%s: %s", path.name, note)
