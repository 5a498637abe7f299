"""Graphs as a message-passing encoder sees them: equal neighbourhoods are one.

After t steps of message passing the vector of a bond depends on nothing but the bond's surroundings
of radius t. Bonds whose surroundings agree have the same vector, in one molecule or in two: of the
3,250 directed bonds in a batch of 64 drug-like molecules some 80 differ at the start, 450 after one
step and 1,250 after two. The surroundings are numbered once, so that every batch computes each only
once; results and gradients stay those of the plain computation. The numbering is the colour
refinement of Weisfeiler and Leman. Jia et al., Redundancy-Free Computation for Graph Neural
Networks, KDD 2020, showed that it removes work from graph networks.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd

from admet.featurize.arrays import GraphArrays, bag_lists, gather_lists, padded
from admet.featurize.indexing import compact, ranges, starts_of
from admet.featurize.packed import PackedGraphs

_MULTIPLE = 64  # at most a few percent more rows in a batch of 64 molecules


class Batcher(Protocol):
    """Cuts batches out of n molecules."""

    def __len__(self) -> int: ...

    def batch(self, rows: np.ndarray, *, backward: bool = False) -> GraphArrays:
        """Gives the molecules of some rows, shape (b,), with what gradients need if asked for."""
        ...


@dataclass(frozen=True)
class _Level:
    """Classes of one level, each defined by its origin and the classes below that it sums.

    Attributes:
        origin: Class of each at level 0 (bonds), or kind of atom (atoms), shape (n,), int32.
        start: Where each one's list starts, and the end, shape (n + 1,), int64.
        below: The classes of the level below, with repeats, shape (n_entries,), int32.
    """

    origin: np.ndarray
    start: np.ndarray
    below: np.ndarray

    def __len__(self) -> int:
        return len(self.origin)


@dataclass(frozen=True)
class Unfolding:
    """n molecules for an encoder of some depth.

    Attributes:
        graphs: The graphs.
        X: Features of the bond classes of level 0, shape (n_classes, d_v + d_e), float32.
        edge_class: Class of each directed bond at level 0, shape (n_edges,), int32.
        levels: The bond classes of the levels 1 … depth − 1.
        atoms: The atom classes, whose lists lie in the last level.
        atom_class: Class of each atom, shape (n_atoms,), int32.
        undirected: Whether a message averages the two directions of a bond.
        multiple: The number of rows of each layer is rounded up to a multiple of this.
    """

    graphs: PackedGraphs
    X: np.ndarray
    edge_class: np.ndarray
    levels: tuple[_Level, ...]
    atoms: _Level
    atom_class: np.ndarray
    undirected: bool
    multiple: int = _MULTIPLE

    def __len__(self) -> int:
        return len(self.graphs)

    def batch(self, rows: np.ndarray, *, backward: bool = False) -> GraphArrays:
        """Cuts out a batch in which equal surroundings are one row.

        Args:
            rows: Indices of the molecules, shape (b,).
            backward: Whether gradients will be needed.

        Returns:
            The batch.
        """
        atoms, n_atoms = ranges(self.graphs.atom_start, rows)
        classes, member = compact(self.atom_class[atoms], len(self.atoms))
        n_rows = padded(len(classes), self.multiple)
        members = bag_lists(member, n_atoms, n_rows, backward=backward)
        kinds, kind = compact(self.atoms.origin[classes], len(self.graphs.atom_table))
        atom_origin = gather_lists(kind, len(kinds), backward=backward, n_bags=n_rows)
        # From the atoms down: only what a row above needs is a row.
        picked, counts = ranges(self.atoms.start, classes)
        below = self.atoms.below[picked]
        steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []  # inverse, counts, origin
        for level in reversed(self.levels):
            classes, inverse = compact(below, len(level))
            steps.append((inverse, counts, level.origin[classes]))
            picked, counts = ranges(level.start, classes)
            below = level.below[picked]
        # Level 0 holds what level 1 sums and what the levels above add again.
        bottom, inverse = compact(
            np.concatenate([below, *(origin for _, _, origin in steps)]), len(self.X)
        )
        cuts = np.cumsum([len(below), *(len(origin) for _, _, origin in steps)])[:-1]
        index, *origins = np.split(inverse, cuts)
        # Upwards again, since each list needs to know how many rows it sums from.
        X = _padded_rows(self.X[bottom], self.multiple)
        lists: list[np.ndarray] = []
        n_below = len(X)
        for (above, above_counts, _), origin in zip(steps[::-1], origins[::-1], strict=True):
            n_here = padded(len(origin), self.multiple)
            lists += gather_lists(origin, len(X), backward=backward, n_bags=n_here)
            lists += bag_lists(index, counts, n_below, backward=backward, n_bags=n_here)
            n_below, index, counts = n_here, above, above_counts
        lists += atom_origin
        lists += bag_lists(index, counts, n_below, backward=backward, n_bags=n_rows)
        return GraphArrays.join(X, self.graphs.atom_table[kinds], lists + members, len(rows))


@dataclass(frozen=True)
class Unshared:
    """The same molecules with a row for every bond and atom, as dropout in the encoder needs.

    Dropout draws for each bond and atom by itself, so equal surroundings are no longer equal.
    """

    unfolding: Unfolding
    multiple: int = _MULTIPLE

    def __len__(self) -> int:
        return len(self.unfolding)

    def batch(self, rows: np.ndarray, *, backward: bool = False) -> GraphArrays:
        """Cuts out a batch whose rows are the bonds and atoms in their order.

        Args:
            rows: Indices of the molecules, shape (b,).
            backward: Whether gradients will be needed.

        Returns:
            The batch. The first layer, which has no dropout, is shared all the same.
        """
        whole, multiple = self.unfolding, self.multiple
        edges, _ = ranges(whole.graphs.edge_start, rows)
        part = whole.graphs.subset(rows)
        bottom, inverse = compact(whole.edge_class[edges], len(whole.X))
        source, target = _global_ends(part)
        incoming, counts = _incoming(part, source, target)
        if whole.undirected:
            incoming = np.stack([incoming, incoming ^ 1], axis=1).ravel()
            counts = counts * 2
        X = _padded_rows(whole.X[bottom], multiple)
        n_edges, n_atoms = padded(len(source), multiple), padded(len(part.atom_kind), multiple)
        lists: list[np.ndarray] = []
        below, n_below = inverse, len(X)  # the row of each bond in the layer below
        for _ in whole.levels:
            lists += gather_lists(inverse, len(X), backward=backward, n_bags=n_edges)
            lists += bag_lists(below[incoming], counts, n_below, backward=backward, n_bags=n_edges)
            below, n_below = np.arange(len(source)), n_edges
        kinds, kind = compact(part.atom_kind, len(part.atom_table))
        order, n_inbound = _inbound(target, len(part.atom_kind))
        lists += gather_lists(kind, len(kinds), backward=backward, n_bags=n_atoms)
        lists += bag_lists(below[order], n_inbound, n_below, backward=backward, n_bags=n_atoms)
        per_molecule = np.diff(part.atom_start)
        lists += bag_lists(np.arange(len(part.atom_kind)), per_molecule, n_atoms, backward=backward)
        return GraphArrays.join(X, part.atom_table[kinds], lists, len(rows))


def unfold(graphs: PackedGraphs, depth: int, undirected: bool = False) -> Unfolding:
    """Gives graphs as a message-passing encoder of some depth sees them; keeps this with them.

    Args:
        graphs: The graphs.
        depth: Message-passing depth, at least 1.
        undirected: Whether a message averages the two directions of a bond.
    """
    return graphs.derive(_number, depth, undirected)


def _number(graphs: PackedGraphs, depth: int, undirected: bool) -> Unfolding:
    """Numbers the surroundings of all bonds and atoms; see `unfold`."""
    source, target = _global_ends(graphs)
    n_kinds = len(graphs.bond_table)
    pair = graphs.atom_kind[source].astype(np.int64) * n_kinds + graphs.bond_kind
    edge_class, pairs = pd.factorize(pair)
    X = np.concatenate(
        [graphs.atom_table[pairs // n_kinds], graphs.bond_table[pairs % n_kinds]], axis=1
    )
    incoming, n_incoming = _incoming(graphs, source, target)
    current, n_classes, levels = edge_class, len(pairs), []
    for _ in range(1, depth):
        below, counts = current[incoming], n_incoming
        if undirected:
            below = np.stack([below, current[incoming ^ 1]], axis=1).ravel()
            counts = counts * 2
        current, level = _refine(edge_class, below, counts, n_classes)
        levels.append(level)
        n_classes = len(level)
    order, n_inbound = _inbound(target, int(graphs.atom_start[-1]))
    atom_class, atoms = _refine(graphs.atom_kind, current[order], n_inbound, n_classes)
    return Unfolding(
        graphs,
        X,
        edge_class.astype(np.int32),
        tuple(levels),
        atoms,
        atom_class.astype(np.int32),
        undirected,
    )


def _padded_rows(X: np.ndarray, multiple: int) -> np.ndarray:
    """Appends rows of zeros, shape (n, d) → (the next multiple, d)."""
    filled = np.zeros((padded(len(X), multiple), X.shape[1]), dtype=X.dtype)
    filled[: len(X)] = X
    return filled


def _global_ends(graphs: PackedGraphs) -> tuple[np.ndarray, np.ndarray]:
    """Gives source and target of all bonds, counted through all molecules, shape (n_edges,)."""
    offset = np.repeat(graphs.atom_start[:-1], np.diff(graphs.edge_start))
    return graphs.source + offset, graphs.target + offset


def _inbound(target: np.ndarray, n_atoms: int) -> tuple[np.ndarray, np.ndarray]:
    """Lists the bonds into each atom, one atom after the other, and how many each has."""
    return np.argsort(target, kind="stable"), np.bincount(target, minlength=n_atoms)


def _incoming(
    graphs: PackedGraphs, source: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lists, for each bond, the bonds into its source except its opposite, and how many."""
    order, n_inbound = _inbound(target, int(graphs.atom_start[-1]))
    picked, counts = ranges(starts_of(n_inbound), source)
    found = order[picked]
    own = np.repeat(np.arange(len(source)), counts)
    keep = found != own ^ 1
    return found[keep], counts - 1


