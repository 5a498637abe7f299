"""Groups without overlap whose tasks are worth most to one another."""

import numpy as np

EXACT_UP_TO = 10  # tasks; 3^10 pairs of a set and a part of it take a tenth of a second
_STARTS = 20
_WORK = 2_000_000  # tasks² over all starts: some seconds
_TOLERANCE = 1e-12


def transfer_scores(affinity: np.ndarray, n_labels: np.ndarray) -> np.ndarray:
    """Predicts how much a task gains from another in one network, up to a common factor.

    score[i, j] = affinity[i, j] · n_i / n_j. The loss of a network is a mean over labels, so that a
    step follows the sum over tasks of n_i g_i, g_i the gradient of a task's own mean loss. With
    gradients of one length, i moves j's loss by n_i g_i·g_j where j's own labels move it by n_j.
    A small task gains from a large one that agrees with it, a large one hardly from a small one,
    and a task that disagrees costs the more the larger it is.

    Args:
        affinity: Shape (T, T); [i, j] is the affinity of source i and target j.
        n_labels: Labels of each task, shape (T,).

    Returns:
        Shape (T, T), 0 on the diagonal.
    """
    n = np.maximum(np.asarray(n_labels, dtype=np.float64), 1.0)
    scores = affinity * (n[:, None] / n[None, :])
    np.fill_diagonal(scores, 0.0)
    return np.asarray(scores)


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
    """Tries all partitions, group by group: each holds the first task that is left."""
    n = len(weights)
    full = (1 << n) - 1
    value = np.zeros(full + 1)  # of each set as one group
    for j in range(n):
        rest = np.arange(1 << j)
        gain = np.zeros(1 << j)
        for i in range(j):
            gain += np.where(rest >> i & 1, weights[i, j], 0.0)
        value[rest | 1 << j] = value[rest] + gain
    rounds = n if n_groups is None else n_groups
    best = np.full(full + 1, -np.inf)
    best[0] = 0.0
    taken = []
    for _ in range(rounds):
        following = np.full(full + 1, -np.inf)
        if n_groups is None:
            following[0] = 0.0  # groups may stay empty
        choice = np.zeros(full + 1, dtype=np.int64)
        for mask in range(1, full + 1):
            low = mask & -mask
            parts = subsets(mask ^ low) | low
            totals = best[mask ^ parts] + value[parts]
            k = int(np.argmax(totals))
            following[mask], choice[mask] = totals[k], parts[k]
        best = following
        taken.append(choice)
    labels = np.zeros(n, dtype=np.int64)
    mask = full
    for group, choice in enumerate(reversed(taken)):
        part = int(choice[mask]) if mask else 0
        for j in range(n):
            if part >> j & 1:
                labels[j] = group
        mask ^= part
    return labels


def subsets(mask: int) -> np.ndarray:
    """Lists all subsets of a bit mask."""
    found = np.zeros(1, dtype=np.int64)
    while mask:
        low = mask & -mask
        found = np.concatenate([found, found | low])
        mask ^= low
    return found


def _search(weights: np.ndarray, n_groups: int | None, rng: np.random.Generator) -> np.ndarray:
    """Moves tasks one by one from a random start; a number of groups that is given is kept."""
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
