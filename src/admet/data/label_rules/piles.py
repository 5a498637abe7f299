"""Labels piled up at an edge of their range: limits of an assay that no sign marks."""

from dataclasses import dataclass

import numpy as np

from admet.config.quoting import quoted
from admet.data.label_rules.limits import SIGNS
from admet.data.label_rules.relations import ABOVE, BELOW

SHARE = 0.05
"""Share of a task's labels on one number at an edge, from which on it is no coincidence."""
_LEAST_PILE = 8  # labels; fewer may coincide
_LEAST_DISTINCT = 8  # values beside it; few values are grades, not measurements
_TIMES = 3  # a pile holds at least so many times as many labels as the third most common value


@dataclass(frozen=True)
class Pile:
    """Labels on one number at an edge of their range.

    Attributes:
        value: The number.
        count: Labels there.
        n: Measured labels in all.
        limit: What they may be: `ABOVE` at the highest number, `BELOW` at the lowest.
    """

    value: float
    count: int
    n: int
    limit: int

    @property
    def share(self) -> float:
        """Share of the labels, from 0 to 1."""
        return self.count / self.n

    @property
    def key(self) -> str:
        """The key of `data.limits` that declares it."""
        return "below" if self.limit == BELOW else "above"

    @property
    def number(self) -> str:
        """The number as a table writes it."""
        return repr(self.value).removesuffix(".0")


def find_piles(values: np.ndarray, limits: np.ndarray | None) -> list[Pile]:
    """Looks for one number at the lower or upper edge that many labels share.

    Args:
        values: Labels of a regression task, shape (n,), NaN where absent.
        limits: Their limits, shape (n,), or None.
    """
    measured = ~np.isnan(values) if limits is None else ~np.isnan(values) & (limits == 0)
    distinct, counts = np.unique(values[measured], return_counts=True)
    if len(distinct) <= _LEAST_DISTINCT:
        return []
    usual = np.sort(counts)[:-2].max(initial=1)  # both edges may hold a pile
    found: list[Pile] = []
    for place, limit in ((0, BELOW), (-1, ABOVE)):
        pile = Pile(float(distinct[place]), int(counts[place]), int(measured.sum()), limit)
        if pile.count >= max(_LEAST_PILE, _TIMES * usual) and pile.share >= SHARE:
            found.append(pile)
    return found


def describe_piles(values: np.ndarray, limits: np.ndarray | None, task: str) -> list[str]:
    """Says of each pile what it may be, and the key that declares it.

    Args:
        values: Labels of a regression task, shape (n,), NaN where absent.
        limits: Their limits, shape (n,), or None.
        task: Its name.

    Returns:
        What to tell the user, one text a pile.
    """
    found = []
    for pile in find_piles(values, limits):
        edge = "lowest" if pile.limit == BELOW else "highest"
        found.append(
            f"{task}: {pile.share:.0%} of the labels ({pile.count} of {pile.n}) are {pile.number}, "
            f"the {edge} one. If that is a limit of the assay, say so and they count as "
            f"{SIGNS[pile.limit]}{pile.number}: data.limits: "
            f"{{{quoted(task)}: {{{pile.key}: {pile.number}}}}}"
        )
    return found
