"""One split of a panel, as the configuration asks for it."""

import logging

import numpy as np

from admet.config.data import DataConfig
from admet.data.panel import Panel
from admet.data.splits.blocks import BLOCKS, largest_dealt
from admet.data.splits.deal import FREE, deal
from admet.data.splits.earlier import kept_sides, read_split, settled_blocks
from admet.data.splits.split import SIDES, Split
from admet.data.splits.spread import Needs, spread
from admet.data.splits.sufficiency import warn_of_few
from admet.data.splits.times import sides_by_time
from admet.errors import DataError

log = logging.getLogger(__name__)


def split_panel(panel: Panel, config: DataConfig, seed: int) -> Split:
    """Assigns every molecule to a side.

    `random`, `scaffold`, `cluster` and `group` deal out blocks (a molecule, a Bemis–Murcko
    scaffold, a Butina cluster, a group that a column names) that never stand on two sides. Then
    blocks are moved where a side is empty that is not to be, a task has one class or one value in
    training, no label or one class elsewhere, or a class or a side is far from its share; see
    `spread`. Warnings name the tasks for which that is impossible, with the numbers.

    With `split_from` the molecules of that run keep their sides, new ones of their blocks follow
    them, and the others are dealt so that the whole serves the ratios; by time the new ones are cut
    by themselves.

    Args:
        panel: The panel.
        config: Type, ratios and column of the split.
        seed: Seed of the dealing, where `split_seed` is empty.

    Returns:
        The split.

    Raises:
        DataError: If a requested side stays empty.
        RunDirectoryError: If the split of the run that `split_from` names cannot be read.
    """
    seed = seed if config.split_seed is None else config.split_seed
    ratios = np.asarray(config.split_ratios)
    kept = None
    if config.split_from is not None:
        kept = kept_sides(panel, read_split(config.split_from), config.split_from)
    if config.split_type == "predefined":
        assert panel.split_values is not None  # noqa: S101 - build_panel read the column
        sides = panel.split_values
        wanted = np.bincount(sides, minlength=3) > 0
    else:
        wanted = ratios > 0
        if len(panel) < wanted.sum():
            raise DataError(
                f"{len(panel)} molecule(s) cannot fill the {wanted.sum()} sides of the "
                "split. Add molecules, or set a ratio to 0."
            )
        by_time = config.split_type == "time"
        sides = _by_time(panel, ratios, kept) if by_time else _dealt(panel, config, kept, seed)
    if not (sides == 0).any():
        raise DataError("The split leaves no molecule to train on. Change its type or ratios.")
    _check_filled(panel, sides, wanted, config)
    counts = np.bincount(sides, minlength=3)
    log.info("%s split: %d train, %d validation, %d test molecules", config.split_type, *counts)
    for name, count in zip(SIDES, counts, strict=True):
        if not count:
            log.warning("No molecule on the %s side of the split", name)
    warn_of_few(panel, sides, wanted)
    return Split.of(sides)


def _dealt(panel: Panel, config: DataConfig, kept: np.ndarray | None, seed: int) -> np.ndarray:
    """Deals blocks out, and moves them where a side lacks something; shape (n,), int8."""
    ratios = np.asarray(config.split_ratios)
    smallest = ratios[ratios > 0].min() * len(panel)
    blocks = BLOCKS[config.split_type](panel, largest_dealt(smallest))
    settled = None
    if kept is not None:
        blocks, settled = settled_blocks(kept, blocks)
    sides = deal(blocks, ratios, np.random.default_rng(seed), settled)
    movable = None if settled is None else settled == FREE
    return spread(sides, blocks, Needs.of(panel, ratios, trains=True), movable)


def _by_time(panel: Panel, ratios: np.ndarray, kept: np.ndarray | None) -> np.ndarray:
    """Cuts by time those molecules that have no side yet; shape (n,), int8."""
    assert panel.split_values is not None  # noqa: S101 - build_panel read the column
    if kept is None:
        return sides_by_time(panel.split_values, ratios)
    sides, new = kept.copy(), kept == FREE
    if new.any():
        sides[new] = sides_by_time(panel.split_values[new], ratios)
    return sides


def _check_filled(panel: Panel, sides: np.ndarray, wanted: np.ndarray, config: DataConfig) -> None:
    """Checks that no requested side is empty.

    Raises:
        DataError: Says which is, why, and what to do about it.
    """
    counts = np.bincount(sides, minlength=3)
    empty = np.flatnonzero(wanted & (counts == 0))
    if not empty.size:
        return
    named = " and ".join(("training", "validation", "test")[side] for side in empty)
    if config.split_type == "time":
        assert panel.split_values is not None  # noqa: S101 - as above
        what = f"{len(np.unique(panel.split_values))} time(s), none of which is divided,"
    else:
        blocks = BLOCKS[config.split_type](panel)
        what = f"{int(blocks.max()) + 1} {_BLOCK_NAMES[config.split_type]}(s)"
    shown = ", ".join(f"{ratio:g}" for ratio in config.split_ratios)
    raise DataError(
        f"The {named} side of the {config.split_type} split stays empty: {what} cannot fill the "
        f"{int(wanted.sum())} sides that data.split_ratios [{shown}] asks for. Choose another "
        "data.split_type (random divides everything), or set the ratio of that side to 0."
    )


_BLOCK_NAMES = {
    "random": "molecule", "scaffold": "scaffold", "cluster": "cluster", "group": "group",
}  # fmt: skip
