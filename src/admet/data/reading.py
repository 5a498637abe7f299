"""Table files, whole or part by part; `formats` knows what each ending means."""

from collections.abc import Iterator
from pathlib import Path

from admet.config.reading import AS_FOUND, TableReading
from admet.data.formats import FORMATS, Format
from admet.data.table import Table
from admet.headers import check_file


def read_table(path: str | Path, reading: TableReading = AS_FOUND) -> Table:
    """Reads a table.

    Args:
        path: A file of a format that `FORMATS` knows by its ending.
        reading: How it is written, where the file does not say it with certainty. Text is UTF-8
            (with or without a byte-order mark), UTF-16 with one, or cp1252 where that is certain.
            Cells may be quoted and hold newlines.

    Returns:
        The table. A record with fewer or more cells than the header is among its `faults`.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: If it cannot be read, is empty, has no records, names a column twice, or could
            be read in more than one way.
    """
    return format_of(path).read(Path(path), reading)


def stream_table(path: str | Path, size: int, reading: TableReading = AS_FOUND) -> Iterator[Table]:
    """Reads a table part by part, in constant memory.

    Args:
        path: As for `read_table`.
        size: Records in one part.
        reading: As for `read_table`.

    Yields:
        The parts, in order; rows of a file without lines are counted through all of them.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: As `read_table`, once the fault is reached.
    """
    yield from format_of(path).stream(Path(path), reading, size)


def count_records(path: str | Path, reading: TableReading = AS_FOUND) -> int:
    """Counts the records of a table; a text is read through, so that its faults are found early.

    Args:
        path: As for `read_table`.
        reading: As for `read_table`.

    Returns:
        The number of records.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: As `read_table`.
    """
    return format_of(path).count(Path(path), reading)


def format_of(path: str | Path) -> Format:
    """Finds the format of a file by its ending.

    Raises:
        DataFileNotFoundError: If the file does not exist.
        DataError: If it is a folder, a pipe or a device, or its ending is not known.
    """
    path = check_file(path)
    for form in FORMATS:
        if path.name.lower().endswith(form.endings):
            return form
    raise AssertionError(path.name)  # `check_file` knows the same endings; a test holds it
