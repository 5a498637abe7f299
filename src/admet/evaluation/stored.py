"""Checks of what a stored JSON file holds: each names the place, the rule and the value."""

import re
import reprlib
import sys
from typing import Any

import numpy as np

from admet.errors import DataError

_LONGEST_PLACE = 100  # characters; a stranger's key may have any length
_SURROGATE = re.compile("[\ud800-\udfff]")


def must_be(rule: str, value: Any, place: str) -> DataError:
    """Gives the error of a value that breaks a rule.

    Args:
        rule: What goes on after "must be".
        value: What stands there.
        place: Keys from the top of the file, with dots between them; empty is the whole of it.
    """
    where = f"`{place[:_LONGEST_PLACE]}`" if place else "it"
    return DataError(f"{where} must be {rule}; got {reprlib.repr(value)}.")


def member(content: Any, key: str, place: str = "") -> Any:
    """Gives one member of an object.

    Raises:
        DataError: If the content is no object, or has no such member.
    """
    found = mapping(content, place)
    if key not in found:
        raise DataError(f"`{below(place, key)[:_LONGEST_PLACE]}` is missing.")
    return found[key]


def mapping(value: Any, place: str) -> dict[str, Any]:
    """Gives an object.

    Raises:
        DataError: If it is none.
    """
    if not isinstance(value, dict):
        raise must_be("an object", value, place)
    return value


def items(value: Any, place: str) -> list[Any]:
    """Gives a list.

    Raises:
        DataError: If it is none.
    """
    if not isinstance(value, list):
        raise must_be("a list", value, place)
    return value


def text(value: Any, place: str) -> str:
    """Gives a text that can be printed and written.

    Raises:
        DataError: If it is no text, or holds half of a surrogate pair.
    """
    if not isinstance(value, str) or not (value.isascii() or _SURROGATE.search(value) is None):
        raise must_be("a text", value, place)
    return value


def whole(value: Any, place: str, least: int = 0) -> int:
    """Gives a whole number.

    Raises:
        DataError: If it is none, or lies below the least that is allowed.
    """
    if type(value) is not int or value < least:  # `True` is an int, too
        raise must_be(f"a whole number of at least {least}", value, place)
    return value


def finite_or_none(value: Any, place: str) -> float | None:
    """Gives a number, None where there is none.

    Raises:
        DataError: If it is something else, or is not finite.
    """
    if value is None:
        return None
    if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
        raise must_be("a finite number or null", value, place)
    return float(value)


def numbers(value: Any, place: str, *, gaps: bool) -> np.ndarray:
    """Gives a list of numbers as an array, float64; they may be infinite or NaN.

    Args:
        value: What stands there.
        place: Where.
        gaps: Whether null may stand for an absent number, which becomes NaN.

    Raises:
        DataError: If it is no list, or one of its entries is no number.
        OverflowError: If a whole number is too large.
    """
    entries = items(value, place)
    for index, entry in enumerate(entries):
        if type(entry) not in (int, float) and not (gaps and entry is None):
            rule = "a number or null" if gaps else "a number"
            raise must_be(rule, entry, below(place, str(index)))
    return np.array(entries, dtype=np.float64)


def below(place: str, key: str) -> str:
    """Gives the place of a member of the object at a place."""
    return f"{place}.{key}" if place else key
