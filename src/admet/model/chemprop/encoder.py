"""Chemprop's bond message passing: the same parameters and results, without repeated work.

Three things make it faster than Chemprop's own. Rows whose values would be equal are computed
once (`admet.featurize.unfolding`). Sums over neighbours are one fused gather and sum
(`embedding_bag`) instead of a `scatter_reduce_` over an index expanded to the hidden width. And
each linear layer adds into what is there already.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from admet.config import MessagePassingConfig
from admet.model.chemprop.activations import build_activation
from admet.model.chemprop.graph_batch import Bags, GraphBatch


class BondMessagePassing(nn.Module):
    """Chemprop's `BondMessagePassing`; the names of its parameters are the same.

    Source: Yang et al., J. Chem. Inf. Model. 2019, 59, 3370, Eqs. 1–5.
    """

    def __init__(
        self,
        d_v: int = 72,
        d_e: int = 14,
        d_h: int = 300,
        bias: bool = False,
        depth: int = 3,
        dropout: float = 0.0,
        activation: str = "relu",
        undirected: bool = False,
        d_vd: int | None = None,
    ) -> None:
        """Builds the layers in Chemprop's order, so that one seed gives the same weights.

        Args:
            d_v: Number of atom features.
            d_e: Number of bond features.
            d_h: Hidden width.
            bias: Whether the message layers have a bias.
            depth: Number of message-passing steps.
            dropout: Dropout after each update of the bond vectors, and on the atom vectors.
            activation: Name of the activation.
            undirected: Whether a message averages the two directions of a bond.
            d_vd: Width of additional atom descriptors, or None.
        """
        super().__init__()
        self.d_v = d_v
        self.depth = depth
        self.undirected = undirected
        self.W_i = nn.Linear(d_v + d_e, d_h, bias)
        self.W_h = nn.Linear(d_h, d_h, bias)
        self.W_o = nn.Linear(d_v + d_h, d_h)
        self.W_d = nn.Linear(d_h + d_vd, d_h + d_vd) if d_vd else None
        self.dropout = nn.Dropout(dropout)
        self.tau = build_activation(activation)

    @property
    def output_dim(self) -> int:
        """Width of an atom vector."""
        return (self.W_o if self.W_d is None else self.W_d).out_features

    def forward(self, graphs: GraphBatch, V_d: Tensor | None = None) -> Tensor:
        """Encodes the atoms.

        Args:
            graphs: The graphs.
            V_d: Additional atom descriptors, shape (n_atoms, d_vd), or None.

        Returns:
            Vectors of all atoms of the batch, shape (n_atoms, d_h), with descriptors
            (n_atoms, d_h + d_vd).

        Raises:
            ValueError: If there are descriptors but no layer for them, or they have another shape.
        """
        H = self.rows(graphs)  # (n_rows, d_h)
        *_, row = graphs.layers()
        H = H.index_select(0, row)  # (n_atoms, d_h)
        if V_d is None:
            return H
        wanted = 0 if self.W_d is None else self.W_d.in_features - self.W_o.out_features
        if self.W_d is None or V_d.shape != (len(H), wanted):
            raise ValueError(
                f"`V_d` must have shape ({len(H)}, {wanted or 'd_vd'}), and the encoder be built "
                f"with that `d_vd`; got {tuple(V_d.shape)} for d_vd {wanted or None}."
            )
        H = self.W_d(torch.cat((H, V_d), dim=1))  # (n_atoms, d_h + d_vd)
        return self.dropout(H)  # type: ignore[no-any-return]

    def rows(self, graphs: GraphBatch, tape: list["Product"] | None = None) -> Tensor:
        """Encodes the distinct atoms.

        Args:
            graphs: The graphs.
            tape: Takes up every product with a weight, in order; None where that is not wanted.

        Returns:
            Shape (n_rows, d_h).
        """
        tape = [] if tape is None else tape
        layers, atoms, _, _ = graphs.layers()
        H_0 = self.W_i(graphs.X)  # (n_bonds, d_h)
        tape.append(Product("W_i", graphs.X, H_0))
        H = self.tau(H_0)
        for layer in layers:
            M = sum_bags(H, layer.incoming)  # (n_rows, d_h)
            if self.undirected:
                M = M / 2  # the bag holds both directions
            Z = torch.addmm(select_rows(H_0, layer.origin), M, self.W_h.weight.T)
            if self.W_h.bias is not None:
                Z = Z + self.W_h.bias
            tape.append(Product("W_h", M, Z))
            H = self.dropout(self.tau(Z))  # (n_rows, d_h)
        W_v, W_m = self.W_o.weight.tensor_split([self.d_v], dim=1)
        H_v = F.linear(graphs.V, W_v, self.W_o.bias)  # (n_kinds, d_h)
        M = sum_bags(H, atoms.incoming)  # (n_rows, d_h)
        Z = torch.addmm(select_rows(H_v, atoms.origin), M, W_m.T)
        tape += [Product("W_o, atoms", graphs.V, H_v), Product("W_o, messages", M, Z)]
        return self.dropout(self.tau(Z))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Product:
    """Rows that a weight multiplied.

    Attributes:
        weight: "W_i", "W_h", or the columns of "W_o" for atoms or for messages.
        rows: What was multiplied, shape (n, d_in).
        result: The sum that holds the product, before the activation, shape (n, d_h).
    """

    weight: str
    rows: Tensor
    result: Tensor


class Encoder(nn.Module):
    """Graphs to embeddings: message passing, aggregation over atoms, optional batch norm.

    The parts are made in Chemprop's order, so that one seed gives the same weights as building
    `BondMessagePassing`, the aggregation and `BatchNorm1d` by hand.
    """

    def __init__(self, config: MessagePassingConfig, d_v: int, d_e: int) -> None:
        super().__init__()
        self.config = config
        self.message_passing = BondMessagePassing(
            d_v=d_v,
            d_e=d_e,
            d_h=config.hidden_size,
            bias=config.bias,
            depth=config.depth,
            dropout=config.dropout,
            activation=config.activation,
            undirected=config.undirected,
        )
        self.batch_norm: nn.Module = (
            nn.BatchNorm1d(config.hidden_size) if config.batch_norm else nn.Identity()
        )

    @property
    def output_dim(self) -> int:
        """Width of the embedding."""
        return self.message_passing.output_dim

    def forward(self, graphs: GraphBatch, tape: list[Product] | None = None) -> Tensor:
        """Gives the embeddings, shape (n_graphs, d_h), in the precision of the weights."""
        H = self.message_passing.rows(graphs, tape)  # (n_rows, d_h)
        *_, members, _ = graphs.layers()
        # In full precision: a molecule is the sum of many atoms.
        H = H.to(self.message_passing.W_o.weight.dtype)
        Z = sum_bags(H, members)  # (n_graphs, d_h)
        if self.config.aggregation == "norm":
            Z = Z / self.config.aggregation_norm
        elif self.config.aggregation == "mean":
            end = members.start.new_full((1,), len(members.index))
            n_atoms = torch.diff(members.start, append=end)  # (n_graphs,)
            Z = Z / n_atoms.clamp(min=1).unsqueeze(1)
        return self.batch_norm(Z)  # type: ignore[no-any-return]


# `forward` takes the context itself: with `setup_context`, every call would inspect a signature,
# which takes longer than the sum.
class _SumBags(torch.autograd.Function):
    """Sums rows by `embedding_bag`; the gradient is the same sum over the transposed lists."""

    @staticmethod
    def forward(ctx: Any, H: Tensor, bags: Bags) -> Tensor:
        ctx.bags = bags
        if not len(bags.index):
            return H.new_zeros(len(bags.start), H.shape[1])
        return F.embedding_bag(bags.index, H, bags.start, mode="sum")

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return sum_bags(gradient.contiguous(), ctx.bags.transposed), None


class _SelectRows(torch.autograd.Function):
    """Copies one row for each output; the gradient sums a row's copies."""

    @staticmethod
    def forward(ctx: Any, H: Tensor, bags: Bags) -> Tensor:
        ctx.bags = bags
        return H.index_select(0, bags.index)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return sum_bags(gradient.contiguous(), ctx.bags.transposed), None


def sum_bags(H: Tensor, bags: Bags) -> Tensor:
    """Sums the rows of each bag: H of shape (n, d) → (m, d). An empty bag gives zero."""
    return _SumBags.apply(H, bags)  # type: ignore[no-any-return,no-untyped-call]


def select_rows(H: Tensor, bags: Bags) -> Tensor:
    """Copies rows, for bags that hold one row each: H of shape (n, d) → (m, d)."""
    return _SelectRows.apply(H, bags)  # type: ignore[no-any-return,no-untyped-call]
