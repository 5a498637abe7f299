"""Completion of commands, flags and their values in a shell."""

import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Union

import tyro

from admet.cli._flags import registry
from admet.config.base import Section
from admet.errors import near_names

SHELLS = ("bash", "zsh", "fish")
PRINT, WRITE = "--tyro-print-completion", "--tyro-write-completion"


class Nothing(Section):
    """A command without flags that are known here."""


def schema_of(command: str) -> type[Section]:
    """Finds the schema of a command: the one section that its module names `…Command`."""
    module = importlib.import_module(f"admet.cli.{command}")
    found = (
        value
        for name, value in vars(module).items()
        if name.endswith("Command") and isinstance(value, type) and issubclass(value, Section)
    )
    return next(found, Nothing)


def complete(words: Sequence[str], commands: Iterable[str]) -> int:
    """Prints or writes a script that completes every command in a shell.

    Args:
        words: `--tyro-print-completion SHELL` or `--tyro-write-completion SHELL FILE`.
        commands: Names of all commands.

    Returns:
        0 done, 2 where the words are others.
    """
    written = words[0].replace("_", "-") == WRITE
    usage = f"usage: admet {WRITE} SHELL FILE" if written else f"usage: admet {PRINT} SHELL"
    if len(words) != (3 if written else 2):
        print(f"{usage}\nShells: {', '.join(SHELLS)}", file=sys.stderr)
        return 2
    if words[1] not in SHELLS:
        print(
            f"error: no completion for the shell {words[1]!r}. {near_names(words[1], SHELLS)}",
            file=sys.stderr,
        )
        return 2
    schemas: Any = Union[  # noqa: UP007 - of a tuple that is made here
        tuple(
            Annotated[schema_of(name), tyro.conf.subcommand(name=name, prefix_name=False)]
            for name in commands
        )
    ]
    try:
        tyro.cli(
            schemas,
            prog="admet",
            args=list(words),
            config=(tyro.conf.FlagConversionOff,),
            registry=registry(),
        )
    except SystemExit as stop:  # which is how it ends
        return int(stop.code or 0)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
