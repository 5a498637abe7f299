"""Quotes of a delimited text: where one opens, and whether it has swallowed whole records."""

import csv
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

_QUOTED = re.compile(r'"[^"]*(?:""[^"]*)*"')
_LINE_END = "\r\n"


def opens_at(lines: Sequence[str], delimiter: str) -> int:
    """Finds the line that opens the quote which does not close, or closes inside a cell.

    Args:
        lines: The lines of a record, with their ends.
        delimiter: What separates the cells.

    Returns:
        The index of that line. Where all quotes close well, that of the first line whose quote
        closes on a later one.
    """
    text = "".join(lines)
    spanning = 0
    for start, end in _quoted_cells(text, delimiter):
        if end is None:
            return _line_of(lines, start)
        if not spanning and any(mark in text[start:end] for mark in _LINE_END):
            spanning = _line_of(lines, start)
    return spanning


def _quoted_cells(text: str, delimiter: str) -> Iterator[tuple[int, int | None]]:
    """Gives where quoted cells begin and end; the last has no end where its quote is at fault."""
    cell_end = re.compile(f"[{re.escape(delimiter)}{_LINE_END}]")
    place = 0
    while place < len(text):
        end = place
        if text[place] == '"':
            closed = _QUOTED.match(text, place)
            if closed is None:
                yield place, None
                return
            end = closed.end()
            if end < len(text) and not cell_end.match(text, end):
                yield place, None
                return
            yield place, end
        found = cell_end.search(text, end)
        place = len(text) if found is None else found.end()


def _line_of(lines: Sequence[str], place: int) -> int:
    for index, line in enumerate(lines):
        place -= len(line)
        if place < 0:
            return index
    return len(lines) - 1


def whole_records(
    lines: Sequence[str], width: int, n_cells: int, delimiter: str, *, prose: bool
) -> int:
    """Counts the lines of one record that look like whole records themselves.

    A note of several lines is a legitimate cell. It becomes suspect where the first and the last
    line, and half of those between, each have as many cells as the header. It is also suspect where
    the record has another number of cells than the header, but half of its lines have that number.

    Args:
        lines: The lines of the record, two or more.
        width: Cells of the header.
        n_cells: Cells of the record.
        delimiter: What separates them.
        prose: Whether a delimiter before a blank belongs to a sentence.

    Returns:
        Their number, or 0 where the record is not suspect.
    """
    filled = [line for line in lines if line.strip()]
    whole = [_cells_alone(line, delimiter, prose) == width for line in filled]
    if sum(whole) < 2:
        return 0
    if n_cells == width:
        inner = whole[1:-1]
        suspect = whole[0] and whole[-1] and 2 * sum(inner) >= len(inner)
    else:
        suspect = 2 * sum(whole) >= len(whole)
    return sum(whole) if suspect else 0


def _cells_alone(line: str, delimiter: str, prose: bool) -> int:
    """Counts the cells of a line on its own; quotes that do not pair are letters."""
    line = line.rstrip(_LINE_END)
    cells = line.split(delimiter)
    if '"' in line and line.count('"') % 2 == 0:
        with suppress(csv.Error):
            cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    glued = sum(cell[:1] == " " for cell in cells[1:]) if prose else 0
    return len(cells) - glued
