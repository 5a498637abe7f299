"""Which parameters count as the shared encoder."""

from collections.abc import Sequence

from torch import nn

from admet.errors import ConfigError

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


def _holds(name: str, patterns: Sequence[str]) -> bool:
    return any(pattern.casefold() in name.casefold() for pattern in patterns)
