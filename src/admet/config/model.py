"""The `model` section: the shape of the network and who shares what."""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from admet.config.base import WIDEST, Section
from admet.config.frozen import InputName

Activation = Literal["relu", "leakyrelu", "prelu", "tanh", "elu"]


class MessagePassingConfig(Section):
    """The shared encoder: Chemprop's bond message passing."""

    depth: int = Field(3, ge=1, le=100, description="Message-passing iterations.")
    hidden_size: int = Field(300, ge=1, le=WIDEST, description="Width of the hidden bond vectors.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout in the encoder.")
    activation: Activation = Field("relu", description="Activation in the encoder.")
    bias: bool = Field(False, description="Bias in the message layers.")
    undirected: bool = Field(False, description="Average the two directions of each bond.")
    aggregation: Literal["norm", "mean", "sum"] = Field(
        "norm", description="Atoms to molecule: sum/aggregation_norm, mean, or sum."
    )
    aggregation_norm: float = Field(100.0, gt=0, description="Divisor of the norm aggregation.")
    batch_norm: bool = Field(False, description="Batch normalisation of the embedding.")

    def _unread(self) -> dict[str, str]:
        if self.aggregation == "norm":
            return {}
        return {"aggregation_norm": f"aggregation is {self.aggregation}"}


class FFNConfig(Section):
    """One head: a feed-forward network for the tasks of one group."""

    num_layers: int = Field(
        2, ge=1, le=100, description="Hidden layers, as in Chemprop's n_layers."
    )
    hidden_size: int = Field(300, ge=1, le=WIDEST, description="Width of the hidden layers.")
    dropout: float = Field(0.0, ge=0, lt=1, description="Dropout in the head.")
    activation: Activation = Field("relu", description="Activation in the head.")


class NetworkConfig(Section):
    """The shape of a network, whatever its groups."""

    type: Literal["chemprop"] = Field("chemprop", description="Kind of the network.")
    message_passing: MessagePassingConfig = Field(
        MessagePassingConfig(), description="The shared encoder."
    )
    ffn: FFNConfig = Field(FFNConfig(), description="The heads.")


GROUPS_BY_NAME = ("multi_task", "single_task")
"""Arms whose groups follow from the tasks; `training/arms.py` makes them."""


class ModelConfig(NetworkConfig):
    """The network and its groups."""

    groups: str | tuple[tuple[str, ...], ...] = Field(
        "multi_task",
        description="Groups of a training without affinity: multi_task (one group), single_task "
        "(a group a task), or your own as a list of lists (JSON on the command line).",
    )
    share_encoder: bool | None = Field(
        None,
        description="true: one encoder, a head per group; false: a network per group; empty: "
        "shared unless groups is single_task.",
    )
    extra_inputs: tuple[InputName, ...] = Field(
        (),
        description="Frozen inputs that the heads read beside the embedding. Leave out those that "
        "have seen the labels of the panel.",
    )
    init_from: Path | None = Field(
        None,
        description="Model file of Chemprop v2 (.pt, .ckpt), or an encoder as chemeleon_mp.pt, "
        "from whose weights the encoder starts; keys of message_passing that you do not set "
        "follow it. Empty: fresh weights.",
    )

    @field_validator("groups", mode="before")
    @classmethod
    def _groups(cls, value: object) -> object:
        if not isinstance(value, str) or value in GROUPS_BY_NAME:
            return value
        try:
            parsed = json.loads(value)
        except json.JSONDecodeError:
            parsed = None
        if isinstance(parsed, list) and all(isinstance(group, list) for group in parsed):
            return parsed
        raise ValueError(
            "`groups` must be multi_task, single_task or a list of lists of task names, on the "
            f"""command line as JSON: '[["A", "B"], ["C"]]'; got {value!r}."""
        )

    @model_validator(mode="after")
    def _each_input_once(self) -> Self:
        names = self.extra_inputs
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"`extra_inputs` must name each once; twice: {', '.join(twice)}.")
        return self

    @property
    def network(self) -> NetworkConfig:
        """The shape of its networks alone."""
        return NetworkConfig(**{name: getattr(self, name) for name in NetworkConfig.model_fields})

    @property
    def shares_encoder(self) -> bool:
        """Whether the groups share one encoder."""
        return self.groups != "single_task" if self.share_encoder is None else self.share_encoder
