"""Moves blocks until the sides hold what they need: molecules, labels, classes and values."""

from dataclasses import dataclass

import numpy as np

from admet.data.panel import Panel
from admet.kinds import BINARY

_EMPTY = 1e9  # a side without a molecule
_UNLEARNABLE = 1e6  # a task with one class or one value in training
_BARE = 1e3  # a task without a label on a side
_ALIKE = 1.0  # a task with one class or one value on a side
_UNEVEN = 0.1  # a class, or a side, far from its share
_LAST_WEIGHT = 0.9  # of the validation side against the test, which the metrics come from
_LEAST_SHARE = 0.75  # of its share, that a side holds of the molecules, and training of a class
_LEAST_CLASS = 0.5  # of its share, that another side holds of a class
_MOST_CLASS = 2.0  # times its share, and one more: by chance alone a side seldom holds more
_TIES = 1e-6  # of moves that are worth the same, the one that serves the ratios best
_CODES = 61  # numbers that distinct values are told apart by; a prime, so that few steps meet again


@dataclass(frozen=True, eq=False)
class Needs:
    """What the sides of a split are to hold.

    Attributes:
        labels: For each molecule and task 1 where it has a label, the code of its value, and the
            square of that, all 0 where it has none, shape (n, T, 3). Codes are whole numbers, 0 and
            1 for classes; sums of them tell whether values differ and how many are of a class.
        classes: Which tasks have classes, shape (T,).
        ratios: Share of each side, shape (S,); one of 0 is to stay empty.
        trains: Whether the first side is trained on, which comes before all else.
    """

    labels: np.ndarray
    classes: np.ndarray
    ratios: np.ndarray
    trains: bool

    @classmethod
    def of(cls, panel: Panel, ratios: np.ndarray, *, trains: bool) -> "Needs":
        """Finds what the labels of a panel ask for."""
        values = panel.labels.values
        labels = np.zeros((*values.shape, 3))
        for task, column in enumerate(values.T):
            known = ~np.isnan(column)
            code = np.unique(column[known], return_inverse=True)[1] % _CODES
            if panel.kinds[task] is BINARY:  # also where the panel holds one class alone
                code = column[known].astype(int)
            labels[known, task] = np.stack([np.ones(len(code)), code, code**2], axis=1)
        classes = np.array([kind is BINARY for kind in panel.kinds], dtype=bool)
        return cls(labels, classes, ratios, trains)


def spread(
    sides: np.ndarray,
    blocks: np.ndarray,
    needs: Needs,
    movable: np.ndarray | None = None,
) -> np.ndarray:
    """Moves one block at a time, as long as the sides come nearer to what they need.

    In this order: no side is empty that is not to be; each task has both classes, or more than one
    value, on the training side; then labels on every side; then both classes, or more than one
    value, there; then classes between half and twice their share, and sides of at least three
    quarters of theirs. Of moves that are worth the same the one is made that brings the sizes
    nearest to the ratios. Where nothing is amiss, nothing is moved.

    Args:
        sides: Side of each molecule, shape (n,).
        blocks: Block of each, shape (n,), from 0.
        needs: What the sides are to hold.
        movable: Blocks that may be moved, a mask; None lets all of them.

    Returns:
        The sides after the moves, shape (n,).
    """
    n_blocks, n_sides = int(blocks.max()) + 1, len(needs.ratios)
    block_side = np.zeros(n_blocks, dtype=np.int64)
    block_side[blocks] = sides
    sizes = np.bincount(blocks, minlength=n_blocks).astype(float)
    held = np.zeros((n_blocks, *needs.labels.shape[1:]))
    np.add.at(held, blocks, needs.labels)
    fixed = np.zeros(n_blocks, dtype=bool) if movable is None else ~movable
    costs = _Costs(needs, sizes.sum(), held.sum(axis=0))
    while True:
        n = np.bincount(block_side, weights=sizes, minlength=n_sides)
        sums = np.zeros((n_sides, *held.shape[1:]))
        np.add.at(sums, block_side, held)
        now = np.array([costs.of(s, n[s], sums[s]) for s in range(n_sides)])
        if not now.any():
            break
        move = _best_move(costs, block_side, sizes, held, n, sums, now, fixed)
        if move is None:
            break
        block_side[move[0]] = move[1]
    return np.asarray(block_side[blocks].astype(sides.dtype))


