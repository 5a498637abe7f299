"""One label column while it is read, and notes on cells that were not read as they stand."""

from dataclasses import dataclass, field, replace

import numpy as np

from admet.data.table import Table


@dataclass(frozen=True)
class Note:
    """A cell that was read otherwise than as the number in it.

    Attributes:
        line: Line or row of the table, as `Rejection` counts it.
        task: The column.
        cell: What the cell held.
        read_as: What was made of it; empty for no label.
        reason: Why.
    """

    line: int
    task: str
    cell: str
    read_as: str
    reason: str


@dataclass(frozen=True)
class Column:
    """The labels of one column.

    Attributes:
        name: Its name.
        values: Shape (n,), float64, NaN where there is no label.
        limits: Shape (n,), int8, as in `Labels`.
        notes: The cells that were read otherwise than they stand.
        messages: What to tell the user.
    """

    name: str
    values: np.ndarray
    limits: np.ndarray
    notes: tuple[Note, ...] = field(default=())
    messages: tuple[str, ...] = field(default=())

    def saying(self, message: str, *notes: Note) -> "Column":
        """Gives the column with one message more, and with notes."""
        return replace(
            self, messages=(*self.messages, f"{self.name}: {message}"), notes=(*self.notes, *notes)
        )

    def note(self, table: Table, row: int, read_as: str, reason: str) -> Note:
        """Makes a note of the cell in a row of the column's table."""
        cell = str(table.frame[self.name].iloc[row])[:_LONGEST]
        return Note(int(table.lines[row]), self.name, cell, read_as, reason)


_LONGEST = 200  # characters of a cell in a note
_SHOWN = 5


def places(table: Table, rows: list[int], name: str) -> str:
    """Names the lines of some rows, with the cells of a column there."""
    cells = table.frame[name]
    named = ", ".join(
        f"{table.unit} {table.lines[row]} ({str(cells.iloc[row])[:30]!r})" for row in rows[:_SHOWN]
    )
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return named + more
