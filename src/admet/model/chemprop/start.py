"""Weights that an encoder starts from: those of a model that Chemprop has trained."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from admet.config import MessagePassingConfig
from admet.errors import ConfigError
from admet.featurize import featurize
from admet.files import sha256_of
from admet.model.chemprop.chemprop_file import ChempropFile, read_chemprop_file
from admet.model.chemprop.encoder import Encoder

_KEY = "model.init_from"
_SECTION = "model.message_passing"
_SHAPE = ("hidden_size", "depth", "activation", "bias", "undirected")
"""Keys that must be those of the file: with others its weights do not fit, or mean something else.
"""
_AROUND = ("aggregation", "aggregation_norm", "batch_norm")
"""Keys that follow the file where it has them and the user does not set them."""


@dataclass(frozen=True, eq=False)
class Start:
    """A file that an encoder starts from; it fits our graphs.

    Attributes:
        path: The file.
        sha256: SHA-256 of its content.
        file: What it holds.
    """

    path: Path
    sha256: str
    file: ChempropFile

    @classmethod
    def read(cls, path: Path) -> Self:
        """Reads and checks a file; nothing that it holds is run.

        Args:
            path: A model of Chemprop v2 (`.pt`, `.ckpt`), or an encoder alone.

        Raises:
            ConfigError: If it is missing or damaged, is no bond message passing, was trained on
                other features, or its weights do not fit its own description.
        """
        if not path.is_file():
            raise ConfigError(
                f"`{_KEY}` names {str(path)!r}, which is no file. Name a model of Chemprop v2."
            )
        try:
            sha256 = sha256_of(path)
        except OSError as error:
            raise ConfigError(f"`{_KEY}` {str(path)!r} cannot be read: {error}.") from None
        found = cls(path, sha256, read_chemprop_file(path, encoder_only=True))
        found._check_weights()
        return found

    def _check_weights(self) -> None:
        """Compares features, names, types and shapes with those of our encoder.

        Raises:
            ConfigError: Names the difference.
        """
        graphs = featurize(["C"])
        ours, theirs = (graphs.d_v, graphs.d_e), (self.file.d_v, self.file.d_e)
        if ours != theirs:
            raise ConfigError(
                f"`{_KEY}` {str(self.path)!r} reads {theirs[0]} atom and {theirs[1]} bond "
                f"features, not {ours[0]} and {ours[1]}. Name a model with Chemprop's V2 features "
                "and no others."
            )
        with torch.device("meta"):
            encoder = Encoder(self.file.encoder, *ours)
        _check_part(self.path, encoder.message_passing.state_dict(), self._weights)
        if self.file.encoder.batch_norm:
            _check_part(self.path, encoder.batch_norm.state_dict(), self._norm)

    @property
    def _weights(self) -> dict[str, Tensor]:
        return self.file.of("message_passing")

    @property
    def _norm(self) -> dict[str, Tensor]:
        """Weights of the batch normalisation; none where the file has none."""
        return self.file.of("bn")

    def shape(self, config: MessagePassingConfig) -> dict[str, Any]:
        """Gives the keys of `model.message_passing` that follow the file.

        Args:
            config: The section as the user gave it.

        Returns:
            The keys whose values change, each with that of the file.

        Raises:
            ConfigError: If the user has set another value of a key that the weights depend on.
        """
        theirs, given = self.file.encoder, config.model_fields_set
        apart = {
            key: value for key in _SHAPE if getattr(config, key) != (value := getattr(theirs, key))
        }
        if wrong := [key for key in apart if key in given]:
            said = "; ".join(
                f"`{_SECTION}.{key}` is {_shown(getattr(config, key))}, in the file "
                f"{_shown(apart[key])}"
                for key in wrong
            )
            raise ConfigError(
                f"`{_KEY}` {str(self.path)!r} holds an encoder of another shape: {said}. Remove "
                "these keys, so that they follow the file, or name another file."
            )
        around = () if self.file.alone else _AROUND
        return apart | {
            key: value
            for key in around
            if key not in given and getattr(config, key) != (value := getattr(theirs, key))
        }

    def put_into(self, encoder: Encoder) -> None:
        """Gives an encoder of the same shape the weights of the file.

        The batch normalisation takes over weights and running statistics, where both have one.
        """
        encoder.message_passing.load_state_dict(self._weights)
        if encoder.config.batch_norm and self.file.encoder.batch_norm:
            encoder.batch_norm.load_state_dict(self._norm)


def _check_part(path: Path, ours: Mapping[str, Tensor], theirs: Mapping[str, Tensor]) -> None:
    """Checks the weights of a part of an encoder.

    Raises:
        ConfigError: If a name is missing or unknown, or a weight has another shape or no numbers.
    """
    fault = ""
    if strange := sorted(ours.keys() ^ theirs.keys()):
        fault = f"{strange[0]} is {'missing' if strange[0] in ours else 'unknown'}"
    for name in ours.keys() & theirs.keys():
        tensor = theirs[name]
        # One that is not contiguous may repeat a few numbers of the file to any size.
        if not (
            isinstance(tensor, Tensor) and tensor.layout == torch.strided and tensor.is_contiguous()
        ):
            fault = f"{name} is no plain tensor"
        elif tensor.shape != ours[name].shape:
            fault = f"{name} has shape {tuple(tensor.shape)}, must have {tuple(ours[name].shape)}"
        elif tensor.is_floating_point() != ours[name].is_floating_point():
            fault = f"{name} is of type {tensor.dtype}"
        elif not torch.isfinite(tensor).all():
            fault = f"{name} holds NaN or infinity"
    if fault:
        raise ConfigError(
            f"The weights in `{_KEY}` {str(path)!r} do not fit its description: {fault}. Name an "
            "undamaged model of Chemprop v2 without features of its own."
        )


def _shown(value: object) -> str:
    """Writes a value as YAML does."""
    return str(value).lower() if isinstance(value, bool) else str(value)
