"""The grouped network: one shared encoder and one head per group."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from admet.config import ModelConfig
from admet.featurize import Batcher, PackedGraphs, Unshared
from admet.model.chemprop.encoder import Encoder
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.heads import build_head


class GroupedNetwork(nn.Module):
    """Predicts T tasks; the tasks of a group share a head, all groups share the encoder.

    With one group it is Chemprop's multi-task model, with one task Chemprop's single-task model.
    """

    def __init__(
        self, config: ModelConfig, groups: Sequence[Sequence[int]], d_v: int, d_e: int
    ) -> None:
        """Builds the network.

        Args:
            config: The `model` section.
            groups: For each group the columns (0 … T − 1) of its tasks; every column in one group.
            d_v: Number of atom features.
            d_e: Number of bond features.

        Raises:
            ValueError: If a column is in no group or in two.
        """
        super().__init__()
        columns = [column for group in groups for column in group]
        if sorted(columns) != list(range(len(columns))):
            raise ValueError(
                f"`groups` must hold every column from 0 to T − 1 once; got {list(groups)}."
            )
        self.groups = tuple(tuple(group) for group in groups)
        self.encoder = Encoder(config.message_passing, d_v, d_e)
        self.heads = nn.ModuleList(
            build_head(config.ffn, self.encoder.output_dim, len(group)) for group in self.groups
        )
        order = torch.argsort(torch.tensor(columns))
        self.register_buffer("_order", order, persistent=False)

    def batcher(self, graphs: PackedGraphs, *, training: bool = False) -> Batcher:
        """Gives what cuts batches for this network out of packed graphs.

        Args:
            graphs: The graphs.
            training: Whether dropout will be active.
        """
        config = self.encoder.config
        unfolding = graphs.unfold(config.depth, config.undirected)
        return Unshared(unfolding) if training and config.dropout > 0 else unfolding

    def forward(self, graphs: GraphBatch) -> Tensor:
        """Gives scaled values (regression) and logits (binary), shape (n_graphs, T)."""
        return self.decode(self.encoder(graphs))

    def decode(self, Z: Tensor) -> Tensor:
        """Applies the heads to embeddings, shape (n, d_h) → (n, T), in the order of the tasks."""
        if len(self.heads) == 1 and self.groups[0] == tuple(range(len(self.groups[0]))):
            return self.heads[0](Z)  # type: ignore[no-any-return]
        outputs = torch.cat([head(Z) for head in self.heads], dim=1)  # (n, T) by group
        return outputs.index_select(1, self.get_buffer("_order"))
