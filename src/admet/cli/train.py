"""`admet train`: from a table to a run directory."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import TrainCommand
from admet.errors import RunDirectoryError


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(TrainCommand, _train, argv, "admet train")


def _train(command: TrainCommand) -> None:
    from admet.cli._tables import print_metrics
    from admet.run_directory import Files, read_json
    from admet.training import as_before, train

    if command.repeat is not None:
        command = as_before(command, command.repeat)
    run_dir = train(command, overwrite=command.overwrite, resume=command.resume).run_dir
    assert run_dir is not None  # noqa: S101 - `train` writes one
    try:
        print_metrics(read_json(run_dir / Files.METRICS).get("test"), "Test side of the split")
    except (LookupError, TypeError, ValueError, AttributeError) as error:  # not of this run
        raise RunDirectoryError(
            f"{str(run_dir / Files.METRICS)!r} is damaged: {error}. Test the model with `admet "
            "evaluate`."
        ) from None
    print(f"Run directory: {run_dir}")
    if command.task_affinity.enabled:
        print(f"Heatmap:       {run_dir / Files.HEATMAP}")
    print(f"Metrics:       {run_dir / Files.METRICS}")


if __name__ == "__main__":
    sys.exit(main())
