"""Molecular graphs in a few flat arrays, and batches cut from them by slicing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from chemprop.featurizers import CuikmolmakerMolGraphFeaturizer
from torch import Tensor

_CHUNK = 1024  # molecules featurised in one call; bounds the memory of the intermediate lists


@dataclass(frozen=True)
class GraphBatch:
    """A batch of molecular graphs, with the attribute names of Chemprop's `BatchMolGraph`.

    Attributes:
        V: Atom features, shape (n_atoms, d_v), float32.
        E: Features of the directed bonds, shape (n_edges, d_e), float32.
        edge_index: Source and target atom of each directed bond, shape (2, n_edges), int64.
        rev_edge_index: Index of the opposite bond, shape (n_edges,), int64.
        batch: Molecule of each atom, shape (n_atoms,), int64.
        n_graphs: Molecules in the batch.
    """

    V: Tensor
    E: Tensor
    edge_index: Tensor
    rev_edge_index: Tensor
    batch: Tensor
    n_graphs: int

    def __len__(self) -> int:
        return self.n_graphs

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Gives the batch on another device."""
        return type(self)(
            self.V.to(device, non_blocking=non_blocking),
            self.E.to(device, non_blocking=non_blocking),
            self.edge_index.to(device, non_blocking=non_blocking),
            self.rev_edge_index.to(device, non_blocking=non_blocking),
            self.batch.to(device, non_blocking=non_blocking),
            self.n_graphs,
        )


@dataclass(frozen=True)
class PackedGraphs:
    """The graphs of n molecules, one after the other.

    Attributes:
        V: Atom features, shape (n_atoms, d_v), float32.
        E: Bond features, shape (n_edges, d_e), float32.
        edge_index: Atoms of each directed bond, counted within its molecule, shape (2, n_edges).
        rev_edge_index: Opposite bonds, counted within the molecule, shape (n_edges,).
        atom_start: First atom of each molecule and the end, shape (n + 1,).
        edge_start: First bond of each molecule and the end, shape (n + 1,).
    """

    V: Tensor
    E: Tensor
    edge_index: Tensor
    rev_edge_index: Tensor
    atom_start: np.ndarray
    edge_start: np.ndarray

    def __len__(self) -> int:
        return len(self.atom_start) - 1

    @property
    def d_v(self) -> int:
        """Number of atom features."""
        return self.V.shape[1]

    @property
    def d_e(self) -> int:
        """Number of bond features."""
        return self.E.shape[1]

    def batch(self, rows: np.ndarray) -> GraphBatch:
        """Cuts out a batch.

        Args:
            rows: Indices of the molecules, shape (b,).

        Returns:
            Their graphs in that order.
        """
        atoms, n_atoms = _ranges(self.atom_start, rows)  # (b_atoms,), (b,)
        edges, n_edges = _ranges(self.edge_start, rows)  # (b_edges,), (b,)
        atom_offset = np.repeat(np.cumsum(n_atoms) - n_atoms, n_edges)  # (b_edges,)
        edge_offset = np.repeat(np.cumsum(n_edges) - n_edges, n_edges)
        picked = torch.from_numpy(edges)
        return GraphBatch(
            self.V.index_select(0, torch.from_numpy(atoms)),
            self.E.index_select(0, picked),
            self.edge_index.index_select(1, picked) + torch.from_numpy(atom_offset),
            self.rev_edge_index.index_select(0, picked) + torch.from_numpy(edge_offset),
            torch.from_numpy(np.repeat(np.arange(len(rows)), n_atoms)),
            n_graphs=len(rows),
        )

    def subset(self, rows: np.ndarray) -> "PackedGraphs":
        """Gives the graphs of some molecules, indices of shape (m,), in that order."""
        atoms, n_atoms = _ranges(self.atom_start, rows)
        edges, n_edges = _ranges(self.edge_start, rows)
        picked = torch.from_numpy(edges)
        return PackedGraphs(
            self.V.index_select(0, torch.from_numpy(atoms)),
            self.E.index_select(0, picked),
            self.edge_index.index_select(1, picked),
            self.rev_edge_index.index_select(0, picked),
            np.concatenate([[0], np.cumsum(n_atoms)]),
            np.concatenate([[0], np.cumsum(n_edges)]),
        )


def featurize(smiles: Sequence[str] | np.ndarray) -> PackedGraphs:
    """Turns SMILES into graphs with Chemprop's default (V2) atom and bond features.

    Args:
        smiles: n valid SMILES.

    Returns:
        The packed graphs, in order.

    Raises:
        ValueError: If there is no molecule.
    """
    if not len(smiles):
        raise ValueError("`smiles` must hold at least one molecule; got none.")
    featurizer = CuikmolmakerMolGraphFeaturizer()
    parts = []
    for start in range(0, len(smiles), _CHUNK):
        chunk = [str(s) for s in smiles[start : start + _CHUNK]]
        parts.append(_pack(featurizer(chunk), len(chunk)))
    return _concatenate(parts)


def _pack(graphs: GraphBatch, n: int) -> PackedGraphs:
    """Replaces the offsets of a featurised chunk by starts."""
    n_atoms = np.bincount(graphs.batch.numpy(), minlength=n)  # (n,)
    atom_start = np.concatenate([[0], np.cumsum(n_atoms)])
    edge_graph = graphs.batch[graphs.edge_index[0]].numpy()  # (n_edges,)
    n_edges = np.bincount(edge_graph, minlength=n)
    edge_start = np.concatenate([[0], np.cumsum(n_edges)])
    return PackedGraphs(
        graphs.V.float(),
        graphs.E.float(),
        graphs.edge_index.long() - torch.from_numpy(atom_start[edge_graph]),
        graphs.rev_edge_index.long() - torch.from_numpy(edge_start[edge_graph]),
        atom_start,
        edge_start,
    )


def _concatenate(parts: list[PackedGraphs]) -> PackedGraphs:
    atom_counts = np.concatenate([np.diff(part.atom_start) for part in parts])
    edge_counts = np.concatenate([np.diff(part.edge_start) for part in parts])
    return PackedGraphs(
        torch.cat([part.V for part in parts]),
        torch.cat([part.E for part in parts]),
        torch.cat([part.edge_index for part in parts], dim=1),
        torch.cat([part.rev_edge_index for part in parts]),
        np.concatenate([[0], np.cumsum(atom_counts)]),
        np.concatenate([[0], np.cumsum(edge_counts)]),
    )


def _ranges(starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists the indices starts[r] … starts[r + 1] − 1 of all rows, and how many each has."""
    first = starts[rows]
    counts = starts[rows + 1] - first
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first - before, counts), counts
