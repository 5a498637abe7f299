"""`admet train`: from a table to a run directory."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import TrainCommand


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(TrainCommand, _train, argv, "admet train")


def _train(command: TrainCommand) -> None:
    from admet.cli._tables import print_metrics
    from admet.report import offer_report
    from admet.run_directory import Files
    from admet.training import as_before, read_test, train

    if command.repeat is not None:
        command = as_before(command, command.repeat)
    run_dir = train(command, overwrite=command.overwrite, resume=command.resume).run_dir
    assert run_dir is not None  # noqa: S101 - `train` writes one
    scores = read_test(run_dir)
    if scores is not None:
        print_metrics(scores, "Test side of the split")
    print(f"Run directory: {run_dir}")
    if command.task_affinity.enabled:
        print(f"Heatmap:       {run_dir / Files.HEATMAP}")
    print(f"Metrics:       {run_dir / Files.METRICS}")
    report = run_dir / Files.REPORT  # a run that was finished before keeps its own
    if report.is_file() or offer_report(run_dir) is not None:
        print(f"Report:        {report}")


if __name__ == "__main__":
    sys.exit(main())
