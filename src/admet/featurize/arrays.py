"""A batch of molecules as arrays: which rows to sum, layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from admet.featurize.indexing import starts_of


@dataclass(frozen=True)
class GraphArrays:
    """b molecules, as rows that are computed once wherever their values would be equal.

    Every four lists make one bag: `index`, the rows of all outputs; `start`, where each output's
    rows start; and the same two in the other direction, from rows to outputs, which are empty in a
    batch without gradients. Each layer of bonds after the first, and then the layer of the atoms,
    has two bags: for each row, the row of the input features that it adds; and the rows of the
    layer before that it sums. The last bag holds the atoms of each molecule.

    Attributes:
        X: Features of the distinct bonds (source atom, bond), shape (n_bonds, d_v + d_e), float32.
        V: Distinct atom features, shape (n_kinds, d_v), float32.
        index: All lists, one after the other, int32: one transfer moves them.
        lengths: Length of each list.
        n_graphs: Molecules in the batch.
    """

    X: np.ndarray
    V: np.ndarray
    index: np.ndarray
    lengths: tuple[int, ...]
    n_graphs: int

    @classmethod
    def join(
        cls, X: np.ndarray, V: np.ndarray, lists: Sequence[np.ndarray], n_graphs: int
    ) -> "GraphArrays":
        """Makes a batch from its lists."""
        index = np.concatenate(lists).astype(np.int32)
        return cls(X, V, index, tuple(len(part) for part in lists), n_graphs)


@dataclass(frozen=True)
class StackedArrays:
    """Several batches as one in which none shares a row with another.

    Attributes:
        arrays: The joined batch; its molecules stand batch by batch.
        rows: First row of each batch and the end, shape (n_layers, n_batches + 1): in the input
            features, in each layer of bonds after the first, and in the atoms.
        kinds: The same for the rows of `V`, shape (n_batches + 1,).
        molecules: The same for the molecules, shape (n_batches + 1,).
    """

    arrays: GraphArrays
    rows: np.ndarray
    kinds: np.ndarray
    molecules: np.ndarray


def stack(parts: Sequence[GraphArrays]) -> StackedArrays:
    """Joins batches of one unfolding, made with gradients.

    Args:
        parts: The batches, at least one.

    Returns:
        The joined batch, and which of its rows come from which part.
    """
    split = [np.split(p.index, np.cumsum(p.lengths)[:-1]) for p in parts]
    joined: list[np.ndarray] = []
    n_outputs = []
    for first in range(0, len(parts[0].lengths), 4):
        bags = [lists[first : first + 4] for lists in split]  # index, start, back_index, back_start
        sizes = np.array([[len(part) for part in bag] for bag in bags])  # (n_batches, 4)
        before = np.cumsum(sizes, axis=0) - sizes
        # Each list's numbers count what another list holds: source rows, entries, outputs, entries.
        for own, counted in enumerate((3, 0, 1, 2)):
            shifted = [bag[own] + before[i, counted] for i, bag in enumerate(bags)]
            joined.append(np.concatenate(shifted))
        n_outputs.append(sizes[:, 1])
    # The second bag of each pair has a layer's rows as outputs.
    layers = [[len(p.X) for p in parts], *n_outputs[1:-1:2]]
    return StackedArrays(
        GraphArrays.join(
            np.concatenate([p.X for p in parts]),
            np.concatenate([p.V for p in parts]),
            joined,
            sum(p.n_graphs for p in parts),
        ),
        np.stack([starts_of(np.asarray(n)) for n in layers]),
        starts_of(np.array([len(p.V) for p in parts])),
        starts_of(np.array([p.n_graphs for p in parts])),
    )


def padded(n: int, multiple: int) -> int:
    """Rounds a number of rows up.

    Matrix products compile a kernel for every number of rows that they meet for the first time
    (with bfloat16 on a CPU that takes as long as the product itself), so batches whose numbers of
    rows differ by a few should not differ in shape.
    """
    return -(-n // multiple) * multiple


def bag_lists(
    index: np.ndarray,
    counts: np.ndarray,
    n_source: int,
    *,
    backward: bool,
    n_bags: int | None = None,
) -> list[np.ndarray]:
    """Makes the four lists of a `Bags`.

    Args:
        index: Source rows of all outputs, shape (n_entries,).
        counts: How many rows each output has, shape (m,).
        n_source: Number of source rows.
        backward: Whether the transposed lists are needed.
        n_bags: Number of bags, including empty ones after the m; None is m.

    Returns:
        index, start, back_index, back_start.
    """
    start = np.full(len(counts) if n_bags is None else n_bags, len(index), dtype=np.int64)
    np.cumsum(counts[:-1], out=start[1 : len(counts)])
    start[: min(1, len(counts))] = 0
    if not backward:
        empty = np.empty(0, dtype=np.int64)
        return [index, start, empty, empty]
    output = np.repeat(np.arange(len(counts)), counts)  # (n_entries,)
    return [index, start, *_transposed(index, output, n_source)]


def gather_lists(
    index: np.ndarray, n_source: int, *, backward: bool, n_bags: int | None = None
) -> list[np.ndarray]:
    """Makes the four lists of bags that hold one row each.

    Args:
        index: Source row of each output, shape (m,).
        n_source: Number of source rows.
        backward: Whether the transposed lists are needed.
        n_bags: Number of bags, including those after the m, which copy the first row and give it no
            gradient; None is m.

    Returns:
        index, start, back_index, back_start.
    """
    n_bags = len(index) if n_bags is None else n_bags
    start = np.arange(n_bags)
    filled = np.zeros(n_bags, dtype=np.int64)
    filled[: len(index)] = index
    if not backward:
        empty = np.empty(0, dtype=np.int64)
        return [filled, start, empty, empty]
    return [filled, start, *_transposed(index, np.arange(len(index)), n_source)]


def _transposed(
    index: np.ndarray, output: np.ndarray, n_source: int
) -> tuple[np.ndarray, np.ndarray]:
    """Sorts entries (source row, output) by source row: the outputs, and where each row starts."""
    # NumPy sorts 16-bit integers in linear time.
    keys = index.astype(np.uint16) if n_source <= 1 << 16 else index
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(index, minlength=n_source)
    return output[order], np.cumsum(counts) - counts
