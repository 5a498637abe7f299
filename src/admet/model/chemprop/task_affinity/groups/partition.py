"""Groups without overlap whose tasks are worth most to one another."""

import numpy as np

from admet.model.chemprop.task_affinity.groups.subsets import best_parts

EXACT_UP_TO = 10  # tasks; 3^10 pairs of a set and a part of it take a tenth of a second
_STARTS = 20
_WORK = 2_000_000  # tasks² over all starts: some seconds
_TOLERANCE = 1e-12


def best_partition(scores: np.ndarray, n_groups: int | None, seed: int = 0) -> np.ndarray:
    """Splits tasks so that the sum of the scores within groups is highest.

    Exact by dynamic programming over subsets up to `EXACT_UP_TO` tasks; beyond, single tasks move
    between groups while that helps, from several random starts.

    Args:
        scores: Shape (T, T); [i, j] is what j gains from i. The diagonal is not read.
        n_groups: Number of groups; None leaves it free.
        seed: Seed of the starts.

    Returns:
        The group of each task, shape (T,), numbered by first task.
    """
    weights = scores + scores.T
    np.fill_diagonal(weights, 0.0)
    n = len(weights)
    if n <= EXACT_UP_TO:
        labels = _exact(weights, n_groups)
    else:
        rng = np.random.default_rng(seed)
        starts = max(1, min(_STARTS, _WORK // n**2))
        found = [_search(weights, n_groups, rng) for _ in range(starts)]
        labels = max(found, key=lambda label: within(weights, label))
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse])


def within(weights: np.ndarray, labels: np.ndarray) -> float:
    """Sums the weights of pairs within groups, each once."""
    return float(weights[labels[:, None] == labels].sum() / 2)


def _exact(weights: np.ndarray, n_groups: int | None) -> np.ndarray:
    """Tries all partitions, by dynamic programming over subsets."""
    n = len(weights)
    value = np.zeros(1 << n)  # of each set as one group
    for j in range(n):
        rest = np.arange(1 << j)
        gain = np.zeros(1 << j)
        for i in range(j):
            gain += np.where(rest >> i & 1, weights[i, j], 0.0)
        value[rest | 1 << j] = value[rest] + gain
    if n_groups is None:
        parts, _ = best_parts(value, n, gain=-np.inf)
    else:
        parts, _ = best_parts(value, n_groups, gain=None)
    return np.array([next(k for k, part in enumerate(parts) if part >> j & 1) for j in range(n)])


def _search(weights: np.ndarray, n_groups: int | None, rng: np.random.Generator) -> np.ndarray:
    """Moves tasks one by one from a random start; keeps the number of groups if one is given."""
    n = len(weights)
    k = n if n_groups is None else n_groups
    labels = rng.permutation(np.arange(n) % min(k, n))
    member = np.zeros((n, k))
    member[np.arange(n), labels] = 1.0
    pull = weights @ member  # (T, k): what each group would give to each task
    size = np.bincount(labels, minlength=k)
    moved = True
    while moved:
        moved = False
        for i in rng.permutation(n).tolist():
            old = int(labels[i])
            if n_groups is not None and size[old] == 1:
                continue
            new = int(np.argmax(pull[i]))
            if pull[i, new] <= pull[i, old] + _TOLERANCE:
                continue
            labels[i] = new
            size[old] -= 1
            size[new] += 1
            pull[:, old] -= weights[:, i]
            pull[:, new] += weights[:, i]
            moved = True
    return labels
