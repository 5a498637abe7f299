"""Molecular graphs in a few flat arrays of small integers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, TypeVarTuple

import numpy as np
import pandas as pd

from admet.featurize.cuik import RawGraphs, raw_graphs
from admet.featurize.indexing import ranges, starts_of

D = TypeVar("D")
Args = TypeVarTuple("Args")

_CHUNK = 1024  # molecules featurised in one call; bounds the memory of the float features


@dataclass(frozen=True)
class PackedGraphs:
    """The graphs of n molecules, one after the other.

    Atoms and bonds of drug-like molecules have few distinct feature vectors (some fifty and twenty
    in a panel of thousands), so each atom and bond holds the row of a table.

    Attributes:
        atom_table: Distinct atom features, shape (n_atom_kinds, d_v), float32.
        bond_table: Distinct bond features, shape (n_bond_kinds, d_e), float32.
        atom_kind: Row of each atom, shape (n_atoms,), int32.
        bond_kind: Row of each directed bond, shape (n_edges,), int32.
        source: Atom where the bond begins, counted within its molecule, shape (n_edges,), int32.
        target: Atom where it ends, likewise. The opposite of bond e is bond e ^ 1.
        atom_start: First atom of each molecule and the end, shape (n + 1,), int64.
        edge_start: First bond of each molecule and the end, shape (n + 1,), int64.
    """

    atom_table: np.ndarray
    bond_table: np.ndarray
    atom_kind: np.ndarray
    bond_kind: np.ndarray
    source: np.ndarray
    target: np.ndarray
    atom_start: np.ndarray
    edge_start: np.ndarray
    _derived: dict[tuple[Any, ...], Any] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.atom_start) - 1

    @property
    def d_v(self) -> int:
        """Number of atom features."""
        return int(self.atom_table.shape[1])

    @property
    def d_e(self) -> int:
        """Number of bond features."""
        return int(self.bond_table.shape[1])

    def derive(self, make: Callable[["PackedGraphs", *Args], D], *args: *Args) -> D:
        """Gives what a function makes of the graphs; it is made once and kept with them.

        Args:
            make: The function.
            args: What it takes besides the graphs, hashable.
        """
        key = (make, *args)
        if key not in self._derived:
            self._derived[key] = make(self, *args)
        found: D = self._derived[key]
        return found

    def subset(self, rows: np.ndarray) -> "PackedGraphs":
        """Gives the graphs of some molecules, indices of shape (m,), in that order."""
        atoms, n_atoms = ranges(self.atom_start, rows)
        edges, n_edges = ranges(self.edge_start, rows)
        return PackedGraphs(
            self.atom_table,
            self.bond_table,
            self.atom_kind[atoms],
            self.bond_kind[edges],
            self.source[edges],
            self.target[edges],
            starts_of(n_atoms),
            starts_of(n_edges),
        )

    def raw(self, rows: np.ndarray) -> RawGraphs:
        """Gives the graphs of some molecules, indices of shape (m,), in Chemprop's form."""
        part = self.subset(rows)
        n_atoms, n_edges = np.diff(part.atom_start), np.diff(part.edge_start)
        offset = np.repeat(part.atom_start[:-1], n_edges)  # (n_edges,)
        return RawGraphs(
            part.atom_table[part.atom_kind],
            part.bond_table[part.bond_kind],
            np.stack([part.source + offset, part.target + offset]),
            np.arange(len(part.source)) ^ 1,
            np.repeat(np.arange(len(rows)), n_atoms),
        )


def featurize(smiles: Sequence[str] | np.ndarray) -> PackedGraphs:
    """Turns SMILES into graphs with Chemprop's default (V2) atom and bond features.

    Args:
        smiles: n SMILES. One that cannot be parsed becomes a graph without atoms.

    Returns:
        The packed graphs, in order.

    Raises:
        ValueError: If there is no molecule.
    """
    if not len(smiles):
        raise ValueError("`smiles` must hold at least one molecule; got none.")
    parts = []
    for start in range(0, len(smiles), _CHUNK):
        chunk = [str(s) for s in smiles[start : start + _CHUNK]]
        parts.append(pack(raw_graphs(chunk), len(chunk)))
    return concatenate(parts)


def pack(graphs: RawGraphs, n: int) -> PackedGraphs:
    """Replaces features by rows of a table, and offsets by starts.

    Args:
        graphs: The graphs, each bond directly followed by its opposite.
        n: Number of molecules; those at the end may be empty.

    Returns:
        The packed graphs.

    Raises:
        ValueError: If opposite bonds do not stand in pairs.
    """
    if not np.array_equal(graphs.rev_edge_index, np.arange(len(graphs.rev_edge_index)) ^ 1):
        raise ValueError("`graphs` must hold each bond directly followed by its opposite.")
    atom_start = starts_of(np.bincount(graphs.batch, minlength=n))
    edge_graph = graphs.batch[graphs.edge_index[0]]  # (n_edges,)
    atom_table, atom_kind = _distinct_rows(graphs.V)
    bond_table, bond_kind = _distinct_rows(graphs.E)
    source, target = (graphs.edge_index - atom_start[edge_graph]).astype(np.int32)
    return PackedGraphs(
        atom_table,
        bond_table,
        atom_kind,
        bond_kind,
        source,
        target,
        atom_start,
        starts_of(np.bincount(edge_graph, minlength=n)),
    )


def concatenate(parts: Sequence[PackedGraphs]) -> PackedGraphs:
    """Joins packed graphs."""
    if len(parts) == 1:
        return parts[0]
    atom_table, atom_kind = _join_kinds([(p.atom_table, p.atom_kind) for p in parts])
    bond_table, bond_kind = _join_kinds([(p.bond_table, p.bond_kind) for p in parts])
    return PackedGraphs(
        atom_table,
        bond_table,
        atom_kind,
        bond_kind,
        np.concatenate([part.source for part in parts]),
        np.concatenate([part.target for part in parts]),
        starts_of(np.concatenate([np.diff(part.atom_start) for part in parts])),
        starts_of(np.concatenate([np.diff(part.edge_start) for part in parts])),
    )


def _join_kinds(parts: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    table, row = _distinct_rows(np.concatenate([table for table, _ in parts]))
    offsets = starts_of(np.array([len(table) for table, _ in parts]))
    kinds = [row[kind + offset] for (_, kind), offset in zip(parts, offsets, strict=False)]
    return table, np.concatenate(kinds)


def _distinct_rows(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists the distinct rows, in the order of their first place, and which of them each row is.

    Rows are told apart by a hash of their bits, and then compared, so that a collision of the hash
    costs time but never gives a wrong answer.
    """
    features = np.ascontiguousarray(features, dtype=np.float32)
    weights = np.random.default_rng(0).integers(1, 2**63, features.shape[1], dtype=np.uint64)
    with np.errstate(over="ignore"):
        hashes = features.view(np.uint32).astype(np.uint64) @ (weights | np.uint64(1))
    kind, distinct = pd.factorize(hashes)
    first = np.empty(len(distinct), dtype=np.int64)
    first[kind[::-1]] = np.arange(len(kind))[::-1]
    table = features[first]
    if not np.array_equal(table[kind], features):
        table, kind = np.unique(features, axis=0, return_inverse=True)
    return table, kind.astype(np.int32)
