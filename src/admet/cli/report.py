"""`admet report RUN_OR_STUDY`: one page that shows what a training or a study found."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import ReportCommand


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the first word is the folder, unless it is a flag."""
    return execute(ReportCommand, _report, argv, "admet report", first="--run")


def _report(command: ReportCommand) -> None:
    from admet.report import write_report

    print(write_report(command.run, command.output, overwrite=command.overwrite))


if __name__ == "__main__":
    sys.exit(main())
