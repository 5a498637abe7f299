"""How flags become values: what the parser is told of the schema's types."""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import tyro
from pydantic.fields import FieldInfo
from tyro.constructors import (
    ConstructorRegistry,
    PrimitiveConstructorSpec,
    PrimitiveTypeInfo,
    StructConstructorSpec,
    StructFieldSpec,
    StructTypeInfo,
)

from admet.cli._levels import Shown
from admet.config import ModelConfig
from admet.config.base import Section
from admet.config.study import StudyConfig

_BOOLEANS = {"true": True, "false": False}
_GROUPS = ModelConfig.model_fields["groups"].annotation
_OWN_GROUPS = StudyConfig.model_fields["groups"].annotation


def registry(shown: Shown | None = None) -> ConstructorRegistry:
    """Gives the rules for sections, booleans, groups and mappings.

    Args:
        shown: Keys that a help shows; None shows all, and only then do all flags parse.
    """
    rules = ConstructorRegistry()
    rules.primitive_rule(_booleans)
    rules.primitive_rule(_paths)
    rules.primitive_rule(_groups)
    rules.primitive_rule(_nested)
    rules.struct_rule(partial(_section, shown))
    return rules


def _booleans(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Takes true and false in any case."""
    if info.type is not bool:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{true,false}",
        instance_from_str=lambda words: _boolean(words[0]),
        is_instance=lambda value: isinstance(value, bool),
        str_from_instance=lambda value: [str(value).lower()],
    )


def _paths(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Shows a path that may be left out as PATH; the word None leaves it out."""
    if info.type != Path | None:
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="PATH",
        instance_from_str=lambda words: None if words[0] == "None" else Path(words[0]),
        is_instance=lambda value: value is None or isinstance(value, Path),
        str_from_instance=lambda value: [str(value)],
    )


def _groups(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Takes a list of lists as one word of JSON; the schema parses and checks it."""
    if info.type not in (_GROUPS, _OWN_GROUPS):
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="multi_task|single_task|JSON" if info.type == _GROUPS else "JSON",
        instance_from_str=lambda words: words[0],
        is_instance=lambda value: value is None or isinstance(value, str | tuple),
        str_from_instance=lambda value: ["none" if value is None else _as_json(value)],
    )


def _nested(info: PrimitiveTypeInfo) -> PrimitiveConstructorSpec[Any] | None:
    """Takes a mapping of mappings or sections as one word of JSON; the schema parses it."""
    arguments = get_args(info.type)
    if get_origin(info.type) is not dict or not _is_mapping(arguments[1]):
        return None
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="JSON",
        instance_from_str=lambda words: words[0],
        is_instance=lambda value: isinstance(value, str | dict),
        str_from_instance=lambda value: [_as_json(value)],
    )


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is dict or _is_section(kind)


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Section)


def _section(shown: Shown | None, info: StructTypeInfo) -> StructConstructorSpec | None:
    """Gives a section only the keys that a flag or the file named, since its rules ask for these.

    The parser hands over every key. The value of a key that nobody named is its default, the very
    same object.
    """
    kind = info.type
    if not (isinstance(kind, type) and issubclass(kind, Section)):
        return None
    before = info.default if isinstance(info.default, Section) else None
    named = set() if before is None else before.model_fields_set
    defaults = {
        name: _default(field) if before is None else getattr(before, name)
        for name, field in kind.model_fields.items()
    }

    def make(**values: Any) -> Section:
        return kind(**{k: v for k, v in values.items() if k in named or v is not defaults[k]})

    make.__doc__ = kind.__doc__  # which the help shows
    hints = get_type_hints(kind, include_extras=True)
    fields = [
        StructFieldSpec(name, hints[name], defaults[name], helptext=field.description)
        for name, field in kind.model_fields.items()
    ]
    if shown is not None:
        fields = _of_short_help(fields, kind, shown)
    return StructConstructorSpec(make, tuple(fields))


def _of_short_help(
    fields: list[StructFieldSpec], kind: type[Section], shown: Shown
) -> list[StructFieldSpec]:
    """Gives the keys of a section as the short help takes them: the others are hidden."""
    inner = {name for name, field in kind.model_fields.items() if _is_section(field.annotation)}
    first = [field for field in fields if (kind, field.name) in shown]
    first.sort(key=lambda field: shown[kind, field.name])
    hidden = [
        replace(field, type=Annotated[field.type, tyro.conf.Suppress])  # type: ignore[arg-type]
        for field in fields
        if (kind, field.name) not in shown and field.name not in inner
    ]
    return [*first, *hidden, *(field for field in fields if field.name in inner)]


def _default(field: FieldInfo) -> Any:
    return tyro.MISSING_NONPROP if field.is_required() else field.get_default()


def _boolean(word: str) -> bool:
    if word.lower() not in _BOOLEANS:
        raise ValueError(f"must be true or false; got {word!r}")
    return _BOOLEANS[word.lower()]


def _as_json(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=Section.model_dump)
