"""`admet study`: which way of training pays for which endpoint."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config.study import StudyCommand

_STOPPED = "the fits that were done are kept; the same command goes on with the others"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(StudyCommand, _study, argv, "admet study", stopped=_STOPPED)


def _study(command: StudyCommand) -> None:
    from admet.cli._verdict import print_verdict
    from admet.report import offer_report
    from admet.study import run

    found = run(command, overwrite=command.overwrite)
    print_verdict(found)
    assert found.path is not None  # noqa: S101 - `run` writes one
    report = offer_report(found.path)
    print(f"Study:  {found.path}")
    print(f"Model:  {found.path}/model")
    if report is not None:
        print(f"Report: {report}")


if __name__ == "__main__":
    sys.exit(main())
