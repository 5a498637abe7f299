"""The nearest of the values that a flag takes, for one that is mistyped."""

import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin

from admet.cli._levels import flags_of
from admet.config.base import Section
from admet.errors import near_names


def nearest_value(command: type[Section], words: Sequence[str]) -> str:
    """Says for the first word that its flag does not take which values come closest.

    Args:
        command: The schema of the command line.
        words: The command line.

    Returns:
        A sentence; empty where every flag with a list of values has one of them.
    """
    choices = {
        f"--{flag}": _choices(section.model_fields[name].annotation)
        for flag, (section, name) in flags_of(command)
    }
    flag = ""
    for word in words:
        if word.startswith("--"):
            flag, _, value = word.partition("=")
            flag = flag.replace("_", "-")
        else:
            value = word
        known = choices.get(flag, [])
        if known and value and value not in known:
            near = near_names(value, known)
            return f"{flag} {value}: {near}" if near.startswith("Nearest") else ""
    return ""


def _choices(kind: Any) -> list[str]:
    """Lists the words that a type takes; none where it takes others, too."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return [str(value) for value in inner]
    if origin is tuple and len(inner) == 2 and inner[1] is Ellipsis:
        return _choices(inner[0])
    if origin in {Union, types.UnionType}:
        parts = [_choices(part) for part in inner if part is not type(None)]
        return [word for part in parts for word in part] if all(parts) else []
    return []
