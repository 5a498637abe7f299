"""Folds: several splits of one panel, in which every molecule is tested once."""

import numpy as np

from admet.data.panel import Panel
from admet.data.splits.blocks import BLOCKS, largest_dealt
from admet.data.splits.chain import chained
from admet.data.splits.deal import deal, deal_evenly
from admet.data.splits.split import Split
from admet.data.splits.spread import Needs, spread
from admet.errors import ConfigError, DataError


def folds(
    panel: Panel,
    split_type: str = "scaffold",
    *,
    n_folds: int = 5,
    n_repeats: int = 1,
    val_share: float = 0.1,
    seed: int = 0,
) -> list[Split]:
    """Divides a panel into folds, on the blocks that a split of the same type deals out.

    No block stands on two sides. As in a split, blocks are moved so that every task has labels,
    classes and values in every fold, where they lie in enough blocks. One seed gives the same
    folds; each repeat deals anew.

    Args:
        panel: The panel; for "group" it was built with a split column.
        split_type: "random", "scaffold", "cluster", "group", or "time": folds that go forward in
            time and leave the oldest molecules untested; see `chained`.
        n_folds: Number of folds, at least 2.
        n_repeats: How often the panel is divided anew.
        val_share: Share of the molecules outside the tested fold that choose the best epoch.
        seed: Seed of the dealing.

    Returns:
        `n_repeats` times `n_folds` splits; each repeat tests every molecule once, by time every
        molecule but those of the first block.

    Raises:
        ConfigError: If the type is unknown or a number breaks its rule.
        DataError: If there are fewer blocks, or times, than the folds and a validation side need.
    """
    if split_type not in {*BLOCKS, "time"}:
        raise ConfigError(
            f"`split_type` of folds must be one of {', '.join(BLOCKS)}, time; got {split_type!r}."
        )
    for name, value, least in (("n_folds", n_folds, 2), ("n_repeats", n_repeats, 1)):
        if value < least:
            raise ConfigError(f"`{name}` must be at least {least}; got {value}.")
    if not 0 <= val_share < 1:
        raise ConfigError(f"`val_share` must be at least 0 and below 1; got {val_share:g}.")
    if split_type == "time":
        if n_repeats > 1:
            raise ConfigError(
                f"`n_repeats` must be 1 for folds by time, which are the same each time; got "
                f"{n_repeats}."
            )
        return chained(panel, n_folds, val_share)
    if split_type == "group" and panel.split_values is None:
        raise ConfigError("Folds by group need a panel that was read with data.split_column.")
    blocks = _blocks(panel, split_type, n_folds)
    n_blocks = int(blocks.max()) + 1
    needed = n_folds + (val_share > 0)
    if n_blocks < needed:
        raise DataError(
            f"{n_blocks} block(s) of a {split_type} split cannot fill {n_folds} folds"
            f"{' and a validation side' * (val_share > 0)}. Lower n_folds (of a study "
            "`study.folds`), or choose another split type (`data.split_type`)."
        )
    needs = Needs.of(panel, np.full(n_folds, 1 / n_folds), trains=False)
    found = []
    for repeat in range(n_repeats):
        rng = np.random.default_rng((seed, repeat))
        part = deal_evenly(blocks, n_folds, rng)
        part = spread(part, blocks, needs)
        found += [_split(panel, blocks, part == k, val_share, rng) for k in range(n_folds)]
    return found


def most_folds(panel: Panel, split_type: str, most: int) -> int:
    """Gives the largest number of folds up to `most` that a panel has blocks for, at least 2."""
    n = most
    while n > 2 and int(_blocks(panel, split_type, n).max()) + 1 < n:
        n -= 1
    return n


def _blocks(panel: Panel, split_type: str, n_folds: int) -> np.ndarray:
    """Numbers the blocks that are dealt out to so many folds, shape (n,)."""
    return BLOCKS[split_type](panel, largest_dealt(len(panel) / n_folds))


def _split(
    panel: Panel, blocks: np.ndarray, test: np.ndarray, val_share: float, rng: np.random.Generator
) -> Split:
    """Divides the molecules outside a fold, given as a mask, into train and validation."""
    rest = np.flatnonzero(~test)
    own = np.unique(blocks[rest], return_inverse=True)[1]
    ratios = np.array([1 - val_share, val_share, 0.0])
    sides = deal(own, ratios, rng)
    sides = spread(sides, own, Needs.of(panel.subset(rest), ratios, trains=True))
    return Split(rest[sides == 0], rest[sides == 1], np.flatnonzero(test))
