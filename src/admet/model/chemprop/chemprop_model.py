"""A whole model of Chemprop's, as a network of ours: checked before any memory is taken for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from admet.config import NetworkConfig
from admet.config.data import TaskKind
from admet.errors import ConfigError
from admet.featurize import featurize
from admet.files import sha256_of
from admet.model.chemprop.chemprop_file import ChempropFile, read_chemprop_file, read_content
from admet.model.chemprop.described import KINDS, class_name, described
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.plan import NetworkPlan

_UNSCALE = ("predictor.output_transform.mean", "predictor.output_transform.scale")
_OF_TRAINING = ("predictor.criterion.", "metrics.")
"""Beginnings of names that matter to a training only."""


@dataclass(frozen=True, eq=False)
class ChempropModel:
    """A model that Chemprop has trained, ready to predict as a network of ours.

    Attributes:
        path: Its file.
        sha256: SHA-256 of the file.
        shape: Shape of the network.
        weights: The weights by our names, of a network with one head.
        kind: Kind of all its tasks.
        outputs: Names of its t outputs; empty where the file has none.
        mean: What is added to the outputs, shape (t,), after `scale`; zeros for logits.
        scale: What the outputs are multiplied by, shape (t,).
        d_v: Number of atom features.
        d_e: Number of bond features.
    """

    path: Path
    sha256: str
    shape: NetworkConfig
    weights: dict[str, Tensor]
    kind: TaskKind
    outputs: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    d_v: int
    d_e: int

    @property
    def n_outputs(self) -> int:
        """Number of its outputs."""
        return len(self.mean)

    @classmethod
    def read(cls, path: Path) -> "ChempropModel":
        """Reads and checks a file; nothing that it holds is run.

        Args:
            path: A model of Chemprop v2 (`.pt`, `.ckpt`).

        Raises:
            ConfigError: If it is missing or damaged, is a model of a kind that ours cannot stand
                for, was trained on other features, or its weights do not fit its own description.
        """
        if not path.is_file():
            raise ConfigError(f"{str(path)!r} is no file. Name a model of Chemprop v2.")
        try:
            sha256 = sha256_of(path)
        except OSError as error:
            raise ConfigError(f"{str(path)!r} cannot be read: {error}.") from None
        content = read_content(path)
        hyper = described(path, content)
        file = read_chemprop_file(path, content=content)
        _check_features(path, file)
        if file.ffn is None:
            raise ConfigError(f"{str(path)!r} holds no head. Name a whole model of Chemprop v2.")
        shape = NetworkConfig(message_passing=file.encoder, ffn=file.ffn)
        kind = KINDS[class_name(hyper["predictor"].get("cls"))]
        weights, unscale = _sorted_out(path, file)
        n_outputs = _n_outputs(path, weights)
        mean, scale = _unscaling(path, unscale if kind == "regression" else {}, n_outputs)
        _check_weights(path, shape, weights, n_outputs, file)
        names = file.outputs
        if names and len(names) != n_outputs:
            raise ConfigError(
                f"{str(path)!r} names {len(names)} columns for {n_outputs} outputs. Name the file "
                "that Chemprop wrote."
            )
        return cls(path, sha256, shape, weights, kind, names, mean, scale, file.d_v, file.d_e)


def _check_features(path: Path, file: ChempropFile) -> None:
    """Checks that the model reads Chemprop's V2 features, as ours do.

    Raises:
        ConfigError: Names both numbers.
    """
    graphs = featurize(["C"])
    ours, theirs = (graphs.d_v, graphs.d_e), (file.d_v, file.d_e)
    if ours != theirs:
        raise ConfigError(
            f"{str(path)!r} reads {theirs[0]} atom and {theirs[1]} bond features, not {ours[0]} "
            f"and {ours[1]}, as models of reactions, of features of their own, or of another "
            "--multi-hot-atom-featurizer-mode do. Name a model with Chemprop's V2 features and no "
            "others."
        )


def _sorted_out(path: Path, file: ChempropFile) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gives the weights by our names, and those of the scale by theirs.

    Raises:
        ConfigError: If a weight has no counterpart.
    """
    weights, unscale = {}, {}
    for name, tensor in file.weights.items():
        part, _, rest = name.partition(".")
        if part == "message_passing":
            weights[f"encoder.{name}"] = tensor
        elif part == "bn":
            weights[f"encoder.batch_norm.{rest}"] = tensor
        elif name.startswith("predictor.ffn."):
            weights[f"heads.0.{name.removeprefix('predictor.ffn.')}"] = tensor
        elif name in _UNSCALE:
            unscale[name] = tensor
        elif not name.startswith(_OF_TRAINING):
            raise ConfigError(
                f"{str(path)!r} holds {name!r}, of which admet has no counterpart. Name a model of "
                "Chemprop v2 without features of its own."
            )
    return weights, unscale


