"""Writes the generated half of the reference: the YAML keys and the help of every command.

The keys come from the pydantic models of `admet.config`, the help from the commands themselves, so
neither can fall behind the program. Run as `python docs/generate_reference.py`; the Sphinx build
calls it too.
"""

import os
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from admet.cli.__main__ import COMMANDS
from admet.config.base import Section
from admet.config.study import StudyRun
from admet.config.tune import TuneConfig

OUTPUT = Path(__file__).parent / "reference" / "generated"
FILES = ("yaml.md", "cli.md")
"""The names of the generated pages."""
_YAML_INTRO = (
    "Made from the schema in `admet.config`. A key that is not listed here is an error. On the "
    "command line of `admet train` a key is a flag: `training.batch_size` becomes "
    "`--training.batch-size`. The `study` sections belong to `admet study`, and the `tune` section "
    "to `admet tune`; both take those of `admet train`, too."
)
_CLI_INTRO = (
    "The output of `admet COMMAND --help-all`, 100 columns wide; `--help` shows the flags that one "
    "needs most. `python -m admet.cli.COMMAND` is the "
    "same as `admet COMMAND`. Exit codes: 0 done, 2 bad input or usage, 1 a bug, 130 interrupted."
)
_COLUMNS = "100"
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_WORDS: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    type(None): "empty",
}


def main() -> None:
    """Writes both pages to `docs/reference/generated`."""
    write(OUTPUT)


def write(folder: Path) -> None:
    """Writes both pages to a folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(FILES, (yaml_page(), cli_page()), strict=True):
        (folder / name).write_text(text, encoding="utf-8")


def sections(model: type[Section], path: str = "") -> Iterator[tuple[str, type[Section]]]:
    """Walks through a section and those inside it, depth first, with their dotted paths."""
    yield path, model
    for name, field in model.model_fields.items():
        if _is_section(field.annotation):
            yield from sections(field.annotation, f"{path}.{name}".lstrip("."))


def every_section() -> Iterator[tuple[str, type[Section]]]:
    """Walks through the sections of all commands that take a YAML file, each once."""
    yield from sections(StudyRun)
    yield from sections(TuneConfig, "tune")


def yaml_page() -> str:
    """Makes the page of the YAML keys: one table a section."""
    parts = [
        "# YAML keys",
        _YAML_INTRO,
    ]
    for path, model in every_section():
        lines = [
            f"| `{name}` | {_escape(_type(field))} | {_escape(_default(field))} "
            f"| {_escape(field.description or '')} |"
            for name, field in model.model_fields.items()
            if not _is_section(field.annotation)
        ]
        inner = [
            f"`{f'{path}.{name}'.lstrip('.')}`"
            for name, field in model.model_fields.items()
            if _is_section(field.annotation)
        ]
        parts.append(f"## `{path}`" if path else "## Top level")
        parts.append((model.__doc__ or "").strip().splitlines()[0])
        if inner:
            parts.append(f"Sections inside: {', '.join(inner)}.")
        header = ["| key | type | default | description |", "|---|---|---|---|"]
        parts.append("\n".join(header + lines))
    return "\n\n".join(parts) + "\n"


def cli_page() -> str:
    """Makes the page of the commands: the help of each as the program prints it."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        helps = list(pool.map(_help, COMMANDS))
    parts = [
        "# Commands",
        _CLI_INTRO,
    ]
    for command, text in zip(COMMANDS, helps, strict=True):
        parts += [f"## admet {command}", f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"


def _help(command: str) -> str:
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in {"FORCE_COLOR", "CLICOLOR_FORCE", "LINES"}
    }
    environment |= {"COLUMNS": _COLUMNS, "NO_COLOR": "1", "TERM": "dumb", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "admet.cli", command, "--help-all"],
        env=environment,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    lines = _ESCAPES.sub("", done.stdout).strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _type(field: FieldInfo) -> str:
    bounds = [
        f"{sign} {_number(getattr(rule, attribute))}"
        for rule in field.metadata
        for attribute, sign in _BOUNDS.items()
        if hasattr(rule, attribute)
    ]
    return ", ".join([_words(field.annotation), *bounds])


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _words(annotation: Any) -> str:
    """Puts a type into words."""
    if get_origin(annotation) is Annotated:
        return _words(get_args(annotation)[0])
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin in {Union, types.UnionType}:
        return " or ".join(_words(arm) for arm in inner)
    if origin is list or (origin is tuple and inner[-1] is Ellipsis):
        item = _words(inner[0])
        simple = get_origin(inner[0]) is Annotated or not get_args(inner[0])
        return f"list of {item}" if simple else f"list of ({item})"
    if origin is tuple:
        return f"{len(inner)} × {_words(inner[0])}"
    if _is_section(annotation):
        return f"({', '.join(f'`{name}`' for name in annotation.model_fields)})"
    if origin is dict:
        return f"mapping of {_words(inner[0])} to {_words(inner[1])}"
    raise TypeError(f"no words for the type {annotation!r}")


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | list):
        return f"`{list(value)}`"
    return f"`{value}`"


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
