"""Many small networks on frozen inputs, trained at once: members, folds and plans side by side."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from admet.config.frozen import FrozenMLPConfig
from admet.model.chemprop.plan import NetworkPlan


@dataclass(frozen=True)
class Layout:
    """The heads of one network, and who learns and serves what.

    A head holds the tasks of one group. All heads of networks that are trained at once have an
    output for each task; `learns` tells which of them count.

    Attributes:
        learns: Which outputs learn, shape (G, T), bool.
        serves: The head that serves each task, shape (T,), −1 where the network does not.
    """

    learns: np.ndarray
    serves: np.ndarray

    @classmethod
    def of(cls, plan: NetworkPlan, names: Sequence[str]) -> "Layout":
        """Translates the plan of a network.

        Args:
            plan: The network.
            names: T task names of the panel.
        """
        learns = np.array([[name in group.tasks for name in names] for group in plan.groups])
        serves = np.full(len(names), -1)
        for head, group in enumerate(plan.groups):
            for name in group.serves:
                serves[list(names).index(name)] = head
        return cls(learns, serves)


@dataclass(frozen=True, eq=False)
class Reading:
    """Which rows of M networks their heads read: those that have a label to learn.

    Where most cells are empty, a head reads few of the rows of its network.

    Attributes:
        n_rows: Rows of each network, M numbers.
        rows: Which rows the heads read, head after head, as places among those of all networks,
            shape (R,); None where each network has one head, which reads all.
        n_read: Rows that each head reads, M · G numbers.
        heads: For each network the head of each row that is read, shape (R_m,).
        own: Likewise the place of the row among those of its network, shape (R_m,).
    """

    n_rows: list[int]
    rows: Tensor | None
    n_read: list[int]
    heads: list[Tensor]
    own: list[Tensor]

    @classmethod
    def of(cls, read: Sequence[Tensor]) -> "Reading":
        """Lists them.

        Args:
            read: For each network which heads read its rows, shape (n_m, G), bool.
        """
        start, rows, n_read, heads, own = 0, [], [], [], []
        for each in read:
            head, row = each.T.nonzero(as_tuple=True)
            rows.append(row + start)
            n_read += each.sum(dim=0).tolist()
            heads.append(head)
            own.append(row)
            start += len(each)
        n_rows = [len(each) for each in read]
        return cls(n_rows, None if n_rows == n_read else torch.cat(rows), n_read, heads, own)


class StackedMLP(nn.Module):
    """M networks of G heads: an encoder layer each, and behind it a hidden layer a head.

    With one head it is a plain network with two hidden layers. All weights have a leading dimension
    of networks, or of their heads, so that one step of the optimiser serves all.
    """

    def __init__(
        self, d_in: int, n_heads: int, n_tasks: int, config: FrozenMLPConfig, seeds: Sequence[int]
    ) -> None:
        """Draws the weights, those of each network from its own seed.

        Args:
            d_in: Width of the inputs.
            n_heads: G, heads a network.
            n_tasks: T, outputs a head.
            config: Widths, depth and dropout.
            seeds: M seeds.
        """
        super().__init__()
        self.dropout = config.dropout
        width = config.hidden_size
        drawn: list[list[Tensor]] = []
        for seed in seeds:
            draw = torch.Generator().manual_seed(seed)
            own = _layer(1, d_in, width, draw)
            for _ in range(config.num_layers - 1):
                own += _layer(n_heads, width, width, draw)
            drawn.append([*own, *_layer(n_heads, width, n_tasks, draw)])
        stacked = [torch.cat(parts) for parts in zip(*drawn, strict=True)]
        self.weights = nn.ParameterList(stacked[0::2])
        self.biases = nn.ParameterList(stacked[1::2])

    def forward(
        self, X: Tensor, reading: Reading, draws: Sequence[torch.Generator] | None = None
    ) -> list[Tensor]:
        """Gives scaled values and logits.

        Args:
            X: Inputs, those of one network after the other, shape (N, d_in).
            reading: Which of them the heads read.
            draws: A source of dropout for each network; None applies none.

        Returns:
            For each network what its heads make of the rows that they read, shape (R_m, T).
        """
        layers = list(zip(self.weights, self.biases, strict=True))
        outputs = apply_layers(X, layers, reading, partial(self._dropped, draws=draws))
        return list(torch.split(outputs, [len(own) for own in reading.own]))

    def _dropped(
        self, H: Tensor, sizes: Sequence[int], draws: Sequence[torch.Generator] | None
    ) -> Tensor:
        """Applies dropout, from the source of each network, so that none depends on the others."""
        if draws is None or self.dropout == 0:
            return H
        kept = torch.empty_like(H)
        for part, draw in zip(torch.split(kept, list(sizes)), draws, strict=True):
            part.bernoulli_(1 - self.dropout, generator=draw)
        return H * kept / (1 - self.dropout)


def apply_layers(
    X: Tensor,
    layers: Sequence[tuple[Tensor, Tensor]],
    reading: Reading,
    drop: Callable[[Tensor, Sequence[int]], Tensor] = lambda H, _: H,
) -> Tensor:
    """Applies the layers of M networks of G heads.

    Args:
        X: Inputs, those of one network after the other, shape (N, d_in).
        layers: Weight and bias of each: of M networks for the first, of M · G heads for the others.
        reading: Which rows the heads read.
        drop: What is done to hidden values, of which so many are of each network.

    Returns:
        Shape (R, T), head after head.
    """
    first, *middle, last = layers
    H = drop(F.silu(_products(X, first, reading.n_rows)), reading.n_rows)
    if reading.rows is not None:
        H = H.index_select(0, reading.rows)
    sizes = [len(own) for own in reading.own]
    for layer in middle:
        H = drop(F.silu(_products(H, layer, reading.n_read)), sizes)
    return _products(H, last, reading.n_read)


def _products(H: Tensor, layer: tuple[Tensor, Tensor], sizes: Sequence[int]) -> Tensor:
    """Multiplies some rows with the weights of each network or head: (N, d_in) → (N, d_out)."""
    weight, bias = layer
    parts = zip(torch.split(H, list(sizes)), weight.unbind(), bias.unbind(), strict=True)
    return torch.cat([torch.addmm(b, h, w) for h, w, b in parts])


def _layer(n: int, d_in: int, d_out: int, draw: torch.Generator) -> list[Tensor]:
    """Draws n layers as `torch.nn.Linear` does: weights (n, d_in, d_out), biases (n, 1, d_out)."""
    bound = d_in**-0.5
    weight = torch.empty(n, d_in, d_out).uniform_(-bound, bound, generator=draw)
    bias = torch.empty(n, 1, d_out).uniform_(-bound, bound, generator=draw)
    return [weight, bias]
