"""Batches of graphs with their labels."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from admet.featurize import Batcher
from admet.model.chemprop.graph_batch import GraphBatch


@dataclass(frozen=True)
class LabelledBatch:
    """Graphs, targets and mask of b molecules.

    Attributes:
        graphs: The graphs.
        targets: Shape (b, T), float32; zero where there is no label.
        mask: Shape (b, T), bool; true where there is a label.
        limits: Shape (b, T), int8, as in `Labels`; None where no label of the set is a limit.
        inputs: Extra inputs, shape (b, d), float32; None where the network reads none.
    """

    graphs: GraphBatch
    targets: Tensor
    mask: Tensor
    limits: Tensor | None = None
    inputs: Tensor | None = None

    def __len__(self) -> int:
        return len(self.targets)

    def pin_memory(self) -> Self:
        """Gives the batch in memory from which a GPU can copy while the host goes on."""
        return type(self)(
            self.graphs.pin_memory(),
            self.targets.pin_memory(),
            self.mask.pin_memory(),
            None if self.limits is None else self.limits.pin_memory(),
            None if self.inputs is None else self.inputs.pin_memory(),
        )

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Self:
        """Gives the batch on another device."""
        return type(self)(
            self.graphs.to(device, non_blocking),
            self.targets.to(device, non_blocking=non_blocking),
            self.mask.to(device, non_blocking=non_blocking),
            None if self.limits is None else self.limits.to(device, non_blocking=non_blocking),
            None if self.inputs is None else self.inputs.to(device, non_blocking=non_blocking),
        )


class BatchLoader:
    """Iterates over batches of a labelled set, in a new order each time where it shuffles.

    The order depends on nothing but the seed and how often the loader was iterated over before. The
    last batch holds what is left, so that no label is passed over. With shuffling, a single
    molecule that would be left joins the batch before, since batch normalisation needs two.
    """

    def __init__(
        self,
        graphs: Batcher,
        rows: np.ndarray,
        targets: np.ndarray,
        batch_size: int,
        *,
        limits: np.ndarray | None = None,
        inputs: np.ndarray | None = None,
        shuffle: bool = False,
        seed: int = 0,
        backward: bool = False,
        pin_memory: bool = False,
    ) -> None:
        """Stores what to iterate over.

        Args:
            graphs: What cuts out the molecules.
            rows: The m molecules to iterate over, indices into `graphs`, shape (m,).
            targets: Their targets, shape (m, T), NaN where absent.
            batch_size: Molecules in one batch.
            limits: Which targets are limits, shape (m, T), int8, as in `Labels`; None for none.
            inputs: Extra inputs of all molecules of `graphs`, shape (n, d), float32; None for none.
            shuffle: Whether to change the order at every pass.
            seed: Seed of that order.
            backward: Whether gradients will be taken.
            pin_memory: Whether the batches go to a GPU.
        """
        self.graphs = graphs
        self.rows = np.asarray(rows)
        mask = ~np.isnan(targets)
        self._mask = torch.from_numpy(mask)
        self._targets = torch.from_numpy(np.where(mask, targets, 0.0).astype(np.float32))
        self._limits = None if limits is None else torch.from_numpy(limits)
        self._inputs = None if inputs is None else torch.from_numpy(inputs)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.backward = backward
        self.pin_memory = pin_memory
        self._rng = np.random.default_rng(seed)

    @property
    def random_state(self) -> dict[str, Any]:
        """What later orders depend on, in a form that JSON can hold."""
        return dict(self._rng.bit_generator.state)

    @random_state.setter
    def random_state(self, state: dict[str, Any]) -> None:
        self._rng.bit_generator.state = state

    def __len__(self) -> int:
        return len(self._starts())

    def _starts(self) -> list[int]:
        """Lists where the batches begin."""
        starts = list(range(0, len(self.rows), self.batch_size))
        left = len(self.rows) - starts[-1] if starts else 0
        joins = self.shuffle and self.batch_size > 1 and len(starts) > 1 and left == 1
        return starts[:-1] if joins else starts

    def __iter__(self) -> Iterator[LabelledBatch]:
        n = len(self.rows)
        order = self._rng.permutation(n) if self.shuffle else np.arange(n)
        for start, stop in itertools.pairwise([*self._starts(), n]):
            picked = order[start:stop]
            index = torch.from_numpy(picked)
            batch = LabelledBatch(
                GraphBatch.of(self.graphs.batch(self.rows[picked], backward=self.backward)),
                self._targets.index_select(0, index),
                self._mask.index_select(0, index),
                None if self._limits is None else self._limits.index_select(0, index),
                self._inputs_of(self.rows[picked]),
            )
            yield batch.pin_memory() if self.pin_memory else batch

    def _inputs_of(self, rows: np.ndarray) -> Tensor | None:
        return None if self._inputs is None else self._inputs[torch.from_numpy(rows)]