class _Costs:
    """What a side lacks, as one number."""

    def __init__(self, needs: Needs, n: float, total: np.ndarray) -> None:
        self.needs, self.n, self.total = needs, n, total
        self.differ = _differ(total)  # (T,): tasks that have two classes or values at all

    def of(self, side: int, n: np.ndarray | float, sums: np.ndarray) -> np.ndarray:
        """Gives the cost of one side with n molecules, shape (…), and sums, shape (…, T, 3)."""
        needs = self.needs
        ratio = needs.ratios[side]
        if ratio == 0:
            return np.where(np.asarray(n) > 0, _EMPTY, 0.0)
        trains = needs.trains and side == 0
        weight = _LAST_WEIGHT if needs.trains and side == 1 else 1.0
        none = (sums[..., 0] == 0) & (self.total[:, 0] > 0)  # (…, T)
        bare = none.sum(axis=-1)
        alike = (~none & self.differ & ~_differ(sums)).sum(axis=-1)
        cost = np.where(np.asarray(n) == 0, _EMPTY, 0.0)
        if trains:
            cost = cost + _UNLEARNABLE * (alike + 2 * bare)
        else:
            cost = cost + weight * (_BARE * bare + _ALIKE * alike)
        if needs.classes.any():
            cost = cost + _UNEVEN * self._uneven(ratio, sums[..., needs.classes, :], trains)
        share = ratio * self.n
        short = (_LEAST_SHARE * share - n).clip(min=0) / share
        return np.asarray(cost + _UNEVEN * short)

    def _uneven(self, ratio: float, sums: np.ndarray, trains: bool) -> np.ndarray:
        """Gives how far classes are from their share of a side, from sums of shape (…, C, 3)."""
        expected = ratio * _of_classes(self.total[self.needs.classes])  # (C, 2)
        own = _of_classes(sums)
        least = np.floor((_LEAST_SHARE if trains else _LEAST_CLASS) * expected)
        over = 0.0 if trains else own - (_MOST_CLASS * expected + 1)
        off = np.maximum(least - own, over).clip(min=0) / np.maximum(expected, 1)
        return np.asarray(off.sum(axis=(-1, -2)) / len(expected))

    def sizes(self, side: int, n: np.ndarray) -> np.ndarray:
        """Gives how far sizes of a side, shape (…), are from its share of all."""
        return np.asarray(np.abs(n - self.needs.ratios[side] * self.n) / self.n)


def _differ(sums: np.ndarray) -> np.ndarray:
    """Tells where values differ, from sums of shape (…, T, 3): their codes have a variance."""
    n, first, second = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.asarray(n * second > first**2)


def _of_classes(sums: np.ndarray) -> np.ndarray:
    """Counts labels of class 0 and of class 1, shape (…, 2), from sums of shape (…, 3)."""
    return np.stack([sums[..., 0] - sums[..., 1], sums[..., 1]], axis=-1)


def _best_move(
    costs: _Costs,
    block_side: np.ndarray,
    sizes: np.ndarray,
    held: np.ndarray,
    n: np.ndarray,
    sums: np.ndarray,
    now: np.ndarray,
    fixed: np.ndarray,
) -> tuple[int, int] | None:
    """Finds the block and the side whose move lowers the cost most; None where none does."""
    n_sides = len(n)
    gain = np.full((len(sizes), n_sides), -np.inf)
    for donor in range(n_sides):
        own = np.flatnonzero((block_side == donor) & ~fixed)
        if not own.size:
            continue
        left_n, left = n[donor] - sizes[own], sums[donor] - held[own]
        given = now[donor] - costs.of(donor, left_n, left)
        even = costs.sizes(donor, n[donor]) - costs.sizes(donor, left_n)
        for side in range(n_sides):
            if side == donor or costs.needs.ratios[side] == 0:
                continue
            new_n = n[side] + sizes[own]
            taken = costs.of(side, new_n, sums[side] + held[own]) - now[side]
            worth = given - taken
            tie = even + costs.sizes(side, n[side]) - costs.sizes(side, new_n)
            gain[own, side] = np.where(worth > _TIES, worth + _TIES * tie, -np.inf)
    best = int(np.argmax(gain))
    block, side = divmod(best, n_sides)
    return None if not np.isfinite(gain[block, side]) else (block, side)
