"""The base of all sections: frozen, strict about names, and readable when it refuses."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from admet.errors import ConfigError, near_names

LARGEST_SEED = 2**32 - 1
"""The largest seed that NumPy and scikit-learn take."""
LARGEST_BATCH = 2**20
"""Molecules in one batch; more do not fit any memory."""
WIDEST = 2**16
"""Width of a layer; the weights of one such layer take 16 GiB."""
MOST_RESAMPLES = 100_000
"""Resamples of a bootstrap; with so many, its intervals no longer change."""


_SHOWN = 200  # characters of a value in a message

S = TypeVar("S", bound="Section")


class Section(BaseModel):
    """A frozen group of settings; an unknown key is an error that names the nearest one.

    Raises:
        ConfigError: From the constructor and `model_copy`, for an unknown key or a value that
            breaks its rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **data: Any) -> None:
        seen: set[int] = set()
        for key, value in data.items():
            _check_text(value, key, seen)
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise ConfigError(_readable(error, type(self))) from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Gives a copy; where keys change, it is checked as a new section is.

        Args:
            update: New values of some keys; they count as given.
            deep: Whether the values that stay are copied, too.

        Raises:
            ConfigError: As from the constructor.
        """
        copied = super().model_copy(deep=deep)
        if not update:
            return copied
        given = {key: getattr(copied, key) for key in copied.model_fields_set}
        return type(self)(**given | dict(update))

    def copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:  # type: ignore[override]
        """Gives a copy, checked; the old name of `model_copy`."""
        return self.model_copy(update=update, deep=deep)

    def only(self, kind: type[S]) -> S:
        """Gives the keys of a section that this one extends, without the others.

        Args:
            kind: That section.
        """
        return kind(**{key: getattr(self, key) for key in kind.model_fields})

    def idle_keys(self, unread: Mapping[str, str] | None = None) -> dict[str, str]:
        """Finds the keys that were changed from their defaults but have no effect.

        Args:
            unread: Keys that nobody reads where the section is used, besides those of `_unread`.

        Returns:
            The keys, with dots from this section on, each with why it has no effect.
        """
        silent = {**self._unread(), **(unread or {})}
        idle = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if isinstance(value, Section):
                start = f"{name}."
                inner = {
                    k.removeprefix(start): why for k, why in silent.items() if k.startswith(start)
                }
                if name in silent:
                    inner = dict.fromkeys(type(value).model_fields, silent[name])
                idle.update({start + key: why for key, why in value.idle_keys(inner).items()})
            elif name in silent and value != field.get_default(call_default_factory=True):
                idle[name] = silent[name]
        return idle

    def _unread(self) -> dict[str, str]:
        """Lists the keys that nobody reads, given how the other keys are set, each with why.

        A key may be one of an inner section (`a.b`), or name an inner section, which means all of
        its keys.
        """
        return {}


def _check_text(value: Any, key: str, seen: set[int]) -> None:
    """Refuses text that no file can hold: names whose bytes are not UTF-8, and NUL.

    What several aliases of a YAML file refer to is looked at once: a few lines can refer to
    billions of values.

    Raises:
        ConfigError: Names the key.
    """
    if isinstance(value, str | Path):
        text = str(value)
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            fault = "must be text in UTF-8"
        else:
            if "\0" not in text:
                return
            fault = "must hold no NUL character"
        raise ConfigError(f"`{key}` {fault}; got {text!r}. Rename it.")
    if not isinstance(value, dict | list | tuple) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, dict):
        for name, inner in value.items():
            _check_text(name, key, seen)
            _check_text(inner, f"{key}.{name}", seen)
    else:
        for inner in value:
            _check_text(inner, key, seen)


def _readable(error: ValidationError, model: type[BaseModel]) -> str:
    """Rewrites pydantic's report: one line a key, with the rule, the value and the remedy."""
    lines: dict[str, str] = {}
    for fault in error.errors(include_url=False):
        unknown = fault["type"] == "extra_forbidden"  # its last part is what the user wrote
        loc = [str(part) for part in fault["loc"]]
        path = [p for p in loc[: len(loc) - unknown] if not _is_union_arm(p)] + loc[-1:] * unknown
        key = ".".join(path) or "configuration"
        cause = fault.get("ctx", {}).get("error")
        if unknown:
            line = f"Unknown key `{key}`. {near_names(path[-1], model.model_fields)}"
        elif fault["type"] == "missing":
            line = f"`{key}` is required; name it."
        elif isinstance(cause, ConfigError):  # a nested section has spoken: say where it stands
            line = "\n".join(said.replace("`", f"`{key}.", 1) for said in str(cause).split("\n"))
        elif cause is not None:
            line = str(cause) if str(cause).startswith("`") else f"`{key}`: {cause}"
        else:
            rule = str(fault["msg"]).removeprefix("Input ").rstrip(".")
            line = f"`{key}` {rule}; got {_shown(fault['input'])}."
        lines[key] = f"{lines[key]} Or: {line}" if lines.get(key, line) != line else line
    return "\n".join(lines.values())


def _shown(value: object) -> str:
    """Shows what a user wrote, shortened."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to spell numbers of thousands of digits
        return "a number of too many digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _is_union_arm(part: str) -> bool:
    """Tells a key or an index from the name that pydantic gives to one arm of a union."""
    return part in {"int", "str", "float", "bool"} or any(mark in part for mark in "[(")
