"""A batch of molecules as the encoder reads it: which rows to sum, layer by layer."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Bags:
    """For each of m outputs the rows of an input, shape (n, d), that are summed into it.

    Attributes:
        index: Rows of all outputs, one output after the other, shape (n_entries,), int32.
        start: Where each output's rows start, shape (m,), int32.
        back_index: For each input row the outputs that it enters, shape (n_entries,), int32; empty
            in a batch without gradients.
        back_start: Where each input row's outputs start, shape (n,), int32; likewise.
    """

    index: Tensor
    start: Tensor
    back_index: Tensor
    back_start: Tensor

    @property
    def transposed(self) -> "Bags":
        """The gradient's way: from outputs to inputs."""
        return Bags(self.back_index, self.back_start, self.index, self.start)


@dataclass(frozen=True)
class Layer:
    """Where the rows of one layer come from.

    Attributes:
        origin: For each row the one row of the layer's input features.
        incoming: For each row the rows of the layer before that are summed into its message.
    """

    origin: Bags
    incoming: Bags


_BAG = 4  # tensors in one `Bags`


@dataclass(frozen=True)
class GraphBatch:
    """b molecules, as rows that are computed once wherever their values would be equal.

    Attributes:
        X: Features of the distinct bonds (source atom, bond), shape (n_bonds, d_v + d_e), float32.
        V: Distinct atom features, shape (n_kinds, d_v), float32.
        index: All lists of indices, one after the other, int32: one transfer moves them.
        lengths: Length of each list.
        n_graphs: Molecules in the batch.
    """

    X: Tensor
    V: Tensor
    index: Tensor
    lengths: tuple[int, ...]
    n_graphs: int

    def __len__(self) -> int:
        return self.n_graphs

    @classmethod
    def join(
        cls, X: np.ndarray, V: np.ndarray, lists: Sequence[np.ndarray], n_graphs: int
    ) -> "GraphBatch":
        """Makes a batch from lists of indices: layers from the first on, atoms, molecules."""
        index = np.concatenate(lists).astype(np.int32)
        return cls(
            torch.from_numpy(X),
            torch.from_numpy(V),
            torch.from_numpy(index),
            tuple(len(part) for part in lists),
            n_graphs,
        )

    def layers(self) -> tuple[list[Layer], Layer, Bags, Tensor]:
        """Takes the lists apart.

        Returns:
            The layers of bonds after the first; the layer of atoms, whose `origin` lies in `V`; the
            atoms of each molecule; and for each atom of the batch its row, shape (n_atoms,).
        """
        parts = torch.split(self.index, list(self.lengths))
        bags = [Bags(*parts[i : i + _BAG]) for i in range(0, len(parts) - 1, _BAG)]
        pairs = [Layer(bags[i], bags[i + 1]) for i in range(0, len(bags) - 1, 2)]
        members = bags[-1]
        return pairs[:-1], pairs[-1], members, members.index

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Gives the batch on another device."""
        return replace(
            self,
            X=self.X.to(device, non_blocking=non_blocking),
            V=self.V.to(device, non_blocking=non_blocking),
            index=self.index.to(device, non_blocking=non_blocking),
        )

    def pin_memory(self) -> Self:
        """Gives the batch in memory from which a GPU can copy while the host goes on."""
        return replace(
            self, X=self.X.pin_memory(), V=self.V.pin_memory(), index=self.index.pin_memory()
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
        n_bags: Number of bags with the empty ones behind the m; None is m.

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
        n_bags: Number of bags with those behind the m, which copy the first row and give it no
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
