"""Which parameters count as the shared encoder."""

from collections.abc import Sequence

from torch import nn

from admet.errors import ConfigError

DEFAULT_EXCLUSIONS = ("predictor", "predict", "ffn", "output", "readout", "head")


def select_encoder_parameters(
    network: nn.Module, patterns: Sequence[str], encoder: str | None = None
) -> dict[str, nn.Parameter]:
    """Picks parameters by name.

    Args:
        network: The network.
        patterns: Parameters whose name holds one of these (in any case) are taken.
        encoder: Where there are no patterns, the submodule whose parameters are taken; None takes
            all but those whose name holds one of `DEFAULT_EXCLUSIONS`.

    Returns:
        Name → parameter, in the order of the network; only those that need a gradient.

    Raises:
        ConfigError: If nothing is selected; lists the names that exist.
    """
    named = {n: p for n, p in network.named_parameters() if p.requires_grad}
    if patterns:
        chosen = {n: p for n, p in named.items() if _holds(n, patterns)}
    elif encoder is not None:
        chosen = {n: p for n, p in named.items() if n.startswith(f"{encoder}.")}
    else:
        chosen = {n: p for n, p in named.items() if not _holds(n, DEFAULT_EXCLUSIONS)}
    if chosen:
        return chosen
    if patterns:
        rule = f"holds one of {list(patterns)}"
    elif encoder is not None:
        rule = f"begins with {encoder!r}"
    else:
        rule = f"is free of the default exclusions {list(DEFAULT_EXCLUSIONS)}"
    raise ConfigError(
        f"`encoder_param_patterns` selects nothing: no parameter name {rule}. The parameters are: "
        f"{', '.join(named) or 'none'}."
    )


def select_within_encoder(
    network: nn.Module, patterns: Sequence[str], encoder: str = "encoder"
) -> list[nn.Parameter]:
    """Picks parameters by name, all of which must belong to the encoder.

    Args:
        network: The network.
        patterns: Parameters of the encoder whose name holds one of these are taken; if there are
            none, all of them.
        encoder: Name of the submodule that is the encoder.

    Returns:
        The parameters, in the order of the network.

    Raises:
        ConfigError: If nothing is selected, or a parameter of a head.
    """
    chosen = select_encoder_parameters(network, patterns, encoder)
    heads = [name for name in chosen if not name.startswith(f"{encoder}.")]
    if heads:
        raise ConfigError(
            f"`encoder_param_patterns` selects {', '.join(heads[:3])}, outside the encoder; got "
            f"{list(patterns)}. Name parameters of the encoder, or set estimator to gradient, "
            "which compares any."
        )
    return list(chosen.values())


def _holds(name: str, patterns: Sequence[str]) -> bool:
    return any(pattern.casefold() in name.casefold() for pattern in patterns)
