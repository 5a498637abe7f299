"""The grouped network: one shared encoder and one head per group."""

import torch
from torch import Tensor, nn

from admet.config import NetworkConfig
from admet.featurize import Batcher, PackedGraphs, Unshared, unfold
from admet.model.chemprop.encoder import Encoder
from admet.model.chemprop.extra_inputs import ScaledInputs
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.heads import build_head
from admet.model.chemprop.plan import NetworkPlan


class GroupedNetwork(nn.Module):
    """Predicts T tasks; the tasks of a group share a head, all groups share the encoder.

    With one group it is Chemprop's multi-task model, with one task Chemprop's single-task model.
    A task may be in several groups. All their heads learn it, and one of them serves it.

    The heads read the embedding Z and, where there are any, extra inputs X of the molecule beside
    it: [Z ‖ scaled X].

    Attributes:
        plan: Its groups, and which of them serves which task.
        serving: For each of T tasks the slot (output of a head) that serves it.
        inputs: The scale of the extra inputs; None where the heads read none.
    """

    def __init__(
        self, config: NetworkConfig, plan: NetworkPlan, d_v: int, d_e: int, n_inputs: int = 0
    ) -> None:
        """Builds the network.

        Args:
            config: Its shape.
            plan: Its groups.
            d_v: Number of atom features.
            d_e: Number of bond features.
            n_inputs: Numbers of extra inputs per molecule.
        """
        super().__init__()
        self.plan = plan
        self.serving = plan.serving
        self.encoder = Encoder(config.message_passing, d_v, d_e)
        self.inputs = ScaledInputs(n_inputs) if n_inputs else None
        self.heads = nn.ModuleList(
            build_head(config.ffn, self.encoder.output_dim + n_inputs, len(group.tasks))
            for group in plan.groups
        )
        self.register_buffer("_order", torch.tensor(self.serving), persistent=False)

    def batcher(self, graphs: PackedGraphs, *, training: bool = False) -> Batcher:
        """Gives what cuts batches for this network out of packed graphs.

        Args:
            graphs: The graphs.
            training: Whether dropout will be active.
        """
        config = self.encoder.config
        unfolding = unfold(graphs, config.depth, config.undirected)
        return Unshared(unfolding) if training and config.dropout > 0 else unfolding

    def forward(self, graphs: GraphBatch, inputs: Tensor | None = None) -> Tensor:
        """Gives scaled values (regression) and logits (binary), shape (n_graphs, T).

        Args:
            graphs: The graphs.
            inputs: Extra inputs, not scaled, shape (n_graphs, n_inputs); None for a network
                without.

        Raises:
            ValueError: If the network reads extra inputs and there are none, or the reverse.
        """
        return self.decode(self.embed(graphs, inputs))

    def embed(self, graphs: GraphBatch, inputs: Tensor | None = None) -> Tensor:
        """Gives what the heads read, shape (n_graphs, d_h + n_inputs); see `forward`."""
        Z = self.encoder(graphs)
        if self.inputs is None and inputs is None:
            return Z  # type: ignore[no-any-return]
        if self.inputs is None or inputs is None:
            raise ValueError("`inputs` must be there for a network with extra inputs, and only so.")
        return torch.cat((Z, self.inputs(inputs)), dim=1)

    def decode(self, Z: Tensor) -> Tensor:
        """Applies the heads to what they read, (n, d) → (n, T), in the order of the tasks."""
        outputs = self.decode_slots(Z)
        if self.serving == list(range(outputs.shape[1])):
            return outputs
        return outputs.index_select(1, self.get_buffer("_order"))

    def decode_slots(self, Z: Tensor) -> Tensor:
        """Applies the heads to what they read, (n, d) → (n, S), one head after the other."""
        outputs = [head(Z) for head in self.heads]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=1)

    def slot_outputs(self, graphs: GraphBatch, inputs: Tensor | None = None) -> Tensor:
        """Gives the outputs of all heads, shape (n_graphs, S): what a training compares."""
        return self.decode_slots(self.embed(graphs, inputs))
