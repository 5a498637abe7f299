"""Deals blocks to the sides of a split, or to folds."""

import numpy as np

from admet.data.splits.blocks import largest_dealt

FREE = -1
"""Stands for a side where a block has none yet."""


def deal(
    blocks: np.ndarray,
    ratios: np.ndarray,
    rng: np.random.Generator,
    settled: np.ndarray | None = None,
) -> np.ndarray:
    """Deals blocks to sides: large ones to train, the others shuffled and dealt until full.

    Args:
        blocks: Block of each molecule, shape (n,), from 0.
        ratios: Share of each side, train first, shape (3,).
        rng: Source of the order.
        settled: Side of each block that has one, else `FREE`; None where none has.

    Returns:
        Side of each molecule, shape (n,), int8.
    """
    n_blocks = int(blocks.max()) + 1
    sizes = np.bincount(blocks, minlength=n_blocks)
    capacity = ratios * len(blocks)
    held_out = capacity[1:][capacity[1:] > 0]
    too_large = sizes > (largest_dealt(held_out.min()) if held_out.size else 0)
    if sizes.max() == 1:
        too_large[:] = False
    order = rng.permutation(n_blocks)
    order = np.concatenate([order[too_large[order]], order[~too_large[order]]])
    block_side = np.zeros(n_blocks, dtype=np.int8) if settled is None else settled.astype(np.int8)
    filled = np.zeros(3)
    if settled is not None:
        order = order[settled[order] == FREE]
        for side in range(3):
            filled[side] = sizes[settled == side].sum()
    for block in order:
        room = capacity - filled
        if too_large[block]:
            side = 0 if ratios[0] > 0 else int(np.argmax(room))
        else:
            # The emptiest side relative to its size, so that all three sample the same blocks.
            side = int(np.argmax(np.where(ratios > 0, room / np.maximum(capacity, 1e-12), -np.inf)))
        block_side[block] = side
        filled[side] += sizes[block]
    return np.asarray(block_side[blocks])


def deal_evenly(blocks: np.ndarray, n_parts: int, rng: np.random.Generator) -> np.ndarray:
    """Deals blocks to parts of about one size: the largest first, each to the smallest part.

    Args:
        blocks: Block of each molecule, shape (n,), from 0.
        n_parts: Number of parts.
        rng: Source of the order of blocks of one size.

    Returns:
        Part of each molecule, shape (n,), int64.
    """
    sizes = np.bincount(blocks)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    part_of = np.zeros(len(sizes), dtype=np.int64)
    filled = np.zeros(n_parts, dtype=np.int64)
    for block in order:
        part = int(np.argmin(filled))
        part_of[block] = part
        filled[part] += sizes[block]
    return np.asarray(part_of[blocks])
