"""One split of a panel, as the configuration asks for it."""

import logging

import numpy as np

from admet.config.data import DataConfig
from admet.data.panel import Panel
from admet.data.splits.blocks import BLOCKS
from admet.data.splits.deal import deal, spread_labels
from admet.data.splits.split import SIDES, Split
from admet.errors import DataError

log = logging.getLogger(__name__)


def split_panel(panel: Panel, config: DataConfig, seed: int) -> Split:
    """Assigns every molecule to a side.

    `random`, `scaffold`, `cluster` and `group` deal out blocks (a molecule, a Bemis–Murcko
    scaffold, a Butina cluster, a group that a column names) that never stand on two sides. Then
    blocks are moved so that every task has labels on each side that is not empty by request, where
    its labels lie in enough blocks. A warning names the tasks for which that is impossible.

    Args:
        panel: The panel.
        config: Type, ratios and column of the split.
        seed: Seed of the dealing.

    Returns:
        The split.

    Raises:
        DataError: If a side cannot be filled.
    """
    ratios = np.asarray(config.split_ratios)
    if config.split_type == "predefined":
        assert panel.split_values is not None  # noqa: S101 - build_panel read the column
        sides = panel.split_values
        wanted = np.bincount(sides, minlength=3) > 0
    elif config.split_type == "time":
        sides = _by_time(panel, ratios)
        wanted = ratios > 0
    else:
        if len(panel) < (ratios > 0).sum():
            raise DataError(
                f"{len(panel)} molecule(s) cannot fill the {(ratios > 0).sum()} sides of the "
                "split. Add molecules, or set a ratio to 0."
            )
        blocks = BLOCKS[config.split_type](panel)
        sides = deal(blocks, ratios, np.random.default_rng(seed))
        wanted = ratios > 0
        sides = spread_labels(sides, blocks, panel.labels.present, wanted)
    if not (sides == 0).any():
        raise DataError("The split leaves no molecule to train on. Change its type or ratios.")
    _report(panel, sides, wanted, config.split_type)
    return Split.of(sides)


def _by_time(panel: Panel, ratios: np.ndarray) -> np.ndarray:
    """Sorts by time: the oldest train, the newest test; molecules of one time stay together."""
    assert panel.split_values is not None  # noqa: S101 - build_panel read the column
    times = panel.split_values
    order = np.argsort(times, kind="stable")
    bounds = np.round(np.cumsum(ratios) * len(panel)).astype(int)
    sides = np.empty(len(panel), dtype=np.int8)
    for side, (start, stop) in enumerate(zip([0, *bounds[:2]], bounds, strict=True)):
        sides[order[start:stop]] = side
    for later in (1, 2):  # equal times at a boundary go to the earlier side
        for earlier in range(later):
            if (sides == later).any() and (sides == earlier).any():
                last = times[sides == earlier].max()
                sides[(sides == later) & (times == last)] = earlier
    return sides


def _report(panel: Panel, sides: np.ndarray, wanted: np.ndarray, kind: str) -> None:
    counts = np.bincount(sides, minlength=3)
    log.info("%s split: %d train, %d validation, %d test molecules", kind, *counts)
    present = panel.labels.present
    for name, count in zip(SIDES, counts, strict=True):
        if not count:
            log.warning("No molecule on the %s side of the split", name)
    for side in np.flatnonzero(wanted & (counts > 0)):
        bare = [
            task.name
            for task, has in zip(panel.tasks, present[sides == side].any(axis=0), strict=True)
            if not has
        ]
        if bare:
            log.warning("No label on the %s side for: %s", SIDES[side], ", ".join(bare))
