"""The split of an earlier run, which a later one goes on from."""

import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from admet.data.panel import Panel
from admet.data.splits.deal import FREE
from admet.data.splits.split import SIDES
from admet.errors import RunDirectoryError
from admet.files import SPLIT_TABLE

log = logging.getLogger(__name__)


def read_split(run_dir: Path) -> dict[str, str]:
    """Reads the side ("train", "val", "test") of every molecule of a run by canonical SMILES.

    Raises:
        RunDirectoryError: If the file is missing or damaged.
    """
    path = run_dir / SPLIT_TABLE
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        sides = dict(zip(frame["smiles"], frame["split"], strict=True))
    except FileNotFoundError:
        raise RunDirectoryError(
            f"{str(run_dir)!r} holds no {SPLIT_TABLE}. Name a folder that `admet train` wrote."
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise RunDirectoryError(
            f"{str(path)!r} cannot be read: {error}. Copy the run directory again."
        ) from None
    if strange := sorted(set(sides.values()) - set(SIDES)):
        raise RunDirectoryError(
            f"{str(path)!r} is damaged: {strange[0]!r} is no side of a split ({', '.join(SIDES)}). "
            "Copy the run directory again."
        )
    return sides


def kept_sides(panel: Panel, earlier: Mapping[str, str], source: Path) -> np.ndarray:
    """Finds the molecules of a panel in an earlier split, and logs how many there are.

    Args:
        panel: The panel.
        earlier: Canonical SMILES → side, as `read_split` gives it.
        source: The run that it is of, for the log.

    Returns:
        The side of each molecule, shape (n,), int8; `FREE` for those that the run did not have.
    """
    place = {name: side for side, name in enumerate(SIDES)}
    known = [earlier.get(str(smiles)) for smiles in panel.smiles]
    sides = np.array([FREE if name is None else place[name] for name in known], dtype=np.int8)
    n_old = int((sides != FREE).sum())
    log.info(
        "Split from %s: %d molecules keep their side, %d new ones are dealt",
        source,
        n_old,
        len(panel) - n_old,
    )
    if not n_old:
        log.warning(
            "data.split_from: %s has none of these molecules. Check that it is the run that is "
            "meant, and that data.standardize is as it was there",
            source,
        )
    elif len(earlier) > n_old:
        log.warning(
            "%d molecules of %s are not in this table. A run that goes on from this one will deal "
            "them anew: keep old molecules in the table",
            len(earlier) - n_old,
            source,
        )
    return sides


def settled_blocks(kept: np.ndarray, blocks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Settles the blocks that hold molecules of the earlier split.

    A new molecule follows the old ones of its block where these stand on one side. Where they stand
    on several, which an earlier split of another type may have done, each old molecule becomes part
    of a block of its side, and the new ones stay a block of their own.

    Args:
        kept: Side of each molecule, or `FREE`, shape (n,).
        blocks: Block of each molecule, shape (n,).

    Returns:
        The blocks, shape (n,), numbered anew, and the side of each block or `FREE`, shape
        (n_blocks,).
    """
    n_blocks = int(blocks.max()) + 1
    on_side = np.zeros((n_blocks, len(SIDES)), dtype=bool)
    old = kept != FREE
    on_side[blocks[old], kept[old]] = True
    torn = on_side.sum(axis=1) > 1
    parts = np.where(torn[blocks], kept.astype(int) + 1, 0)  # 0 … 3: what of its block stays whole
    numbered, inverse = np.unique(blocks * 4 + parts, return_inverse=True)
    settled = np.where(on_side.any(axis=1), on_side.argmax(axis=1), FREE)
    own = numbered % 4 - 1  # −1, which is `FREE`, for a part of new molecules, too
    return inverse, np.where(
        torn[numbered // 4], np.where(own < 0, FREE, own), settled[numbered // 4]
    )
