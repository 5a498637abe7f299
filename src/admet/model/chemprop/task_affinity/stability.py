"""How far a grouping would come out the same again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import adjusted_rand_score

from admet.model.chemprop.plan import Group

STABLE = 0.9
"""Mean adjusted Rand index of two draws, or share of draws that group a pair alike, from which a
grouping, or a group, is called stable."""


@dataclass(frozen=True)
class Grouping:
    """Groups of tasks, which may overlap.

    Attributes:
        groups: The groups; one of them serves each task.
        co_assignment: How often two tasks came to one group over draws of the affinity, shape
            (T, T); None where there were none.
        agreement: Mean adjusted Rand index of the groups of two draws: what two measurements with
            other seeds and molecules can be expected to have; NaN where there were no draws.
    """

    groups: tuple[Group, ...]
    co_assignment: np.ndarray | None = None
    agreement: float = math.nan

    def stability(self, names: Sequence[str]) -> list[float]:
        """Gives, for each group, how often its tasks stayed together and apart from the others.

        Args:
            names: The T names, in the order of `co_assignment`.

        Returns:
            The mean, over pairs of a task of the group and any other task, of how often the pair
            was grouped as here: 1 where every draw gave this group.
        """
        if self.co_assignment is None:
            return [math.nan for _ in self.groups]
        found = []
        for group in self.groups:
            inside = np.array([name in group.tasks for name in names])
            same = self.co_assignment[inside]  # (n_members, T)
            agrees = np.where(inside, same, 1 - same)
            np.put_along_axis(agrees, np.flatnonzero(inside)[:, None], np.nan, axis=1)
            found.append(float(np.nanmean(agrees)) if agrees.size > 1 else 1.0)
        return found


def co_assignment(labels: Sequence[np.ndarray]) -> np.ndarray:
    """Counts how often two tasks come together.

    Args:
        labels: For each of S draws the group of each task, shape (T,); S is 1 at least.

    Returns:
        Shares, shape (T, T), from 0 to 1; 1 on the diagonal.
    """
    total = np.zeros((len(labels[0]), len(labels[0])))
    for label in labels:
        total += label[:, None] == label
    return total / len(labels)


def agreement(labels: Sequence[np.ndarray]) -> float:
    """Gives the mean adjusted Rand index of disjoint pairs of draws.

    Source of the index: Hubert and Arabie, J. Classif. 1985, 2, 193.

    Args:
        labels: For each of S draws the group of each task, shape (T,).

    Returns:
        The mean, at most 1; NaN for fewer than two draws.
    """
    pairs = list(zip(labels[::2], labels[1::2], strict=False))
    if not pairs:
        return math.nan
    return float(np.mean([adjusted_rand_score(a, b) for a, b in pairs]))
