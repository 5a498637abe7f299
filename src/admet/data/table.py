"""A table as it was read, with the line of every record, before anything is interpreted."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from admet.errors import DataError, near_names


@dataclass(frozen=True)
class Rejection:
    """A record that is left out, and why.

    Attributes:
        line: Line in the file where the record begins (1-based, the header being line 1), or its
            number (1-based) for a source without lines. See `Table.unit`.
        smiles: What its SMILES cell held.
        reason: Why it is left out.
        id: Its identifier; empty where the table has none.
    """

    line: int
    smiles: str
    reason: str
    id: str = ""


@dataclass(frozen=True)
class Table:
    """A table as it was read, before anything is interpreted.

    Attributes:
        source: Name for messages.
        frame: One row a record. Text formats hold strings only, shape (n, n_columns).
        lines: Where each record begins, shape (n,), dtype int64.
        unit: What `lines` counts: "line" of a text file, "row" of a sheet or a frame, "record" of
            an SD file.
        faults: Row → what is wrong with that record as a whole: its number of cells, which were
            then padded or cut, or its structure.
        units: Column → unit, as far as the table says them.
        blocks: Structures of an SD file, as they stand there, n of them; None for other files.
    """

    source: str
    frame: pd.DataFrame
    lines: np.ndarray
    unit: str = "line"
    faults: dict[int, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    blocks: tuple[str, ...] | None = None

    def sound(self) -> "Table":
        """Gives the table without the records that have a fault."""
        if not self.faults:
            return self
        keep = np.ones(len(self.frame), dtype=bool)
        keep[list(self.faults)] = False
        frame = self.frame.loc[keep].reset_index(drop=True)
        return Table(self.source, frame, self.lines[keep], self.unit, units=self.units)


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


def check_header(header: list[str], source: str) -> None:
    """Checks that no column stands twice.

    Raises:
        DataError: Names those that do.
    """
    counts = Counter(name for name in header if name)
    twice = [name for name, count in counts.items() if count > 1]
    if twice:
        named = ", ".join(repr(name) for name in twice[:5])
        raise DataError(f"{source} has more than one column named {named}. Rename all but one.")
