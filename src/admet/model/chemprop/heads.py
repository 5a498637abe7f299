"""The heads: Chemprop's feed-forward network."""

import itertools

from torch import nn

from admet.config import FFNConfig
from admet.model.chemprop.activations import build_activation


def build_head(config: FFNConfig, input_dim: int, n_tasks: int) -> nn.Sequential:
    """Builds a head with the layers, the parameter names and the order of `chemprop.nn.ffn.MLP`.

    Args:
        config: The `model.ffn` section.
        input_dim: Width of the embedding.
        n_tasks: Number of outputs.

    Returns:
        Maps embeddings, shape (n, input_dim), to outputs, shape (n, n_tasks).
    """
    widths = [input_dim, *[config.hidden_size] * config.num_layers, n_tasks]
    dropout, activation = nn.Dropout(config.dropout), build_activation(config.activation)
    blocks = [nn.Sequential(nn.Linear(widths[0], widths[1]))]
    blocks += [
        nn.Sequential(activation, dropout, nn.Linear(d_in, d_out))
        for d_in, d_out in itertools.pairwise(widths[1:])
    ]
    return nn.Sequential(*blocks)
