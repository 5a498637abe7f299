"""Reads Chemprop's own model files without running anything that they hold."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from admet.config import FFNConfig, MessagePassingConfig
from admet.errors import ConfigError

_ACTIVATION = "RELU"
_MAPPING = "AttributeDict"  # Lightning's name for a mapping


class _Inert:
    """Stands in for every class that a file names: it takes what it is given and does nothing."""

    def __init__(self, *args: object) -> None:
        self.args = args

    def __setstate__(self, state: object) -> None:
        pass


@dataclass(frozen=True)
class ChempropFile:
    """A message-passing network that Chemprop has trained.

    Attributes:
        encoder: Shape of the encoder, as ours.
        ffn: Shape of the head; None in a file of an encoder alone.
        weights: The weights by Chemprop's names.
        d_v: Number of atom features.
        d_e: Number of bond features.
        outputs: Names of its outputs, where the file has them.
    """

    encoder: MessagePassingConfig
    ffn: FFNConfig | None
    weights: dict[str, Tensor]
    d_v: int
    d_e: int
    outputs: tuple[str, ...] = ()

    def of(self, part: str) -> dict[str, Tensor]:
        """Gives the weights below a name, without it."""
        start = f"{part}."
        return {k.removeprefix(start): v for k, v in self.weights.items() if k.startswith(start)}


def read_chemprop_file(path: Path) -> ChempropFile:
    """Reads a model of Chemprop v2 (`.pt`), or an encoder alone as CheMeleon's.

    Tensors, numbers and texts are read by torch's reader of weights; each class that the file names
    becomes a thing without behaviour, so a file from a stranger can do no harm.

    Args:
        path: The file.

    Returns:
        Its encoder and head.

    Raises:
        ConfigError: If it cannot be read, or is no bond message passing that can be rebuilt.
    """
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(path)
        stubs: list[Any] = [(_stand_in(name), name) for name in names]
        with torch.serialization.safe_globals(stubs):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a damaged file
        first = str(error).strip().splitlines()[:1]
        raise ConfigError(
            f"{str(path)!r} cannot be read as a model of Chemprop v2: {' '.join(first)[:200]}. "
            "Name a .pt file that `chemprop train` wrote, or an encoder such as chemeleon_mp.pt."
        ) from None
    try:
        hyper = content["hyper_parameters"]
        alone = "message_passing" not in hyper
        passing = hyper if alone else hyper["message_passing"]
        weights = dict(content["state_dict"])
        if alone:
            weights = {f"message_passing.{name}": tensor for name, tensor in weights.items()}
        return ChempropFile(
            _encoder(passing, {} if alone else hyper),
            None if alone else _ffn(hyper["predictor"]),
            weights,
            int(passing["d_v"]),
            int(passing["d_e"]),
            _names(content),
        )
    except (KeyError, TypeError, ValueError, AttributeError, ValidationError) as error:
        raise ConfigError(
            f"{str(path)!r} holds no bond message passing that can be rebuilt ({error!r:.200}). "
            "Name a model of Chemprop v2 with BondMessagePassing and the activation relu."
        ) from None


def _stand_in(name: str) -> type:
    """Makes what stands in for a class of this dotted name."""
    own = name.rpartition(".")[2]
    return OrderedDict if own == _MAPPING else type(own, (_Inert,), {})


def _encoder(passing: dict[str, Any], whole: dict[str, Any]) -> MessagePassingConfig:
    """Translates the shape of an encoder."""
    _require_relu(passing.get("activation", _ACTIVATION))
    if passing.get("d_vd"):
        raise ValueError("descriptors of atoms")
    aggregation = whole.get("agg", {})
    name = _class_name(aggregation.get("cls")).removesuffix("Aggregation").lower() or "norm"
    return MessagePassingConfig(
        depth=passing["depth"],
        hidden_size=passing["d_h"],
        dropout=float(passing.get("dropout", 0.0)),
        bias=bool(passing.get("bias", False)),
        undirected=bool(passing.get("undirected", False)),
        aggregation=name,
        aggregation_norm=float(aggregation.get("norm", 100.0)),
        batch_norm=bool(whole.get("batch_norm", False)),
    )


def _ffn(predictor: dict[str, Any]) -> FFNConfig:
    """Translates the shape of a head."""
    _require_relu(predictor.get("activation", _ACTIVATION))
    return FFNConfig(
        num_layers=predictor["n_layers"],
        hidden_size=predictor["hidden_dim"],
        dropout=float(predictor.get("dropout", 0.0)),
    )


def _require_relu(activation: object) -> None:
    name = activation if isinstance(activation, str) else type(activation).__name__
    if args := getattr(activation, "args", ()):  # a member of an enumeration
        name = str(args[0])
    if name.rpartition(".")[2].upper() != _ACTIVATION:
        raise ValueError(f"activation {name}")


def _class_name(cls: object) -> str:
    return str(getattr(cls, "__name__", ""))


def _names(content: dict[str, Any]) -> tuple[str, ...]:
    found = content.get("output_columns") or ()
    return tuple(map(str, found))
