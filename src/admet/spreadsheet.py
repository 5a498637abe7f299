"""Text that a spreadsheet would take for a formula.

A cell that begins with =, +, - or @ is run by spreadsheet programs, and can call other programs or
send data away (CSV injection; OWASP). An apostrophe before it makes it text. Numbers stay as they
are.
"""

import json
import re
from typing import Any

import numpy as np
import pandas as pd

from admet.files import free_name

# Some programs also run it behind blanks of any kind, or with full-width signs.
_BEGINS = re.compile(r"^[\s\x00\ufeff]*[=+\-@＝＋－＠]")
# As laboratories write them: 1.5, 1,5, 1'234.5, -5 %.
_NUMBER = re.compile(
    r"\s*[+-]?(?:(?:\d[\d.,' \u00a0\u2009\u202f\u2019]*|[.,]\d+)(?:e[+-]?\d+)?\s*%?|inf|nan)\s*",
    re.IGNORECASE,
)


def harmless(frame: pd.DataFrame) -> pd.DataFrame:
    """Gives a frame whose text, headers and index a spreadsheet does not run.

    Args:
        frame: The frame; it is not changed.

    Returns:
        A copy; columns that need no change are shared with the frame. Lists in cells become JSON.
    """
    found = frame.copy(deep=False)
    for place in range(found.shape[1]):
        column = found.iloc[:, place]
        if _holds_no_text(column.dtype):
            continue
        values = [_text(value) for value in column.tolist()]
        if any(a is not b for a, b in zip(values, column.tolist(), strict=True)):
            found.isetitem(place, pd.array(values, dtype=object))
    names: list[Any] = []
    for name in found.columns:
        made = _text(name)
        names.append(made if made is name else free_name(made, {*names, *found.columns}))
    found.columns = pd.Index(names, name=found.columns.name)
    if not _holds_no_text(found.index.dtype):
        found.index = pd.Index([_text(name) for name in found.index], name=found.index.name)
    return found


def _holds_no_text(dtype: Any) -> bool:
    types = pd.api.types
    return bool(types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype))


def whole(value: Any) -> Any:
    """Gives a list in a cell as JSON, where pandas would write dots; anything else as it is."""
    if isinstance(value, list | np.ndarray):
        return json.dumps(value if isinstance(value, list) else value.tolist(), default=str)
    return value


def _text(value: Any) -> Any:
    value = whole(value)
    if not isinstance(value, str) or not _BEGINS.match(value) or _NUMBER.fullmatch(value):
        return value
    return f"'{value}"
