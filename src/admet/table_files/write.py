"""Writes tables, each in the format that the ending of its name says."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd

from admet.errors import ConfigError
from admet.files import atomic, check_output
from admet.table_files.excel import Excel
from admet.table_files.parquet import Parquet
from admet.table_files.sd import StructureData
from admet.table_files.text import CommaSeparated, Json, TabSeparated
from admet.table_files.writer import Origin, TableWriter

TABLES: tuple[type[TableWriter], ...] = (CommaSeparated, TabSeparated, Parquet, Excel, Json)
"""Every format, in the order in which a message lists them; the ending of a name decides."""
_EVERY: tuple[type[TableWriter], ...] = (*TABLES, StructureData)
_ROWS = Origin()


def check_table(path: Path, key: str, *, structures: bool = False) -> None:
    """Checks that a table can be written, before the work whose result it is to hold.

    Args:
        path: The file.
        key: The key that named it, for the message.
        structures: Whether it may be an SD file.

    Raises:
        ConfigError: As `check_output`, or if the ending of its name is not known.
    """
    check_output(path, key)
    known = _EVERY if structures else TABLES
    if writer_of(path) not in known:
        endings = ", ".join(ending for form in known for ending in form.endings)
        raise ConfigError(f"`{key}` must end in {endings}; got {str(path)!r}. Rename it.")


def check_rows(path: Path, key: str, n_rows: int) -> None:
    """Checks that a format takes so many rows, before they are made.

    Args:
        path: The file; its ending is known.
        key: The key that named it, for the message.
        n_rows: Rows without the header.

    Raises:
        ConfigError: If it does not.
    """
    form = writer_of(path)
    most = None if form is None else form.most_rows
    if most is not None and n_rows + 1 > most:
        raise ConfigError(
            f"`{key}` {str(path)!r} takes {most:,} rows with the header; the table has "
            f"{n_rows + 1:,}. Name a file that ends in .csv or .parquet."
        )


def writer_of(path: Path) -> type[TableWriter] | None:
    """Finds the writer of a file by the ending of its name; None where that is not known."""
    name = path.name.lower()
    return next((form for form in _EVERY if name.endswith(form.endings)), None)


@contextmanager
def open_table(path: Path, origin: Origin = _ROWS) -> Iterator[TableWriter]:
    """Opens a table to write, which takes its name once the context ends well.

    Args:
        path: The file; its ending is known.
        origin: Where its rows come from.

    Yields:
        The writer, which takes the table part by part.

    Raises:
        OutputError: If the disk is full or the folder is read-only.
    """
    form = writer_of(path)
    assert form is not None  # noqa: S101 - `check_table` has seen it
    with atomic(path) as partial:
        writer = form(partial, origin)
        try:
            yield writer
        except BaseException:
            with suppress(Exception):  # what went wrong first is what counts
                writer.close()
            raise
        writer.close()


def write_table(path: Path, frame: pd.DataFrame) -> None:
    """Writes a table at once; its index is left out.

    Args:
        path: The file; its ending is known.
        frame: The table.

    Raises:
        OutputError: As `open_table`.
    """
    with open_table(path) as writer:
        writer.write(frame)
