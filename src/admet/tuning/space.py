"""What a search may change, and how a configuration takes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, TypeVar, Union, get_args, get_origin

from admet.config.base import Section
from admet.config.root import TrainConfig
from admet.config.tune import Choice, RangeConfig, TunedKey, TuneRun
from admet.errors import ConfigError, near_names

if TYPE_CHECKING:
    import optuna

C = TypeVar("C", bound=Section)

USUAL: dict[TunedKey, RangeConfig] = {
    "training.learning_rate": RangeConfig(low=2e-4, high=4e-3, log=True),
    "training.batch_size": RangeConfig(choices=(32, 64, 128)),
    "training.loss": RangeConfig(choices=("mse", "mae", "huber")),
    "training.loss_mean": RangeConfig(choices=("labels", "tasks")),
    "training.weight_averaging": RangeConfig(choices=("none", "ema")),
    "model.message_passing.depth": RangeConfig(low=2, high=5),
    "model.message_passing.hidden_size": RangeConfig(choices=(200, 300, 500)),
    "model.message_passing.dropout": RangeConfig(low=0.0, high=0.4),
    "model.ffn.num_layers": RangeConfig(low=1, high=3),
    "model.ffn.hidden_size": RangeConfig(choices=(150, 300, 600)),
    "model.ffn.dropout": RangeConfig(low=0.0, high=0.4),
}
"""The usual values of the keys that are searched."""
_OF_A_FILE = "model.message_passing.", "model.init_from sets the shape of the encoder"
_SEARCHED = ("training", "model", "task_affinity")
_NOT_SEARCHED = {
    "training.device": "results do not depend on it",
    "training.threads": "results do not depend on it",
    "training.ensemble": "a trial trains each fold once",
    "task_affinity.enabled": "compare ways of training with `admet study`",
    "model.init_from": "compare files with `admet study`",
}
"""Keys that are not searched, each with why."""


@dataclass(frozen=True)
class Parameter:
    """One key that is searched.

    Attributes:
        key: Its name with dots.
        own: Its value in the configuration, the first that is tried.
        values: What may be tried; it holds `own` where that is of the same kind.
        whole: Whether it is a whole number.
    """

    key: str
    own: Choice | None
    values: RangeConfig
    whole: bool

    @property
    def holds_own(self) -> bool:
        """Whether the value of the configuration is among those that may be tried."""
        if self.values.choices:
            return self.own in self.values.choices
        number = isinstance(self.own, int | float)
        return number and not (self.values.log and self.own <= 0)  # type: ignore[operator]

    @property
    def distribution(self) -> "optuna.distributions.BaseDistribution":
        """What Optuna calls these values."""
        from optuna import distributions  # noqa: PLC0415 - an extra

        own = self.values
        if own.choices:
            return distributions.CategoricalDistribution(own.choices)
        assert own.low is not None  # noqa: S101 - the section has checked it
        assert own.high is not None  # noqa: S101
        if self.whole:
            return distributions.IntDistribution(int(own.low), int(own.high), log=own.log)
        return distributions.FloatDistribution(float(own.low), float(own.high), log=own.log)


def parameters_of(config: TuneRun) -> list[Parameter]:
    """Lists what a search changes, each with the value of the configuration among its values.

    Raises:
        ConfigError: If a key cannot be searched, or does not take one of its values.
    """
    asked = config.tune
    ranges: dict[str, RangeConfig] = {key: USUAL[key] for key in asked.keys} | dict(asked.space)
    if config.model.init_from is not None:
        prefix, why = _OF_A_FILE
        shapes = {key for key in ranges if key.startswith(prefix) and "dropout" not in key}
        if named := sorted(shapes & set(asked.space)) or sorted(
            shapes & set(asked.keys) if "keys" in asked.model_fields_set else ()
        ):
            raise ConfigError(f"`tune` cannot search {', '.join(named)}: {why}. Remove it.")
        ranges = {key: values for key, values in ranges.items() if key not in shapes}
    found = [_parameter(config, key, values) for key, values in ranges.items()]
    for parameter in found:
        _check(config, parameter)
    if not found:
        raise ConfigError("`tune` has no key left to search. Name one in tune.keys or tune.space.")
    return found


def with_values(config: C, values: Mapping[str, Any]) -> C:
    """Gives a configuration with other values of some keys, named with dots.

    Raises:
        ConfigError: If a value breaks a rule.
    """
    inner: dict[str, dict[str, Any]] = {}
    own: dict[str, Any] = {}
    for key, value in values.items():
        section, _, rest = key.partition(".")
        if rest:
            inner.setdefault(section, {})[rest] = value
        else:
            own[key] = value
    changed = {name: with_values(getattr(config, name), rest) for name, rest in inner.items()}
    return config.model_copy(update=own | changed) if values else config


def _parameter(config: TuneRun, key: str, values: RangeConfig) -> Parameter:
    """Finds the key in the schema.

    Raises:
        ConfigError: If it is not there, is not searched, or needs choices.
    """
    if why := _NOT_SEARCHED.get(key):
        raise ConfigError(f"`tune.space` cannot search {key}: {why}. Remove it.")
    section: Section = config.only(TrainConfig)
    first, *path, last = key.split(".") if "." in key else ("", key)
    if first not in _SEARCHED:
        raise ConfigError(
            f"`tune.space` names {key!r}; a search changes keys of {', '.join(_SEARCHED)}, as "
            "training.learning_rate. Remove it."
        )
    for part in (first, *path):
        inner = getattr(section, part, None)
        if not isinstance(inner, Section):
            raise ConfigError(_unknown(key, part, section))
        section = inner
    if last not in type(section).model_fields or isinstance(getattr(section, last), Section):
        raise ConfigError(_unknown(key, last, section))
    kinds = _kinds(type(section).model_fields[last].annotation)
    whole = int in kinds and float not in kinds
    if not values.choices:
        if not {int, float} & kinds:
            raise ConfigError(f"`tune.space.{key}` is no number, so it needs choices. Name them.")
        if whole and not (isinstance(values.low, int) and isinstance(values.high, int)):
            raise ConfigError(
                f"`tune.space.{key}` needs whole numbers; got {values.low} and {values.high}."
            )
    own = getattr(section, last)
    return Parameter(key, own, _holding(own, values), whole)


def _holding(own: Any, values: RangeConfig) -> RangeConfig:
    """Widens a range so that it holds the value of the configuration, the first that is tried."""
    if values.choices:
        known = own in values.choices or own is None or not isinstance(own, Choice)
        return values if known else RangeConfig(choices=(own, *values.choices))
    if not isinstance(own, int | float) or (values.log and own <= 0):
        return values
    assert values.low is not None  # noqa: S101 - the section has checked it
    assert values.high is not None  # noqa: S101
    return RangeConfig(low=min(own, values.low), high=max(own, values.high), log=values.log)


def _check(config: TuneRun, parameter: Parameter) -> None:
    """Tries the ends of a range, or all choices.

    Raises:
        ConfigError: If the configuration does not take one.
    """
    own = parameter.values
    for value in own.choices or (own.low, own.high):
        try:
            with_values(config, {parameter.key: value})
        except ConfigError as error:
            raise ConfigError(f"`tune.space.{parameter.key}` holds {value!r}: {error}") from None


def _kinds(annotation: Any) -> set[Any]:
    if get_origin(annotation) in {Union, UnionType}:
        return {kind for arm in get_args(annotation) for kind in _kinds(arm)}
    return {annotation}


def _unknown(key: str, part: str, section: Section) -> str:
    near = near_names(part, type(section).model_fields)
    return f"`tune.space` names {key!r}, which is no key of a training. {near}"
