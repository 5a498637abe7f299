"""Which parameters count as the shared encoder."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import nn

from admet.errors import ConfigError

if TYPE_CHECKING:
    from admet.model.chemprop.network import GroupedNetwork

DEFAULT_EXCLUSIONS = ("predictor", "predict", "ffn", "output", "readout", "head")


def select_encoder_parameters(
    network: nn.Module, patterns: Sequence[str]
) -> dict[str, nn.Parameter]:
    """Picks parameters by name.

    Args:
        network: The network.
        patterns: Parameters whose name holds one of these (in any case) are taken; if there are
            none, all are taken but those that hold one of `DEFAULT_EXCLUSIONS`.

    Returns:
        Name → parameter, in the order of the network, those that need a gradient only.

    Raises:
        ConfigError: If nothing is selected; lists the names that exist.
    """
    named = {n: p for n, p in network.named_parameters() if p.requires_grad}
    if patterns:
        chosen = {n: p for n, p in named.items() if _holds(n, patterns)}
    else:
        chosen = {n: p for n, p in named.items() if not _holds(n, DEFAULT_EXCLUSIONS)}
    if chosen:
        return chosen
    rule = (
        f"holds one of {list(patterns)}"
        if patterns
        else f"is free of the default exclusions {list(DEFAULT_EXCLUSIONS)}"
    )
    raise ConfigError(
        f"`encoder_param_patterns` selects nothing: no parameter name {rule}. The parameters are: "
        f"{', '.join(named) or 'none'}."
    )


def select_within_encoder(network: "GroupedNetwork", patterns: Sequence[str]) -> list[nn.Parameter]:
    """Picks parameters by name, all of which must belong to the encoder.

    Args:
        network: The network.
        patterns: As for `select_encoder_parameters`.

    Returns:
        The parameters, in the order of the network.

    Raises:
        ConfigError: If nothing is selected, or a parameter of a head.
    """
    chosen = select_encoder_parameters(network, patterns)
    heads = [name for name in chosen if not name.startswith("encoder.")]
    if heads:
        raise ConfigError(
            f"`encoder_param_patterns` selects {', '.join(heads[:3])}, outside the encoder; got "
            f"{list(patterns)}. Name parameters of the encoder, or set estimator to gradient, "
            "which compares any."
        )
    return list(chosen.values())


def _holds(name: str, patterns: Sequence[str]) -> bool:
    return any(pattern.casefold() in name.casefold() for pattern in patterns)
