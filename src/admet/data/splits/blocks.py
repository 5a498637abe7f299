"""Blocks: molecules that never stand on two sides of a split."""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from rdkit import Chem, DataStructs, rdBase
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from admet.data.panel import Panel
from admet.workers import map_parts

_BUTINA_CUTOFF = 0.6  # Tanimoto distance; 0.4 similarity, where Morgan neighbours begin to count

_LARGEST_CUT = 1_000  # atoms; RDKit's time to cut side chains off grows with their cube


class Blocks(Protocol):
    """What numbers the blocks of a panel."""

    def __call__(self, panel: Panel, largest: float = math.inf) -> np.ndarray:
        """Gives the block of each molecule, shape (n,), from 0.

        Args:
            panel: The panel.
            largest: Molecules that a block may hold where it is no more than a rest: what stands
                together for want of anything in common.
        """


def largest_dealt(smallest_side: float) -> float:
    """Gives the size up to which a block is dealt: half of the smallest side that takes it."""
    return smallest_side / 2


def single_blocks(panel: Panel, largest: float = math.inf) -> np.ndarray:  # noqa: ARG001
    """Makes a block of each molecule."""
    return np.arange(len(panel))


def scaffold_blocks(panel: Panel, largest: float = math.inf) -> np.ndarray:
    """Numbers Bemis–Murcko scaffolds.

    Acyclic molecules have an empty scaffold, and share it, as in DeepChem's and Chemprop's splits.
    It is no series, though: where more than `largest` of them are there, each is a block of its
    own, so that they come to every side. So is a molecule of more than 1,000 atoms.

    Source: Bemis and Murcko, J. Med. Chem. 1996, 39, 2887.
    """
    smiles = [str(s) for s in panel.smiles]
    scaffolds = [scaffold for part in map_parts(_scaffolds, smiles) for scaffold in part]
    if sum(not scaffold for scaffold in scaffolds) > largest:
        known = zip(scaffolds, panel.smiles, strict=True)
        scaffolds = [scaffold or f"acyclic {smiles}" for scaffold, smiles in known]
    index: dict[str, int] = {}
    return np.array([index.setdefault(scaffold, len(index)) for scaffold in scaffolds])


def _scaffolds(smiles: Sequence[str]) -> list[str]:
    with rdBase.BlockLogs():
        return [_scaffold(s) for s in smiles]


def _scaffold(smiles: str) -> str:
    """Gives the scaffold, or the molecule itself where RDKit cannot cut its side chains off."""
    mol = Chem.MolFromSmiles(smiles)
    if not mol.GetRingInfo().NumRings():
        return ""
    if mol.GetNumAtoms() > _LARGEST_CUT:
        return smiles
    try:
        return str(MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False))
    except (ValueError, RuntimeError):
        return smiles


def cluster_blocks(panel: Panel, largest: float = math.inf) -> np.ndarray:  # noqa: ARG001
    """Numbers Butina clusters of Morgan fingerprints (radius 2, 2048 bits, distance 0.6).

    Source: Butina, J. Chem. Inf. Comput. Sci. 1999, 39, 747. Keeps neighbour lists instead of all
    distances, so that memory grows with the number of neighbours.
    """
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    with rdBase.BlockLogs():
        prints = [generator.GetFingerprint(Chem.MolFromSmiles(s)) for s in panel.smiles]
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


def column_blocks(panel: Panel, largest: float = math.inf) -> np.ndarray:  # noqa: ARG001
    """Numbers the groups that the panel's split column names: a project, a series, a batch."""
    assert panel.split_values is not None  # noqa: S101 - build_panel read the column
    return np.unique(panel.split_values, return_inverse=True)[1]


BLOCKS: dict[str, Blocks] = {
    "random": single_blocks,
    "scaffold": scaffold_blocks,
    "cluster": cluster_blocks,
    "group": column_blocks,
}
"""For each type of split that deals out blocks what numbers them."""
