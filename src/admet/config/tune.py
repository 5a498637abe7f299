"""The `tune` section: a search for better settings of a training."""

import json
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from admet.config.base import Section
from admet.config.duration import checked_duration
from admet.config.root import TrainConfig
from admet.config.training import LOGGING

Choice = bool | int | float | str

TunedKey = Literal[
    "training.learning_rate",
    "training.batch_size",
    "training.loss",
    "training.loss_mean",
    "training.weight_averaging",
    "model.message_passing.depth",
    "model.message_passing.hidden_size",
    "model.message_passing.dropout",
    "model.ffn.num_layers",
    "model.ffn.hidden_size",
    "model.ffn.dropout",
]
"""Keys that a search knows ranges for; `tuning/space.py` has a row for each."""


class RangeConfig(Section):
    """The values of one key that a search may take: from `low` to `high`, or `choices`."""

    low: int | float | None = Field(None, description="Smallest value.")
    high: int | float | None = Field(None, description="Largest value.")
    log: bool = Field(False, description="Whether a factor counts, not a difference.")
    choices: tuple[Choice, ...] = Field((), description="Values to choose from, in place of both.")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        low, high = self.low, self.high
        if self.choices:
            if low is not None or high is not None or self.log:
                raise ValueError("`choices` stand in place of low, high and log. Remove either.")
        elif low is None or high is None:
            raise ValueError("`low` and `high`, or `choices`, must be there. Name them.")
        elif low >= high:
            raise ValueError(f"`low` must be below high; got {low:g} and {high:g}.")
        elif self.log and low <= 0:
            raise ValueError(f"`low` must be above 0 where log is true; got {low:g}.")
        return self


class TuneConfig(Section):
    """Which settings are searched, how long, and on what they are judged."""

    trials: int = Field(
        30, ge=1, le=10_000, description="Settings to try, those of the configuration included."
    )
    time_budget: str | None = Field(
        None,
        description="After this time no further fit is begun: 90s, 30m, 2h, 1h30m, or a number of "
        "seconds. Reading the table counts.",
    )
    folds: int = Field(
        3,
        ge=2,
        le=100,
        description="Folds of the molecules that are not on the test side. A split by time or by a "
        "column makes one division: there the validation side judges.",
    )
    keys: tuple[TunedKey, ...] = Field(
        (
            "training.learning_rate",
            "training.loss",
            "training.loss_mean",
            "training.weight_averaging",
            "model.message_passing.depth",
            "model.message_passing.dropout",
            "model.ffn.num_layers",
            "model.ffn.hidden_size",
            "model.ffn.dropout",
        ),
        description="Keys that are searched in their usual ranges.",
    )
    space: dict[str, RangeConfig] = Field(
        {},
        description="Key → values to search in place of the usual ones, or besides them for a key "
        "that has none: low and high, with log true for factors, or choices.",
    )

    @field_validator("space", mode="before")
    @classmethod
    def _from_json(cls, value: object) -> object:
        """Reads what the command line gives as one word."""
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value)
        except ValueError as error:
            raise ValueError(f"`space` is no JSON: {error}; got {value!r}.") from None

    @field_validator("time_budget", mode="before")
    @classmethod
    def _a_length_of_time(cls, value: object) -> object:
        return checked_duration(value, "time_budget")

    @model_validator(mode="after")
    def _something_to_search(self) -> Self:
        if not self.keys and not self.space:
            raise ValueError("`keys` must name what is searched, or `space` must. Name a key.")
        if twice := sorted({name for name in self.keys if self.keys.count(name) > 1}):
            raise ValueError(f"`keys` must name each once; twice: {', '.join(twice)}.")
        return self


class TuneRun(TrainConfig):
    """Everything that a YAML file can say about a search."""

    tune: TuneConfig = Field(TuneConfig(), description="The search.")

    def _unread(self) -> dict[str, str]:
        unread = super()._unread() | {"training.ensemble": "a trial trains each fold once"}
        unread |= {f"training.{key}": "a search keeps its trials in trials.csv" for key in LOGGING}
        if not self.makes_folds:
            unread["tune.folds"] = f"data.split_type is {self.data.split_type}"
        return unread

    @property
    def makes_folds(self) -> bool:
        """Whether the split can be made anew; by time or by a column there is one division."""
        return self.data.split_type not in {"time", "predefined"}


class TuneCommand(TuneRun):
    """Search for better settings, out of fold; the test side is not looked at."""

    config: Path | None = Field(None, description="YAML file; flags override its keys.")
    overwrite: bool = Field(
        False, description="Begin anew where the folder holds a search of something else."
    )
