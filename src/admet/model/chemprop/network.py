"""The grouped network: one shared encoder and one head per group."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from admet.config import NetworkConfig
from admet.featurize import Batcher, PackedGraphs, Unshared, unfold
from admet.model.chemprop.encoder import Encoder
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.heads import build_head


class GroupedNetwork(nn.Module):
    """Predicts T tasks; the tasks of a group share a head, all groups share the encoder.

    With one group it is Chemprop's multi-task model, with one task Chemprop's single-task model.
    A task may be in several groups: all their heads learn it, one of them serves it.

    Attributes:
        groups: For each group the columns of its tasks.
        slots: For each output of all heads, one head after the other, its column, shape (S,).
        serving: For each column the slot that serves it, shape (T,).
    """

    def __init__(
        self,
        config: NetworkConfig,
        groups: Sequence[Sequence[int]],
        d_v: int,
        d_e: int,
        serves: Sequence[int] | None = None,
    ) -> None:
        """Builds the network.

        Args:
            config: Its shape.
            groups: For each group the columns (0 … T − 1) of its tasks; every column in one group
                at least.
            d_v: Number of atom features.
            d_e: Number of bond features.
            serves: For each column the index of the group that serves it; None where each column
                is in one group only.

        Raises:
            ValueError: If a column is in no group, twice in one, in several without `serves`, or
                served by a group that does not hold it.
        """
        super().__init__()
        self.groups = tuple(tuple(group) for group in groups)
        self.slots = [column for group in self.groups for column in group]
        n_tasks = max(self.slots, default=-1) + 1
        once = sorted(self.slots) == list(range(n_tasks))
        if sorted(set(self.slots)) != list(range(n_tasks)) or not (once or serves is not None):
            raise ValueError(
                "`groups` must hold every column from 0 to T − 1 once, or several times with "
                f"`serves`; got {[list(group) for group in groups]}."
            )
        self.serving = self._serving(n_tasks, serves)
        self.encoder = Encoder(config.message_passing, d_v, d_e)
        self.heads = nn.ModuleList(
            build_head(config.ffn, self.encoder.output_dim, len(group)) for group in self.groups
        )
        self.register_buffer("_order", torch.tensor(self.serving), persistent=False)

    def _serving(self, n_tasks: int, serves: Sequence[int] | None) -> list[int]:
        """Finds the slot that serves each column."""
        places = [(g, column) for g, group in enumerate(self.groups) for column in group]
        if len(set(places)) < len(places):
            raise ValueError(f"`groups` must not hold a column twice in one; got {self.groups}.")
        if serves is None:
            return [self.slots.index(column) for column in range(n_tasks)]
        wanted = [(g, column) for column, g in enumerate(serves)]
        if len(wanted) != n_tasks or not set(wanted) <= set(places):
            raise ValueError(
                f"`serves` must name, for each of {n_tasks} columns, a group that holds it; got "
                f"{list(serves)} for {[list(group) for group in self.groups]}."
            )
        return [places.index(place) for place in wanted]

    def batcher(self, graphs: PackedGraphs, *, training: bool = False) -> Batcher:
        """Gives what cuts batches for this network out of packed graphs.

        Args:
            graphs: The graphs.
            training: Whether dropout will be active.
        """
        config = self.encoder.config
        unfolding = unfold(graphs, config.depth, config.undirected)
        return Unshared(unfolding) if training and config.dropout > 0 else unfolding

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Gives scaled values (regression) and logits (binary), shape (n_graphs, T)."""
        return self.decode(self.encoder(graphs))

    def decode(self, Z: Tensor) -> Tensor:
        """Applies the heads to embeddings, shape (n, d_h) → (n, T), in the order of the tasks."""
        outputs = self.decode_slots(Z)
        if self.serving == list(range(outputs.shape[1])):
            return outputs
        return outputs.index_select(1, self.get_buffer("_order"))

    def decode_slots(self, Z: Tensor) -> Tensor:
        """Applies the heads to embeddings, shape (n, d_h) → (n, S), one head after the other."""
        outputs = [head(Z) for head in self.heads]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def slot_outputs(self, graphs: GraphBatch) -> Tensor:
        """Gives the outputs of all heads, shape (n_graphs, S): what a training compares."""
        return self.decode_slots(self.encoder(graphs))
