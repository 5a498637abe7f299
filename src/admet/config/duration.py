"""Lengths of time as users write them: `90s`, `30m`, `2h`, `1h30m`, or a number of seconds."""

import math
import re

_UNITS = {"h": 3600, "m": 60, "s": 1}
_PARTS = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?")
_EXACT = 120  # seconds, below which a time is said to the second


def seconds_of(text: str) -> float:
    """Reads a length of time.

    Args:
        text: Hours, minutes and seconds in this order, each with its letter; a number alone counts
            seconds.

    Returns:
        Seconds, above 0.

    Raises:
        ValueError: If it is no length of time, or 0.
    """
    parts = _PARTS.fullmatch(text.strip().lower().replace(" ", ""))
    found = 0.0
    if parts is not None:
        numbers = [float(part or 0) for part in parts.groups()]
        found = sum(n * size for n, size in zip(numbers, _UNITS.values(), strict=True))
    if not 0 < found < math.inf:
        raise ValueError(
            "must be a length of time above 0, as 90s, 30m, 2h, 1h30m, or a number of seconds; got "
            f"{text!r}."
        )
    return found


def checked_duration(value: object, key: str) -> object:
    """Checks a length of time in a configuration; what is neither a number nor text passes.

    Args:
        value: What the user wrote.
        key: Its key, for the message.

    Raises:
        ValueError: If it is no length of time.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        try:
            seconds_of(value)
        except ValueError as error:
            raise ValueError(f"`{key}` {error}") from None
    return value


def as_duration(seconds: float) -> str:
    """Writes a length of time as `seconds_of` reads it, rounded up: to minutes from two on."""
    size = 1 if seconds <= _EXACT else 60
    whole = max(1, math.ceil(seconds / size)) * size
    text = ""
    for unit, length in _UNITS.items():
        if count := whole // length:
            text += f"{count}{unit}"
        whole %= length
    return text


def spoken(seconds: float) -> str:
    """Says about how long something takes: `40 s`, `4 min`, `2 h 10 min`."""
    if seconds < _EXACT:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{minutes} min" if not hours else f"{hours} h" + f" {rest} min" * bool(rest)
