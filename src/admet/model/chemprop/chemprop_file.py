"""Reads Chemprop's own model files without running anything that they hold."""

import re
import zipfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from torch import Tensor

from admet.config import FFNConfig, MessagePassingConfig
from admet.config.model import Activation
from admet.errors import ConfigError

_PASSING = "BondMessagePassing"
_PARAMETERS = {"leakyrelu": ("negative_slope", 0.1), "elu": ("alpha", 1.0)}
"""Activations whose number must be the one that Chemprop gives them by name."""
_MOST_LAYERS = 1000  # the schema takes fewer
_AGGREGATIONS = ("norm", "mean", "sum")
_ANY_LENGTH = re.compile(rb"c(?:builtins|__builtin__)\r?\nbytearray\r?\n")
_MAPPING = "AttributeDict"  # Lightning's name for a mapping


class _Inert:
    """Stands in for every class that a file names: it takes what it is given and does nothing."""

    def __init__(self, *args: object) -> None:
        self.args = args

    def __setstate__(self, state: object) -> None:
        self.state = state


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
        alone: Whether it says nothing of how atoms become a molecule: an encoder without the rest,
            or one whose aggregation is not ours.
    """

    encoder: MessagePassingConfig
    ffn: FFNConfig | None
    weights: dict[str, Tensor]
    d_v: int
    d_e: int
    outputs: tuple[str, ...] = ()
    alone: bool = False

    def of(self, part: str) -> dict[str, Tensor]:
        """Gives the weights below a name, without it."""
        start = f"{part}."
        return {k.removeprefix(start): v for k, v in self.weights.items() if k.startswith(start)}


def read_chemprop_file(
    path: Path, *, encoder_only: bool = False, content: Any = None
) -> ChempropFile:
    """Reads a model of Chemprop v2 (`.pt`, `.ckpt`), or an encoder alone as CheMeleon's.

    Tensors, numbers and texts are read by torch's reader of weights; each class that the file names
    becomes a thing without behaviour, so a file from a stranger can do no harm.

    Args:
        path: The file.
        encoder_only: Whether its aggregation and head do not matter, and may be of any kind.
        content: What it holds, where `read_content` has read it; None reads it.

    Returns:
        Its encoder and head.

    Raises:
        ConfigError: If it cannot be read, or is no bond message passing that can be rebuilt.
    """
    content = read_content(path) if content is None else content
    try:
        hyper = content["hyper_parameters"]
        alone = "message_passing" not in hyper
        passing = hyper if alone else hyper["message_passing"]
        weights = {str(name): tensor for name, tensor in content["state_dict"].items()}
        if alone:
            weights = {f"message_passing.{name}": tensor for name, tensor in weights.items()}
        rebuilt = not alone and (not encoder_only or _aggregation(hyper) in _AGGREGATIONS)
        return ChempropFile(
            _encoder(passing, hyper if rebuilt else {}),
            None if alone or encoder_only else _ffn(hyper["predictor"]),
            weights,
            int(passing["d_v"]),
            int(passing["d_e"]),
            _names(content),
            not rebuilt,
        )
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise ConfigError(
            f"{str(path)!r} holds no bond message passing that can be rebuilt ({error!r:.200}). "
            f"Name a model of Chemprop v2 with {_PASSING} and one of the activations "
            f"{', '.join(get_args(Activation))}."
        ) from None


def read_content(path: Path) -> Any:
    """Reads what a file of torch holds, without running anything of it.

    Raises:
        ConfigError: If it cannot be read, or would take more memory than it is long.
    """
    _check_archive(path)
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
    return content


def _check_archive(path: Path) -> None:
    """Refuses an archive that would take more memory than it is long.

    torch stores entries as they are; a bomb packs them, or lets several share the same bytes. And
    one word of its pickles makes an array of any length, which Chemprop's files never hold.

    Raises:
        ConfigError: Says which.
    """
    fault = ""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            packed = [i.filename for i in entries if i.compress_type != zipfile.ZIP_STORED]
            if packed:
                fault = f"its entry {packed[0]!r} is compressed, as torch never does"
            elif sum(i.file_size for i in entries) > path.stat().st_size:
                fault = "its entries are longer than the file"
            elif any(_ANY_LENGTH.search(archive.read(i)) for i in entries if _is_pickle(i)):
                fault = "it asks for an array of any length"
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return  # torch's reader says what is wrong with it
    if fault:
        raise ConfigError(
            f"{str(path)!r} cannot be read as a model of Chemprop v2: {fault}. Name the file that "
            "Chemprop wrote."
        )


def _is_pickle(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("data.pkl")


def _stand_in(name: str) -> type:
    """Makes what stands in for a class of this dotted name."""
    own = name.rpartition(".")[2]
    return OrderedDict if own == _MAPPING else type(own, (_Inert,), {})


def _encoder(passing: dict[str, Any], whole: dict[str, Any]) -> MessagePassingConfig:
    """Translates the shape of an encoder."""
    if (kind := _class_name(passing.get("cls")) or _PASSING) != _PASSING:
        raise ValueError(f"it is {kind}")
    if passing.get("d_vd"):
        raise ValueError("descriptors of atoms")
    aggregation = whole.get("agg", {})
    return MessagePassingConfig(
        depth=passing["depth"],
        hidden_size=passing["d_h"],
        dropout=float(passing.get("dropout", 0.0)),
        activation=_activation(passing.get("activation", "relu")),
        bias=bool(passing.get("bias", False)),
        undirected=bool(passing.get("undirected", False)),
        aggregation=_aggregation(whole),
        aggregation_norm=float(aggregation.get("norm", 100.0)),
        batch_norm=bool(whole.get("batch_norm", False)),
    )


def _ffn(predictor: dict[str, Any]) -> FFNConfig:
    """Translates the shape of a head."""
    widths = predictor["hidden_dim"]
    if isinstance(widths, int):
        widths = [widths] * min(predictor["n_layers"], _MOST_LAYERS)
    if len(set(widths)) != 1:  # none, or several
        raise ValueError(f"hidden layers of {list(widths)}")
    return FFNConfig(
        num_layers=len(widths),
        hidden_size=widths[0],
        dropout=float(predictor.get("dropout", 0.0)),
        activation=_activation(predictor.get("activation", "relu")),
    )


def _aggregation(whole: dict[str, Any]) -> str:
    """Names the aggregation of a model as Chemprop does."""
    name = _class_name(whole.get("agg", {}).get("cls"))
    return name.removesuffix("Aggregation").lower() or "norm"


def _activation(stored: object) -> Any:
    """Names an activation as our schema does; it is stored as a text, a member or a module.

    Raises:
        ValueError: If it is not ours, or has another number than Chemprop's.
    """
    name = stored if isinstance(stored, str) else type(stored).__name__
    args, state = getattr(stored, "args", ()), getattr(stored, "state", None)
    if args:  # a member of an enumeration
        name = str(args[0])
    own = name.rpartition(".")[2].lower()
    if own not in get_args(Activation):
        raise ValueError(f"activation {name}")
    if isinstance(state, dict) and own in _PARAMETERS:  # a module
        key, wanted = _PARAMETERS[own]
        if state.get(key) != wanted:
            raise ValueError(f"activation {name} with {key} {state.get(key)}, not {wanted}")
    return own


def _class_name(cls: object) -> str:
    return str(getattr(cls, "__name__", ""))


def _names(content: dict[str, Any]) -> tuple[str, ...]:
    found = content.get("output_columns") or ()
    return tuple(map(str, found))
