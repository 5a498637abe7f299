"""Groups that may overlap, chosen so that each task has one that serves it well.

The selection of Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning,
NeurIPS 2021, Section 3.3: at most k groups, each task served by the best of those that hold it.
"""

import numpy as np

from admet.model.chemprop.task_affinity.groups.base import Choice
from admet.model.chemprop.task_affinity.groups.subsets import best_parts

EXACT_UP_TO = 15  # tasks; 3^15 pairs of a group and those it serves take some seconds
_QUICK_UP_TO = 10  # tasks; tenths of a second
_RESTARTS = 20
_WORK = 4_000_000  # tasks² × groups over all starts: some seconds
_TOLERANCE = 1e-12


def select_groups(
    affinity: np.ndarray, n_groups: int, singleton_score: float, seed: int = 0, quick: bool = False
) -> Choice:
    """Chooses at most `n_groups` groups.

    A task's score in a group is the mean affinity of the group's other tasks towards it; alone it
    is `singleton_score`. Up to `EXACT_UP_TO` tasks the best selection is found by dynamic
    programming over subsets; beyond, by local search from several starts, with an upper bound.

    Args:
        affinity: Shape (T, T); [i, j] is what training on i does to j. The diagonal is not read.
        n_groups: At most so many groups.
        singleton_score: Score of a task in a group of its own.
        seed: Seed of the starts of the local search.
        quick: Whether to be quick, as for a repeat: exact only up to ten tasks, and beyond them a
            search from one start.

    Returns:
        The selection.
    """
    if len(affinity) <= (_QUICK_UP_TO if quick else EXACT_UP_TO):
        return _exact(affinity, n_groups, singleton_score)
    rng = np.random.default_rng(seed)
    return _local_search(affinity, n_groups, singleton_score, rng, 1 if quick else _RESTARTS)


def _exact(affinity: np.ndarray, n_groups: int, singleton_score: float) -> Choice:
    """Splits the tasks into at most k served sets, each with the best group around it."""
    n = len(affinity)
    full = (1 << n) - 1
    value = np.full(full + 1, -np.inf)  # of the best group that serves a set of tasks
    group_of = np.zeros(full + 1, dtype=np.int64)
    for group in range(1, full + 1):
        members = [j for j in range(n) if group >> j & 1]
        sums, masks = np.zeros(1), np.zeros(1, dtype=np.int64)
        for j in members:
            others = [i for i in members if i != j]
            score = float(affinity[others, j].mean()) if others else singleton_score
            sums = np.concatenate([sums, sums + score])
            masks = np.concatenate([masks, masks | 1 << j])
        better = sums > value[masks]
        value[masks[better]] = sums[better]
        group_of[masks[better]] = group
    parts, total = best_parts(value, min(n_groups, n), gain=_TOLERANCE)
    groups = [[j for j in range(n) if group_of[part] >> j & 1] for part in parts]
    serves = [next(k for k, part in enumerate(parts) if part >> j & 1) for j in range(n)]
    objective = total / n
    return _ordered(groups, serves, objective, objective)


