"""Text that a spreadsheet would take for a formula.

A cell that begins with =, +, - or @ is run by spreadsheet programs, and can call other programs or
send data away (CSV injection; OWASP). An apostrophe before it makes it text. Numbers stay as they
are.
"""

import re
from typing import Any

import pandas as pd

_BEGINS = re.compile(r"^[\t\r\n ]*[=+\-@]")
_NUMBER = re.compile(r"\s*[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?%?|inf|nan)\s*", re.I)


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives a frame whose text, headers and index a spreadsheet does not run.

    Args:
        frame: The frame; it is not changed.

    Returns:
        A copy; columns that need no change are shared with the frame.
    """
    found = frame.copy(deep=False)
    for place in range(found.shape[1]):
        column = found.iloc[:, place]
        if column.dtype != object and not isinstance(column.dtype, pd.StringDtype):
            continue
        values = [_text(value) for value in column.tolist()]
        if any(a is not b for a, b in zip(values, column.tolist(), strict=True)):
            found.isetitem(place, pd.array(values, dtype=object))
    found.columns = pd.Index([_text(name) for name in found.columns], name=found.columns.name)
    if found.index.dtype == object or isinstance(found.index.dtype, pd.StringDtype):
        found.index = pd.Index([_text(name) for name in found.index], name=found.index.name)
    return found


def _text(value: Any) -> Any:
    if not isinstance(value, str) or not _BEGINS.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"
