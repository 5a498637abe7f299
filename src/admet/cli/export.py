"""`admet export RUN --to chemprop`: a trained model as files of another program."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config.exchange import ExportCommand


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the first word is the run directory, unless it is a flag."""
    return execute(ExportCommand, _export, argv, "admet export", first="--model-dir")


def _export(command: ExportCommand) -> None:
    from admet.exchange import export_run

    done = export_run(
        command.model_dir,
        command.output,
        member=command.member,
        learnt_scale=command.learnt_scale,
        overwrite=command.overwrite,
    )
    for path, columns in zip(done.paths, done.columns, strict=True):
        print(f"{path}: {', '.join(columns)}")
    print(f"chemprop predict -i TABLE.csv -s SMILES --model-paths {done.paths[0]} -o OUT.csv")
    for line in done.lost:
        print(f"Note: {line}")


if __name__ == "__main__":
    sys.exit(main())
