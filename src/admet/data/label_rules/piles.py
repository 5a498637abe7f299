"""Labels piled up at an edge of their range: limits of an assay that no sign tells of."""

from collections.abc import Sequence

import numpy as np

from admet.data.label_rules.limits import SIGNS
from admet.data.label_rules.relations import ABOVE, BELOW

SHARE = 0.05
"""Share of a task's labels on one number at an edge from which it is no chance."""
_LEAST_PILE = 8  # labels; fewer may coincide
_LEAST_DISTINCT = 8  # values beside it; few values are grades, not measurements
_TIMES = 3  # a pile is so many times as high as the highest but one of all other values


def describe_piles(values: np.ndarray, limits: np.ndarray | None, task: str) -> list[str]:
    """Looks for one number at the lower or upper edge that many labels share.

    Args:
        values: Labels of a regression task, shape (n,), NaN where absent.
        limits: Their limits, shape (n,), or None.
        task: Its name.

    Returns:
        What to tell the user, one text a pile.
    """
    measured = ~np.isnan(values) if limits is None else ~np.isnan(values) & (limits == 0)
    distinct, counts = np.unique(values[measured], return_counts=True)
    if len(distinct) <= _LEAST_DISTINCT:
        return []
    usual = np.sort(counts)[:-2].max(initial=1)  # both edges may hold a pile
    found: list[str] = []
    for place, limit in ((0, BELOW), (-1, ABOVE)):
        count, share = int(counts[place]), counts[place] / measured.sum()
        if count < _LEAST_PILE or share < SHARE or count < _TIMES * usual:
            continue
        value = repr(float(distinct[place])).removesuffix(".0")
        edge, key = ("lowest", "below") if limit == BELOW else ("highest", "above")
        found.append(
            f"{task}: {share:.0%} of the labels ({count} of {measured.sum()}) are {value}, the "
            f"{edge} one. If that is a limit of the assay, say so and they count as "
            f"{SIGNS[limit]}{value}: data.limits: {{{quoted(task)}: {{{key}: {value}}}}}"
        )
    return found


_NOT_TEXT = {"yes", "no", "true", "false", "on", "off", "null", "none"}  # to YAML


def quoted(name: str, marks: Sequence[str] = (":", "#", ",", "{", "}", "[", "]", "%")) -> str:
    """Writes a name as YAML takes it in braces."""
    plain = not any(mark in name for mark in marks) and name.isprintable() and name == name.strip()
    plain = plain and name.casefold() not in _NOT_TEXT
    return name if plain and name[:1].isalpha() else '"' + name.replace('"', '\\"') + '"'
