"""Dates as they are written in the United States, in Germany, and by ISO 8601."""

import datetime
import re
from dataclasses import dataclass
from typing import Literal

import pandas as pd

DateOrder = Literal["auto", "day_first", "month_first", "year_first"]

_ORDERS = {"day_first": "dmy", "month_first": "mdy", "year_first": "ymd"}
_TIME = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp]\.?[Mm]\.?)?)?"
_NUMBERS = re.compile(rf"(\d{{1,4}})([./-])\s?(\d{{1,2}})\2\s?(\d{{1,4}}){_TIME}")
_DAY_NAME = re.compile(rf"(\d{{1,2}})\.?[-/ ]*([^\W\d_]+)\.?[-/, ]*(\d{{4}}|\d{{2}}){_TIME}")
_NAME_DAY = re.compile(rf"([^\W\d_]+)\.?[-/ ]*(\d{{1,2}})(?:st|nd|rd|th)?,?[-/ ]+(\d{{4}}){_TIME}")
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("january januar", "february februar", "march märz maerz mar mrz", "april", "may mai",
         "june juni", "july juli", "august", "september sept", "october oktober", "november",
         "december dezember"), start=1)
    for whole in names.split()
    for name in (whole, whole[:3])
}  # fmt: skip
_PIVOT = 70
"""Two-digit years from here on are in the last century, those below in this one.

Excel puts the border at 30, or later."""


@dataclass(frozen=True)
class Dates:
    """The dates of a column.

    Attributes:
        times: Shape (n,); None where not all cells are dates of one writing.
        note: How they are written, unless it is ISO 8601.
        question: What has to be asked, since it is not certain.
    """

    times: pd.Series | None
    note: str = ""
    question: str = ""


def read_dates(cells: pd.Series, order: DateOrder = "auto") -> Dates:
    """Reads a column of dates; the whole column decides how they are written.

    ISO 8601 and dates of a spreadsheet are taken as they are. In `15.03.2018` the day is first. For
    `15/03/2018` and `03/15/2018` the order is taken that alone gives valid dates in all cells. If
    several do, the order has to be asked about. Names of months are English or German.

    Args:
        cells: n cells, none of them empty.
        order: What comes first, where the user says it.

    Returns:
        The dates, or what has to be asked.
    """
    iso = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True)
    if iso.notna().all():
        return Dates(iso)
    texts = [cell.strip() if isinstance(cell, str) else "" for cell in cells]
    named = [_with_month(text) for text in texts]
    if all(named):
        return Dates(_series(named), "with names of months")
    parts = [_NUMBERS.fullmatch(text) for text in texts]
    if not all(parts):
        return Dates(None)
    found = {
        name: times
        for name, letters in _ORDERS.items()
        if all(times := [_date(match, letters) for match in parts if match])
    }
    if order != "auto":
        found = {name: times for name, times in found.items() if name == order}
    elif len(found) > 1 and all(match and match[2] == "." for match in parts):
        found = {name: times for name, times in found.items() if name == "day_first"} or found
    if not found:
        return Dates(None)
    if len(found) > 1:
        return Dates(None, question=" and ".join(found))
    ((name, times),) = found.items()
    return Dates(_series(times), name.replace("_", " "))


def is_date(cell: object, order: DateOrder = "auto") -> bool:
    """Tells whether one cell is a date, in an order or, with `auto`, in any."""
    if isinstance(cell, str) and (match := _NUMBERS.fullmatch(cell.strip())):
        asked = _ORDERS if order == "auto" else {order: _ORDERS[order]}
        return any(_date(match, letters) is not None for letters in asked.values())
    if isinstance(cell, str) and _with_month(cell.strip()) is not None:
        return True
    return bool(
        pd.notna(pd.to_datetime(pd.Series([cell]), errors="coerce", format="ISO8601", utc=True)[0])
    )


def _series(times: list[datetime.datetime | None]) -> pd.Series:
    return pd.Series(pd.to_datetime(pd.Series(times), utc=True))


def _with_month(text: str) -> datetime.datetime | None:
    """Reads a date whose month has a name."""
    if match := _DAY_NAME.fullmatch(text):
        day, name, year = match[1], match[2], match[3]
    elif match := _NAME_DAY.fullmatch(text):
        name, day, year = match[1], match[2], match[3]
    else:
        return None
    month = _MONTHS.get(name.casefold())
    return None if month is None else _made(_year(year), month, int(day), match.groups()[3:])


def _date(match: re.Match[str], letters: str) -> datetime.datetime | None:
    """Reads the numbers of a date in an order; None where that gives no date."""
    by = dict(zip(letters, (match[1], match[3], match[4]), strict=True))
    if len(by["d"]) > 2 or len(by["m"]) > 2 or len(by["y"]) not in (2, 4):
        return None
    return _made(_year(by["y"]), int(by["m"]), int(by["d"]), match.groups()[4:])


def _year(digits: str) -> int:
    year = int(digits)
    if len(digits) > 2:
        return year
    return year + (1900 if year >= _PIVOT else 2000)


def _made(
    year: int, month: int, day: int, time: tuple[str | None, ...]
) -> datetime.datetime | None:
    hour, minute, second = (int(part or 0) for part in time[:3])
    half = (time[3] or "").replace(".", "").casefold()
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    try:
        return datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
