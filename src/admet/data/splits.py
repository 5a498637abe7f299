"""Splits: every molecule on one side of train, validation and test, by a rule and a seed."""

import logging
from collections.abc import Callable

import numpy as np
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from admet.config.data import DataConfig
from admet.data.panel import Panel
from admet.errors import DataError

log = logging.getLogger(__name__)

SIDES = ("train", "val", "test")
_BUTINA_CUTOFF = 0.6  # Tanimoto distance; 0.4 similarity, where Morgan neighbours begin to count


def split_panel(panel: Panel, config: DataConfig, seed: int) -> np.ndarray:
    """Assigns every molecule to a side.

    `random`, `scaffold` and `cluster` deal out blocks (a molecule, a Bemis–Murcko scaffold, a
    Butina cluster) that never stand on two sides; then blocks are moved so that every task has
    labels on each side that is not empty by request, where its labels lie in enough blocks. A
    warning names the tasks for which that is impossible.

    Args:
        panel: The panel.
        config: Type, ratios and column of the split.
        seed: Seed of the dealing.

    Returns:
        Sides, shape (n,), dtype int8: 0 train, 1 validation, 2 test.

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
        blocks = _BLOCKS[config.split_type](panel.smiles)
        sides = _deal(blocks, ratios, np.random.default_rng(seed))
        wanted = ratios > 0
        _spread_labels(sides, blocks, ~np.isnan(panel.labels), wanted)
    if not (sides == 0).any():
        raise DataError("The split leaves no molecule to train on. Change its type or ratios.")
    _report(panel, sides, wanted, config.split_type)
    return sides


def _deal(blocks: np.ndarray, ratios: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Deals blocks to sides: large ones to train, the others shuffled and dealt until full."""
    n_blocks = int(blocks.max()) + 1
    sizes = np.bincount(blocks, minlength=n_blocks)
    capacity = ratios * len(blocks)
    held_out = capacity[1:][capacity[1:] > 0]
    too_large = sizes > (held_out.min() / 2 if held_out.size else 0)
    if sizes.max() == 1:
        too_large[:] = False
    order = rng.permutation(n_blocks)
    order = np.concatenate([order[too_large[order]], order[~too_large[order]]])
    block_side = np.zeros(n_blocks, dtype=np.int8)
    filled = np.zeros(3)
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


def _spread_labels(
    sides: np.ndarray, blocks: np.ndarray, present: np.ndarray, wanted: np.ndarray
) -> None:
    """Moves blocks, smallest first, until every task has a label on every wanted side, in place.

    A move is made only where it takes no task's last label from a side.
    """
    sizes = np.bincount(blocks)
    for task in np.argsort(present.sum(axis=0)):
        for side in np.flatnonzero(wanted):
            if present[sides == side, task].any():
                continue
            candidates = np.unique(blocks[present[:, task] & (sides != side)])
            for block in candidates[np.argsort(sizes[candidates], kind="stable")]:
                members = blocks == block
                donor = sides[members][0]
                rest = present[(sides == donor) & ~members].any(axis=0)
                held = present[members].any(axis=0)
                if rest[held].all():
                    sides[members] = side
                    break


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


def _single_blocks(smiles: np.ndarray) -> np.ndarray:
    return np.arange(len(smiles))


def _scaffold_blocks(smiles: np.ndarray) -> np.ndarray:
    """Numbers Bemis–Murcko scaffolds; all acyclic molecules share the empty one."""
    index: dict[str, int] = {}
    with rdBase.BlockLogs():
        scaffolds = [_scaffold(str(s)) for s in smiles]
    return np.array([index.setdefault(scaffold, len(index)) for scaffold in scaffolds])


def _scaffold(smiles: str) -> str:
    """Gives the scaffold, or the molecule itself where RDKit cannot cut its side chains off."""
    mol = Chem.MolFromSmiles(smiles)
    try:
        return str(MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False))
    except (ValueError, RuntimeError):
        return smiles


def _butina_blocks(smiles: np.ndarray) -> np.ndarray:
    """Numbers Butina clusters of Morgan fingerprints (radius 2, 2048 bits, distance 0.6).

    Source: Butina, J. Chem. Inf. Comput. Sci. 1999, 39, 747. Keeps neighbour lists instead of all
    distances, so that memory grows with the number of neighbours.
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    with rdBase.BlockLogs():
        prints = [generator.GetFingerprint(Chem.MolFromSmiles(s)) for s in smiles]
    neighbours: list[list[int]] = [[] for _ in prints]
    for i in range(1, len(prints)):
        similarity = np.asarray(DataStructs.BulkTanimotoSimilarity(prints[i], prints[:i]))
        for j in np.flatnonzero(similarity >= 1 - _BUTINA_CUTOFF):
            neighbours[i].append(int(j))
            neighbours[j].append(i)
    blocks = np.full(len(prints), -1)
    by_size = sorted(range(len(prints)), key=lambda i: (-len(neighbours[i]), i))
    cluster = 0
    for centre in by_size:
        if blocks[centre] >= 0:
            continue
        members = [i for i in (centre, *neighbours[centre]) if blocks[i] < 0]
        blocks[members] = cluster
        cluster += 1
    return blocks


_BLOCKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "random": _single_blocks,
    "scaffold": _scaffold_blocks,
    "cluster": _butina_blocks,
}


def _report(panel: Panel, sides: np.ndarray, wanted: np.ndarray, kind: str) -> None:
    counts = np.bincount(sides, minlength=3)
    log.info("%s split: %d train, %d validation, %d test molecules", kind, *counts)
    present = ~np.isnan(panel.labels)
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
