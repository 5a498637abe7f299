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


class StackedMLP(nn.Module):
    """M networks of G heads: an encoder layer each, and behind it a hidden layer a head.

    With one head it is a plain network with two hidden layers. All weights have a leading dimension
    of networks, so that one product of matrices serves all.
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
        self.n_heads = n_heads
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

    def forward(self, X: Tensor, draws: Sequence[torch.Generator] | None = None) -> Tensor:
        """Gives scaled values and logits.

        Args:
            X: Inputs, shape (M, n, d_in).
            draws: A source of dropout for each network; None applies none.

        Returns:
            Shape (M, G, n, T).
        """
        layers = list(zip(self.weights, self.biases, strict=True))
        return apply_layers(X, layers, self.n_heads, partial(self._dropped, draws=draws))

    def _dropped(self, H: Tensor, draws: Sequence[torch.Generator] | None) -> Tensor:
        """Applies dropout, from the source of each network, so that none depends on the others."""
        if draws is None or self.dropout == 0:
            return H
        kept = torch.empty_like(H)
        each = len(H) // len(draws)
        for index, draw in enumerate(draws):
            kept[index * each : (index + 1) * each].bernoulli_(1 - self.dropout, generator=draw)
        return H * kept / (1 - self.dropout)


def apply_layers(
    X: Tensor,
    layers: Sequence[tuple[Tensor, Tensor]],
    n_heads: int,
    drop: Callable[[Tensor], Tensor] = lambda H: H,
) -> Tensor:
    """Applies the layers of M networks of G heads.

    Args:
        X: Inputs, shape (M, n, d_in).
        layers: Weight and bias of each: of M networks for the first, of M · G heads for the others.
        n_heads: G.
        drop: What is done to hidden values.

    Returns:
        Shape (M, G, n, T).
    """
    M, n, _ = X.shape
    (weight, bias), *middle, last = layers
    H = drop(F.silu(torch.baddbmm(bias, X, weight)))  # (M, n, h)
    if n_heads > 1:
        H = H.unsqueeze(1).expand(M, n_heads, n, -1).reshape(M * n_heads, n, -1)
    for weight, bias in middle:
        H = drop(F.silu(torch.baddbmm(bias, H, weight)))  # (M · G, n, h)
    weight, bias = last
    return torch.baddbmm(bias, H, weight).view(M, n_heads, n, -1)


def _layer(n: int, d_in: int, d_out: int, draw: torch.Generator) -> list[Tensor]:
    """Draws n layers as `torch.nn.Linear` does: weights (n, d_in, d_out), biases (n, 1, d_out)."""
    bound = d_in**-0.5
    weight = torch.empty(n, d_in, d_out).uniform_(-bound, bound, generator=draw)
    bias = torch.empty(n, 1, d_out).uniform_(-bound, bound, generator=draw)
    return [weight, bias]
