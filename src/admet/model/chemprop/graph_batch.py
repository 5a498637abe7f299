"""A batch of molecules as the encoder reads it."""

from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from admet.featurize import GraphArrays


@dataclass(frozen=True)
class Bags:
    """For each of m outputs, the rows of an input, shape (n, d), that are summed into it.

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
        """The direction of the gradient: from outputs to inputs."""
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
    def of(cls, arrays: GraphArrays) -> "GraphBatch":
        """Wraps arrays; nothing is copied."""
        return cls(
            torch.from_numpy(arrays.X),
            torch.from_numpy(arrays.V),
            torch.from_numpy(arrays.index),
            arrays.lengths,
            arrays.n_graphs,
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
