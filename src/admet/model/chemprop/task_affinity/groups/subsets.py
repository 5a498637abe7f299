"""The best split of a small set, by dynamic programming over its subsets."""

import numpy as np


def best_parts(value: np.ndarray, n_parts: int, *, gain: float | None) -> tuple[list[int], float]:
    """Splits a set of n elements into parts whose values sum highest.

    It works in rounds: the best split of each subset into one part more is a part that holds its
    first element, with the best split of the rest so far. A round takes 3^n steps.

    Args:
        value: Value of each subset as a part, shape (2^n,), by its bit mask; the empty one's is
            not read.
        n_parts: Number of rounds, from 1 to n.
        gain: A further part is made only if it adds more than this; with −∞ it is made wherever it
            can be. With None it is made in any case: there are then exactly `n_parts` parts.

    Returns:
        The parts as bit masks, and their sum.
    """
    n_subsets = len(value)
    best = np.full(n_subsets, -np.inf)
    best[0] = 0.0
    taken = []
    for _ in range(n_parts):
        following = np.full(n_subsets, -np.inf) if gain is None else best.copy()
        choice = np.zeros(n_subsets, dtype=np.int64)
        for mask in range(1, n_subsets):
            low = mask & -mask
            parts = subsets(mask ^ low) | low
            totals = value[parts] + best[mask ^ parts]
            k = int(np.argmax(totals))
            if totals[k] > following[mask] + (gain or 0.0):
                following[mask], choice[mask] = totals[k], parts[k]
        best = following
        taken.append(choice)
    found = []
    mask = n_subsets - 1
    for choice in reversed(taken):
        if part := int(choice[mask]):
            found.append(part)
            mask ^= part
    return found, float(best[-1])


def subsets(mask: int) -> np.ndarray:
    """Lists all subsets of a bit mask."""
    found = np.zeros(1, dtype=np.int64)
    while mask:
        low = mask & -mask
        found = np.concatenate([found, found | low])
        mask ^= low
    return found
