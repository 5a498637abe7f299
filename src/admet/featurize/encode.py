"""From SMILES cells to what a network reads, in one pass, for prediction."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from admet.config.data import Identity
from admet.data import cell_text, read_molecules
from admet.data.chemistry import LONGEST
from admet.data.structures import SURELY_ORGANIC
from admet.featurize.arrays import GraphArrays
from admet.featurize.packed import PackedGraphs, concatenate, featurize
from admet.featurize.unfolding import unfold

# A SMILES whose graph does not depend on how it is written: one fragment, no charge, isotope or
# explicit hydrogen, and no stereo mark, whose features depend on the order of the atoms.
_DIRECT = re.compile(r"(?:Cl|Br|[BCNOFPSIbcnops]|[-=#()0-9%:]|\[nH\])+")
# Halogens with more than one bond may be rewritten with charges.
_HYPERVALENT = re.compile(r"[=#](?:F|Cl|Br|I)|(?:F|Cl|Br|I)[=#(]")


@dataclass(frozen=True)
class Encoded:
    """n SMILES cells, ready for a network.

    Attributes:
        arrays: One batch of the m valid molecules, or None if there is none.
        valid: Their cells, shape (m,), int64, increasing.
        reasons: For each cell why it holds no molecule, or "".
        structures: For each cell the SMILES of its molecule, or ""; None where nobody asked.
    """

    arrays: GraphArrays | None
    valid: np.ndarray
    reasons: list[str]
    structures: list[str] | None = None


def encode(
    cells: Sequence[Any],
    standardize: bool,
    depth: int,
    undirected: bool,
    identity: Identity = "exact",
    *,
    with_structures: bool = False,
) -> Encoded:
    """Reads, standardises and featurises SMILES cells.

    Args:
        cells: n SMILES cells.
        standardize: Whether to standardise, as `read_molecules` does.
        depth: Message-passing depth of the network.
        undirected: Whether its messages average the two directions of a bond.
        identity: Which differences between molecules count, as in `read_molecules`.
        with_structures: Whether the SMILES are given, too; the graphs are the same.

    Returns:
        The batch, and what cannot be predicted and why.
    """
    graphs, valid, reasons = read_graphs(cells, standardize, identity)
    structures = None
    if with_structures:
        structures = [m.smiles or "" for m in read_molecules(cells, standardize, identity)]
    if graphs is None:
        return Encoded(None, valid, reasons, structures)
    arrays = unfold(graphs, depth, undirected).batch(np.arange(len(valid)))
    return Encoded(arrays, valid, reasons, structures)


def read_graphs(
    cells: Sequence[Any], standardize: bool, identity: Identity = "exact"
) -> tuple[PackedGraphs | None, np.ndarray, list[str]]:
    """Gives the graphs of the valid cells, which cells these are, and the reasons of the others.

    A plain SMILES is featurised as it stands, which saves parsing it three times. Its atoms then
    tell whether the molecule is as plain as it looks. All others go through `read_molecules`. Both
    ways give the same graph, except for the order of the atoms.
    """
    texts = [cell_text(cell) for cell in cells]
    short = [len(text) <= LONGEST for text in texts]
    direct = np.array(
        [
            i
            for i, t in enumerate(texts)
            if short[i]
            and _DIRECT.fullmatch(t)
            and SURELY_ORGANIC.match(t)
            and not _HYPERVALENT.search(t)
        ],
        dtype=np.int64,
    )
    parts, places = [], []
    if len(direct):
        graphs = featurize([texts[i] for i in direct])
        sound = _needs_nothing(graphs)
        if sound.any():
            parts.append(graphs if sound.all() else graphs.subset(np.flatnonzero(sound)))
            places.append(direct[sound])
        direct = direct[sound]
    reasons = [""] * len(texts)
    others = np.setdiff1d(np.arange(len(texts)), direct)
    if len(others):
        molecules = read_molecules([texts[i] for i in others], standardize, identity)
        for i, molecule in zip(others, molecules, strict=True):
            reasons[i] = molecule.reason
        kept = np.array([m.smiles is not None for m in molecules], dtype=bool)
        if kept.any():
            graphs = featurize([m.smiles for m in molecules if m.smiles is not None])
            parts.append(graphs)
            places.append(others[kept])
    if not parts:
        return None, np.empty(0, dtype=np.int64), reasons
    place = np.concatenate(places)
    order = np.argsort(place)
    joined = concatenate(parts).subset(order) if len(parts) > 1 else parts[0]
    return joined, place[order], reasons


def _needs_nothing(graphs: PackedGraphs) -> np.ndarray:
    """Tells which molecules standardisation would leave as they are, shape (n,), bool.

    A molecule without atoms could not be parsed. For a text of plain atoms, the atoms show what
    `admet.data.chemistry.is_standard` looks for: RDKit writes nitro groups, N-oxides and azides
    with charges when it parses them, and a sulfur or phosphorus with three neighbours may be a
    sulfoxide or a phosphorus that is rewritten.
    """
    doubtful = _doubtful_kinds(graphs.atom_table)[graphs.atom_kind]  # (n_atoms,)
    before = np.concatenate([[0], np.cumsum(doubtful)])
    counts = np.diff(before[graphs.atom_start])
    return np.asarray((counts == 0) & (np.diff(graphs.atom_start) > 0))


# Where Chemprop's V2 atom features stand: atomic number one-hot (37 elements and others), degree
# 0 … 5 and others, charge −1, −2, 1, 2, 0 and others.
_NUMBERS, _DEGREES, _CHARGES = slice(0, 38), slice(38, 45), slice(45, 51)
_NEUTRAL, _THREE, _PHOSPHORUS, _SULFUR = 4, 3, 14, 15


def _doubtful_kinds(table: np.ndarray) -> np.ndarray:
    charged = table[:, _CHARGES].argmax(axis=1) != _NEUTRAL
    number = table[:, _NUMBERS].argmax(axis=1)
    three = table[:, _DEGREES].argmax(axis=1) == _THREE
    return np.asarray(charged | (three & np.isin(number, (_PHOSPHORUS, _SULFUR))))
