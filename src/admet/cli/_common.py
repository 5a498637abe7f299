"""What all commands share: parsing from the schema, the console log, errors to exit codes."""

import itertools
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import tyro

from admet.cli._early import check_early
from admet.cli._flags import registry
from admet.cli._levels import HELP, HELP_ALL, Shown, shown_by_help
from admet.cli._values import nearest_value
from admet.config import TrainCommand, TrainConfig, load_yaml_config
from admet.config.base import Section
from admet.config.study import StudyCommand, StudyRun
from admet.config.tune import TuneCommand, TuneRun
from admet.errors import AdmetError, ConfigError

S = TypeVar("S", bound=Section)

BUG, BAD_INPUT, INTERRUPTED = 1, 2, 130

# Threads that spin long while they wait for one another starve on a busy machine. With GNU OpenMP's
# default, training is several times slower there, and no faster on an idle machine (to see it, set
# GOMP_SPINCOUNT before benchmarks/training_step.py). torch is imported later and reads it then.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def execute(
    command: type[S],
    body: Callable[[S], None],
    argv: Sequence[str] | None,
    prog: str,
    *,
    first: str | None = None,
    stopped: str = "no result was written",
) -> int:
    """Parses a command line, runs the command, and turns what goes wrong into an exit code.

    Args:
        command: The schema of the command line.
        body: The command.
        argv: Words of the command line; None takes the process's own.
        prog: Name for the help.
        first: The flag that words before any flag belong to; None where there are none.
        stopped: What is left after Ctrl-C.

    Returns:
        0 done, 2 bad input or usage, 1 a bug, 130 interrupted.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if first is not None and words and not words[0].startswith("-"):
        words.insert(0, first)
    try:
        with console_log():
            asked = parse(command, words, prog)
            check_early(asked)
            body(asked)
            sys.stdout.flush()  # here, where a full disk behind it is still reported
    except BrokenPipeError:  # the reader of our output has seen enough (`| head`)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as stop:  # help and usage errors of the parser, which has said most
        if stop.code and (near := nearest_value(command, words)):
            print(near, file=sys.stderr)
        return int(stop.code or 0)
    except (AdmetError, OSError) as error:
        # Faults of the file system (no space, no permission) are the user's to mend, too.
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"interrupted: {stopped}", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if _out_of_memory(error):
            print(
                f"error: the memory does not hold this: {_first_line(error)}. {_LESS}",
                file=sys.stderr,
            )
            return BAD_INPUT
        traceback.print_exc()
        print(f"error: this is a bug in {prog}; please report the lines above", file=sys.stderr)
        return BUG
    return 0


_LESS = "Lower a batch size, a width, or the number of resamples."


def _out_of_memory(error: Exception) -> bool:
    """Recognises the errors of Python, NumPy, and torch on a CPU and a GPU."""
    by_name = type(error).__name__ in {"OutOfMemoryError", "_ArrayMemoryError"}
    return isinstance(error, MemoryError) or by_name or "can't allocate memory" in str(error)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def parse(command: type[S], words: Sequence[str], prog: str) -> S:
    """Builds a frozen configuration from flags, over a YAML file where the command takes one.

    Raises:
        ConfigError: If the YAML file is wrong, or there is none to repeat.
        SystemExit: With 2 for wrong flags, with 0 for help.
    """
    words = _spell_out_flags(list(words), _boolean_flags(command))
    default: Any = None
    if issubclass(command, TrainCommand):
        path = _path_behind("--config", words)
        repeat = _path_behind("--repeat", words)
        if repeat is not None:
            path = repeat / "config.yaml"
            if not path.is_file():
                raise ConfigError(
                    f"`repeat` must name a run directory; {str(repeat)!r} has no {path.name}. Name "
                    "a folder that `admet train` wrote."
                )
        stored = TrainConfig() if path is None else load_yaml_config(path, TrainConfig)
        if repeat is not None:  # where that run wrote is no choice of this user
            data = stored.data.model_copy(update={"cache_dir": None})
            stored = stored.model_copy(update={"save_dir": repeat, "data": data})
        default = command(**dict(stored))
    elif issubclass(command, StudyCommand):
        path = _path_behind("--config", words)
        default = command(**dict(StudyRun() if path is None else load_yaml_config(path, StudyRun)))
    elif issubclass(command, TuneCommand):
        path = _path_behind("--config", words)
        default = command(**dict(TuneRun() if path is None else load_yaml_config(path, TuneRun)))
    description, shown = _help_of(command, words, prog)
    parsed: S = tyro.cli(
        command,
        prog=prog,
        description=description,
        args=[HELP if word == HELP_ALL else word for word in words],
        default=default if default is not None else tyro.MISSING_NONPROP,
        config=(tyro.conf.FlagConversionOff,),
        registry=registry(shown),
    )
    return parsed


def _help_of(
    command: type[Section], words: Sequence[str], prog: str
) -> tuple[str | None, Shown | None]:
    """Gives what stands above the flags, and the flags that a help which is asked for shows."""
    asked = {HELP, "-h"} & set(words) and HELP_ALL not in words
    level = shown_by_help(prog.removeprefix("admet "), command) if asked else None
    if level is None:
        return command.__doc__, None
    shown, n = level
    return f"{command.__doc__}\n\nThe flags that one needs most; {HELP_ALL} shows all {n}.", shown


def _boolean_flags(section: type[Section], prefix: str = "--") -> set[str]:
    """Lists the flags of a schema that take true or false."""
    flags: set[str] = set()
    for name, field in section.model_fields.items():
        kind = field.annotation
        flag = prefix + name.replace("_", "-")
        if isinstance(kind, type) and issubclass(kind, Section):
            flags |= _boolean_flags(kind, f"{flag}.")
        elif kind is bool:
            flags.add(flag)
    return flags


def _spell_out_flags(words: list[str], boolean: set[str]) -> list[str]:
    """Writes `true` behind a boolean flag that stands alone, such as `--overwrite`."""
    spelled: list[str] = []
    for word, following in itertools.pairwise([*words, "--"]):
        spelled.append(word)
        if word.replace("_", "-") in boolean and following.startswith("--"):
            spelled.append("true")
    return spelled


def _path_behind(flag: str, words: Sequence[str]) -> Path | None:
    """Finds the value of a flag that the other flags' defaults depend on."""
    found = None  # the last one counts, as for every flag
    for word, following in itertools.pairwise([*words, ""]):
        if word.startswith(f"{flag}="):
            found = Path(word.removeprefix(f"{flag}="))
        elif word == flag and following:
            found = Path(following)
    return found


@contextmanager
def console_log() -> Iterator[None]:
    """Sends the package's log, and Python's warnings as log lines, to the console."""
    logger = logging.getLogger("admet")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_ConsoleFormatter())
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    with warnings.catch_warnings():
        warnings.showwarning = _log_warning
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)


def _log_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    logging.getLogger("admet").warning("%s", message)


class _ConsoleFormatter(logging.Formatter):
    """Plain lines; a warning says that it is one."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        indented = text.startswith(" ")
        return f"warning: {text}" if record.levelno >= logging.WARNING and not indented else text
