"""The base of all sections: frozen, strict about names, and readable when it refuses."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from admet.errors import ConfigError, near_names


class Section(BaseModel):
    """A frozen group of settings; an unknown key is an error that names the nearest one.

    Raises:
        ConfigError: From the constructor, for an unknown key or a value that breaks its rule.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise ConfigError(_readable(error, type(self))) from None


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
            line = f"`{key}` {rule}; got {fault['input']!r}."
        lines[key] = f"{lines[key]} Or: {line}" if lines.get(key, line) != line else line
    return "\n".join(lines.values())


def _is_union_arm(part: str) -> bool:
    """Tells a key or an index from the name that pydantic gives to one arm of a union."""
    return part in {"int", "str", "float", "bool"} or any(mark in part for mark in "[(")