def _local_search(
    affinity: np.ndarray,
    n_groups: int,
    singleton_score: float,
    rng: np.random.Generator,
    restarts: int,
) -> Choice:
    """Adds, removes and moves single tasks while that helps, from random partitions."""
    n = len(affinity)
    k = min(n_groups, n)
    restarts = max(1, min(restarts, _WORK // (n * n * k)))
    best: _Members | None = None
    for _ in range(restarts):
        members = _Members(affinity, k, singleton_score, rng)
        while members.improve(rng):
            pass
        if best is None or members.value > best.value + _TOLERANCE:
            best = members
    assert best is not None  # noqa: S101 - there is one start at least
    serving = best.scores.argmax(axis=0)
    used = np.unique(serving)
    groups = [np.flatnonzero(best.held[g]).tolist() for g in used]
    serves = np.searchsorted(used, serving).tolist()
    objective = best.value / n
    bound = upper_bound(affinity, n_groups, singleton_score)
    return _ordered(groups, serves, objective, max(bound, objective))


class _Members:
    """Which tasks each group holds, and the scores that a change of one group is judged by."""

    def __init__(
        self, affinity: np.ndarray, k: int, singleton_score: float, rng: np.random.Generator
    ) -> None:
        n = len(affinity)
        self.affinity = affinity.copy()
        np.fill_diagonal(self.affinity, 0.0)
        self.singleton_score = singleton_score
        self.held = np.zeros((k, n), dtype=bool)
        self.held[rng.permutation(np.arange(n) % k), np.arange(n)] = True
        self.sums = self.held @ self.affinity  # (k, T): towards each task, from each group
        self.scores = np.stack([self._row(self.held[g], self.sums[g]) for g in range(k)])
        self.value = float(self.scores.max(axis=0).sum())

    def _row(self, held: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Scores the tasks in one group, shape (T,), −∞ outside it."""
        others = held.sum() - 1
        scores = sums / others if others > 0 else np.full(len(sums), self.singleton_score)
        return np.where(held, scores, -np.inf)

    def improve(self, rng: np.random.Generator) -> bool:
        """Tries every change once, in a random order, and keeps those that help."""
        k, n = self.held.shape
        improved = False
        for g in rng.permutation(k).tolist():
            for j in rng.permutation(n).tolist():
                improved |= self._change({g: j})
        for j in rng.permutation(n).tolist():
            for source in np.flatnonzero(self.held[:, j]).tolist():
                for target in rng.permutation(k).tolist():
                    if not self.held[target, j] and self._change({source: j, target: j}):
                        improved = True
                        break
        return improved

    def _change(self, toggles: dict[int, int]) -> bool:
        """Adds or removes tasks, one of each group, where the objective rises by it."""
        rows, helds, sums = [], [], []
        for g, j in toggles.items():
            held = self.held[g].copy()
            held[j] ^= True
            row_sums = self.sums[g] + (self.affinity[j] if held[j] else -self.affinity[j])
            rows.append(self._row(held, row_sums))
            helds.append(held)
            sums.append(row_sums)
        changed = list(toggles)
        rest = np.delete(self.scores, changed, axis=0)
        value = float(np.concatenate([rest, rows]).max(axis=0).sum())
        if not value > self.value + _TOLERANCE:
            return False
        self.held[changed], self.sums[changed], self.scores[changed] = helds, sums, rows
        self.value = value
        return True


def upper_bound(affinity: np.ndarray, n_groups: int, singleton_score: float) -> float:
    """Bounds the objective of any selection from above.

    A task in a group that serves u tasks has at least u − 1 others there, so its score is at most
    the mean of its u − 1 largest affinities (for u = 1, the largest one). Groups that serve u tasks
    serve each with 1/u of a group, and these shares sum to the number of groups; the bound is the
    smallest Lagrangian over the price of a group.
    """
    n = len(affinity)
    off = affinity.copy()
    np.fill_diagonal(off, -np.inf)
    ranked = -np.sort(-off, axis=0)[: n - 1]  # (T − 1, T), the best source first
    means = np.cumsum(ranked, axis=0) / np.arange(1, n)[:, None]
    best = np.concatenate([np.maximum(means[:1], singleton_score), means])  # (T, T): u = 1 … T
    share = 1 / np.arange(1, n + 1)[:, None]

    def lagrangian(price: float) -> float:
        return float(price * n_groups + (best - price * share).max(axis=0).sum())

    low, high = 0.0, float(np.ptp(best) * n + 1)
    for _ in range(200):  # it is convex in the price
        third = (high - low) / 3
        if lagrangian(low + third) < lagrangian(high - third):
            high -= third
        else:
            low += third
    return lagrangian((low + high) / 2) / n


def _ordered(groups: list[list[int]], serves: list[int], objective: float, bound: float) -> Choice:
    """Orders the groups by the first task that each serves."""
    first = [min(j for j, g in enumerate(serves) if g == index) for index in range(len(groups))]
    order = sorted(range(len(groups)), key=lambda index: first[index])
    place = {old: new for new, old in enumerate(order)}
    return Choice([groups[i] for i in order], [place[g] for g in serves], objective, bound)