def _n_outputs(path: Path, weights: Mapping[str, Tensor]) -> int:
    """Counts the outputs of the head by its last bias."""
    of_head = [name for name in weights if name.startswith("heads.0.") and name.endswith("bias")]
    places = {name.split(".")[2]: name for name in of_head}
    numbers = [int(place) for place in places if place.isdecimal() and len(place) < 4]
    last = weights[places[str(max(numbers))]] if numbers else None
    if not isinstance(last, Tensor) or last.ndim != 1 or not len(last):
        raise _unfit(path, "its head has no outputs")
    return len(last)


def _unscaling(
    path: Path, stored: Mapping[str, Tensor], n_outputs: int
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Reads mean and scale of n outputs; 0 and 1 where the file has none.

    Raises:
        ConfigError: If they do not fit, are not finite, or a scale is not positive.
    """
    if not stored:
        return (0.0,) * n_outputs, (1.0,) * n_outputs
    found = []
    for name in _UNSCALE:
        tensor = stored.get(name)
        if not _is_plain(tensor) or tensor.numel() != n_outputs:  # type: ignore[union-attr]
            raise _unfit(path, f"{name} must hold {n_outputs} numbers")
        assert isinstance(tensor, Tensor)  # noqa: S101 - `_is_plain` has checked it
        found.append(tuple(map(float, tensor.double().flatten().tolist())))
    mean, scale = found
    if not all(map(_finite, (*mean, *scale))) or min(scale) <= 0:
        raise _unfit(path, "its mean and scale must be finite, and the scale above 0")
    return mean, scale


def _check_weights(
    path: Path,
    shape: NetworkConfig,
    weights: Mapping[str, Tensor],
    n_outputs: int,
    file: ChempropFile,
) -> None:
    """Compares names, types and shapes with those of our network, which takes no memory here.

    Raises:
        ConfigError: Names the difference.
    """
    plan = NetworkPlan.together([str(i) for i in range(n_outputs)])
    try:
        with torch.device("meta"):
            network = GroupedNetwork(shape, plan, file.d_v, file.d_e)
    except (RuntimeError, OverflowError, MemoryError) as error:
        raise _unfit(path, f"it cannot be built ({str(error).splitlines()[0]})") from None
    ours = network.state_dict()
    if strange := sorted(ours.keys() ^ weights.keys()):
        raise _unfit(path, f"{strange[0]} is {'missing' if strange[0] in ours else 'unknown'}")
    for name, tensor in weights.items():
        own = ours[name]
        if not _is_plain(tensor):
            raise _unfit(path, f"{name} is no plain tensor")
        if tensor.shape != own.shape:
            raise _unfit(path, f"{name} has shape {tuple(tensor.shape)}, not {tuple(own.shape)}")
        if tensor.dtype != own.dtype:
            raise _unfit(path, f"{name} is of type {tensor.dtype}, not {own.dtype}")
        if not torch.isfinite(tensor).all():
            raise _unfit(path, f"{name} holds NaN or infinity")


def _is_plain(tensor: object) -> bool:
    """Tells a tensor whose numbers all stand in the file from one that repeats them."""
    return (
        isinstance(tensor, Tensor)
        and tensor.layout == torch.strided
        and tensor.device.type == "cpu"
        and not tensor.is_quantized
        and tensor.is_contiguous()
    )


def _finite(value: float) -> bool:
    return abs(value) < float("inf")  # false for NaN, too


def _unfit(path: Path, fault: str) -> ConfigError:
    return ConfigError(
        f"The weights in {str(path)!r} do not fit its description: {fault}. Name an undamaged "
        "model of Chemprop v2."
    )
