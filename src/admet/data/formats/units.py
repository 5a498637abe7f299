"""A row of units under the header."""

import re
from collections.abc import Sequence
from typing import Any

from admet.data.labels import MISSING
from admet.data.numbers import looks_like_number

_FIRST = 50
"""Records below a unit that are looked at: they must hold numbers."""
_PREFIX = "(?:[pnµμumkcd]|f|da)?"
_ATOM = (
    rf"(?:{_PREFIX}(?:mol|M|g|L|l|m|s|Pa|J|cal|V|Hz)|kDa|Da|min|h|hr|d|°C|K|Å|cells?|kg|bar|eq"
    r"|log(?:10)?|ln|fold|x|units?|1|10(?:\^?[-−]?\d+)?|10e-?\d+)"
)
_POWER = r"(?:\^?[-−]?\d|[²³⁻¹⁶⁴⁵⁷⁸⁹]+)?"
_PRODUCT = rf"{_ATOM}{_POWER}(?:\s*[/·*.\s⋅]\s*\(?{_ATOM}{_POWER}\)?){{0,5}}"
_UNIT = re.compile(
    rf"%(?:\s*\w{{1,12}})?|‰|ppm|ppb|p?(?:IC|EC|Ki|Kd)50|(?:{_PRODUCT})"
    rf"|(?:-?log(?:10)?|ln)\s*[(\[]?\s*(?:{_PRODUCT}|%)\s*[)\]]?",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[\[(]\s*(.*?)\s*[\])]")
_NO_UNIT = frozenset(
    {"", "-", "–", "—", "none", "unitless", "dimensionless", "unit", "units", "einheit",
     "einheiten", "text", "string", "smiles", "n/a", "na", "[-]", "1"}
)  # fmt: skip


def units_in(
    header: Sequence[str], records: Sequence[Sequence[Any]], said: str = "auto"
) -> dict[str, str] | None:
    """Reads the first record as units, where this is certain or the user says so.

    It is certain where each of its cells is a unit, a dash or empty, and where each column with a
    unit holds numbers below it.

    Args:
        header: Names of the columns.
        records: The first records below it.
        said: "auto", "present" or "absent".

    Returns:
        Units by column, without brackets; None where the first record holds no units.
    """
    present = said == "present"
    if said == "absent" or not records or (len(records) < 2 and not present):
        return None
    first = [cell.strip() if isinstance(cell, str) else cell for cell in records[0]]
    if present:
        first = [None if cell is None else str(cell) for cell in first]
    if not all(isinstance(cell, str) or cell is None for cell in first):
        return None
    cells = dict(zip(header, (_bare(cell or "") for cell in first), strict=False))
    units = {name: unit for name, unit in cells.items() if unit.casefold() not in _NO_UNIT}
    if present:
        return units
    certain = bool(units) and all(_UNIT.fullmatch(unit) for unit in units.values())
    places = [place for place, name in enumerate(header) if name in units]
    if certain and all(_numbers_below(records, place) for place in places):
        return units
    return None


def _bare(cell: str) -> str:
    """Takes off the brackets around a unit."""
    inside = _BRACKETS.fullmatch(cell)
    return inside[1] if inside else cell


def _numbers_below(records: Sequence[Sequence[Any]], place: int) -> bool:
    """Tells whether a column holds numbers, and nothing else, below the first record."""
    column = [record[place] for record in records[1 : _FIRST + 1] if place < len(record)]
    filled = [
        cell
        for cell in column
        if cell is not None and not (isinstance(cell, str) and cell.strip().casefold() in MISSING)
    ]
    return bool(filled) and all(
        looks_like_number(cell) if isinstance(cell, str) else isinstance(cell, int | float)
        for cell in filled
    )
