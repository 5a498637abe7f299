"""Whether a grouping would come out the same again."""

import math
from collections.abc import Sequence

import numpy as np
from sklearn.metrics import adjusted_rand_score

STABLE = 0.9
"""Mean adjusted Rand index of two draws, or share of draws that group a pair alike, from which a
grouping, or a group, is called stable."""


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
