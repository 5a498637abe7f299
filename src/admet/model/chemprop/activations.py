"""Activations by Chemprop's names, with Chemprop's settings."""

from collections.abc import Callable

from torch import nn

_ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leakyrelu": lambda: nn.LeakyReLU(0.1),
    "prelu": nn.PReLU,
    "tanh": nn.Tanh,
    "elu": nn.ELU,
}


def build_activation(name: str) -> nn.Module:
    """Makes an activation.

    Args:
        name: One of relu, leakyrelu, prelu, tanh, elu; the schema has checked it.

    Returns:
        The module.
    """
    return _ACTIVATIONS[name]()
