"""`admet tune`: better settings of a training, found out of fold."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config.tune import TuneCommand, TuneRun

_STOPPED = "the trials that were done are kept; the same command goes on with the others"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(TuneCommand, _tune, argv, "admet tune", stopped=_STOPPED)


def _tune(command: TuneCommand) -> None:
    from admet.cli._trials import print_trials
    from admet.tuning import tune

    found = tune(command.only(TuneRun), overwrite=command.overwrite)
    print_trials(found)
    print(f"Trials: {found.path / 'trials.csv'}")
    print(f"Configuration: {found.path / 'best.yaml'}")


if __name__ == "__main__":
    sys.exit(main())
