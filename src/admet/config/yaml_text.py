"""Text in YAML that YAML reads as something else: NO is false there, 0x10 is 16.

Where the schema wants text, and for every key, the value is taken as the user wrote it.
"""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml

from admet.config.base import Section
from admet.errors import ConfigError

_TEXT = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"
_KINDS = {
    "tag:yaml.org,2002:null": type(None),
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "!exponent": float,
}
_SHOWN = 60  # characters


class TextAsWritten:
    """Marks the scalars of a YAML document that the schema wants as text."""

    def __init__(self) -> None:
        """Begins a document."""
        self._seen: set[tuple[int, str]] = set()  # an alias may hold itself

    def mark(self, node: yaml.Node, annotation: Any, path: str = "") -> None:
        """Makes text of the scalars below a node, by what the schema wants there.

        Args:
            node: A node; its children are replaced.
            annotation: The type that the schema wants of it.
            path: Where it stands, with dots, for messages.

        Raises:
            ConfigError: If there is a list or a mapping where a text should stand, as YAML makes of
                a name that holds `: ` or begins with a bracket.
        """
        key = (id(node), repr(annotation))
        if key in self._seen:
            return
        self._seen.add(key)
        arms = list(_arms(annotation))
        if isinstance(node, yaml.MappingNode):
            node.value = [
                (as_text(k), self._child(v, self._of(annotation, arms, k), f"{path}.{k.value}"))
                for k, v in node.value
            ]
        elif isinstance(node, yaml.SequenceNode):
            node.value = [
                self._child(item, _of_item(arms, place), f"{path}.{place}")
                for place, item in enumerate(node.value)
            ]

    @staticmethod
    def _of(annotation: Any, arms: list[Any], key: yaml.Node) -> Any:
        return annotation if key.tag == _MERGE else _of_key(arms, key)

    def _child(self, node: yaml.Node, annotation: Any, path: str) -> yaml.Node:
        arms = list(_arms(annotation))
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node, arms)
        if arms and all(_is_text(arm) or arm is type(None) for arm in arms):
            raise ConfigError(_no_text(node, path.lstrip(".")))
        self.mark(node, annotation, path)
        return node


def as_text(node: yaml.Node) -> yaml.Node:
    """Gives a key as the text that was written; `<<`, which merges mappings, stays as it is."""
    if not isinstance(node, yaml.ScalarNode) or node.tag in (_TEXT, _MERGE):
        return node
    return yaml.ScalarNode(_TEXT, node.value, node.start_mark, node.end_mark)


def _scalar(node: yaml.ScalarNode, arms: list[Any]) -> yaml.Node:
    """Gives a scalar as text where the schema wants text and not the type that YAML read."""
    kind = _KINDS.get(node.tag)
    if kind is type(None) and not node.value:  # nothing stands there
        return node
    wanted = {int, float} if kind is int else {kind}
    text = any(_is_text(arm) or any(map(_is_text, _arms(_of_item([arm], 0)))) for arm in arms)
    if not text or wanted & set(arms):
        return node
    return yaml.ScalarNode(_TEXT, node.value, node.start_mark, node.end_mark)


def _arms(annotation: Any) -> Iterator[Any]:
    """Gives the types that a value may have."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _arms(get_args(annotation)[0])
    elif origin in {Union, types.UnionType}:
        for arm in get_args(annotation):
            yield from _arms(arm)
    elif annotation is not Any:
        yield annotation


def _is_text(arm: Any) -> bool:
    if get_origin(arm) is Literal:
        return all(isinstance(value, str) for value in get_args(arm))
    return isinstance(arm, type) and issubclass(arm, str | Path)


def _of_key(arms: list[Any], key: yaml.Node) -> Any:
    """Gives the type of the value of a key."""
    for arm in arms:
        if isinstance(arm, type) and issubclass(arm, Section):
            field = arm.model_fields.get(key.value) if isinstance(key.value, str) else None
            if field is not None:
                return field.annotation
        elif get_origin(arm) is dict:
            return get_args(arm)[1]
    return Any


def _of_item(arms: list[Any], place: int) -> Any:
    """Gives the type of an item of a list."""
    for arm in arms:
        inner = get_args(arm)
        if get_origin(arm) is list or (get_origin(arm) is tuple and inner[-1] is Ellipsis):
            return inner[0]
        if get_origin(arm) is tuple and place < len(inner):
            return inner[place]
    return Any


def _no_text(node: yaml.Node, path: str) -> str:
    """Says what YAML made of a text, and how to write it."""
    start, end = node.start_mark, node.end_mark
    written = (start.buffer or "")[start.pointer : end.pointer].rstrip("\0").strip()
    shown = written if len(written) <= _SHOWN else f"{written[:_SHOWN]}…"
    made = "a mapping" if isinstance(node, yaml.MappingNode) else "a list"
    quoted = shown.replace("'", "''").replace("\n", " ")
    return (
        f"`{path}` must be text; YAML reads {shown!r} (line {start.line + 1}) as {made}. Put it in "
        f"quotes: '{quoted}'."
    )
