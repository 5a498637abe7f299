"""What the folds of one repeat test, and what may be known before each is tested."""

from collections.abc import Sequence

import numpy as np

from admet.data import Split


def tested(splits: Sequence[Split], n: int) -> np.ndarray:
    """Tells which of n molecules some fold tests, shape (n,); by time the oldest are not."""
    found = np.zeros(n, dtype=bool)
    for split in splits:
        found[split.test] = True
    return found


def known_before(splits: Sequence[Split], n: int, *, forward: bool) -> list[np.ndarray]:
    """Gives for each fold the molecules whose tests may choose something for it.

    These are those that other folds test. By time only earlier folds count: the future chooses
    nothing, so that the first fold has none.

    Args:
        splits: The folds of one repeat.
        n: Number of molecules.
        forward: Whether the folds go forward in time.

    Returns:
        For each fold a mask, shape (n,).
    """
    found = []
    for fold in range(len(splits)):
        others = splits[:fold] if forward else [s for k, s in enumerate(splits) if k != fold]
        found.append(tested(others, n))
    return found


def test_share(splits: Sequence[Split]) -> float:
    """Gives s with s / (1 − s) = molecules tested / learnt from, a mean over folds that go forward.

    With folds that test each molecule once it is 1 / folds; see `admet.study.statistics.contrast`.
    The correction was derived for training sets of one size, so for growing ones it is a rule of
    thumb.
    """
    ratio = float(np.mean([len(s.test) / (len(s.train) + len(s.val)) for s in splits]))
    return ratio / (1 + ratio)
