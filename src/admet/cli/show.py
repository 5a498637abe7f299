"""`admet show RUN`: what a run directory or a study holds."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.cli._early import STUDY
from admet.config.commands import ShowCommand


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the first word is the folder, unless it is a flag."""
    return execute(ShowCommand, _show, argv, "admet show", first="--run-dir")


def _show(command: ShowCommand) -> None:
    folder = command.run_dir
    from admet.cli._show import print_run, print_study

    if (folder / STUDY).exists():
        from admet.study.summary import study_summary_of

        print_study(study_summary_of(folder))
    else:
        from admet.run_directory.summary import summary_of

        print_run(summary_of(folder))


if __name__ == "__main__":
    sys.exit(main())