def _refine(
    origin: np.ndarray, below: np.ndarray, counts: np.ndarray, n_below: int
) -> tuple[np.ndarray, _Level]:
    """Numbers items by their origin and the multiset of classes that they sum.

    Args:
        origin: Shape (m,), non-negative.
        below: Classes below of all items, one item after the other, shape (n_entries,).
        counts: How many each has, shape (m,).
        n_below: Number of classes below.

    Returns:
        The class of each item, shape (m,), int64, and the classes.
    """
    starts = starts_of(counts)
    classes = np.empty(len(origin), dtype=np.int64)
    origins: list[np.ndarray] = []
    lists: list[np.ndarray] = []
    sizes: list[np.ndarray] = []
    n_classes = 0
    for size in np.unique(counts):
        items = np.flatnonzero(counts == size)
        members = below[starts[items][:, None] + np.arange(size)]  # (n_items, size)
        members = np.sort(members, axis=1)
        code = origin[items].astype(np.int64)
        for column in members.T:  # exact: each pair of numbers gets a number of its own
            code, _ = pd.factorize(code * max(n_below, 1) + column)
        code, distinct = pd.factorize(code)
        first = np.empty(len(distinct), dtype=np.int64)
        first[code[::-1]] = np.arange(len(code))[::-1]
        classes[items] = code + n_classes
        origins.append(origin[items[first]])
        lists.append(members[first].ravel())
        sizes.append(np.full(len(first), size))
        n_classes += len(first)
    if not len(origin):
        empty = np.empty(0, dtype=np.int32)
        return classes, _Level(empty, np.zeros(1, dtype=np.int64), empty)
    return classes, _Level(
        np.concatenate(origins).astype(np.int32),
        starts_of(np.concatenate(sizes)),
        np.concatenate(lists).astype(np.int32),
    )
