"""`admet show RUN`: what a run directory or a study holds."""

import sys
from collections.abc import Sequence
from pathlib import Path

from admet.cli._common import execute
from admet.config.commands import ShowCommand
from admet.errors import RunDirectoryError, near_names

_STUDY, _MODEL = "study.json", "model.json"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the first word is the folder, unless it is a flag."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and not words[0].startswith("-"):
        words.insert(0, "--run-dir")
    return execute(ShowCommand, _show, words, "admet show")


def _show(command: ShowCommand) -> None:
    folder = command.run_dir
    _check(folder)
    from admet.cli._show import print_run, print_study

    if (folder / _STUDY).exists():
        from admet.study.summary import study_summary_of

        print_study(study_summary_of(folder))
    else:
        from admet.run_directory.summary import summary_of

        print_run(summary_of(folder))


def _check(folder: Path) -> None:
    """Checks that a folder may hold a model or a study, before anything heavy is imported.

    Raises:
        RunDirectoryError: Says what is there instead, and what to do.
    """
    part = folder.absolute().with_name(f".{folder.absolute().name}.part")
    if not folder.exists() and part.is_dir():
        raise RunDirectoryError(
            f"The training of {str(folder)!r} has not ended: what it has so far stands in "
            f"{part.name!r} beside it. `admet train --resume` goes on with it."
        )
    if not folder.exists():
        parent = folder.absolute().parent
        beside = [p.name for p in parent.iterdir() if p.is_dir()] if parent.is_dir() else []
        hint = near_names(folder.name, beside) if beside else "Check the path."
        raise RunDirectoryError(f"Run directory {str(folder)!r} does not exist. {hint}")
    if not folder.is_dir():
        raise RunDirectoryError(f"{str(folder)!r} is a file. Name the folder of a run or a study.")
    if not (folder / _STUDY).exists() and not (folder / _MODEL).exists():
        raise RunDirectoryError(
            f"{str(folder)!r} is neither a run directory nor a study: it has no {_MODEL} and no "
            f"{_STUDY}. Name a folder that `admet train` or `admet study` wrote."
        )


if __name__ == "__main__":
    sys.exit(main())
