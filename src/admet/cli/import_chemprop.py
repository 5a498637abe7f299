"""`admet import_chemprop MODEL.pt`: a run directory of Chemprop's model files."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config.exchange import ImportCommand


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; words before the first flag are the model files."""
    return execute(ImportCommand, _import, argv, "admet import_chemprop", first="--model-files")


def _import(command: ImportCommand) -> None:
    from admet.exchange import import_chemprop

    model = import_chemprop(
        command.model_files,
        command.save_dir,
        target_columns=command.target_columns,
        smiles_column=command.smiles_column,
        standardize=command.standardize,
        overwrite=command.overwrite,
    )
    for task in model.spec.tasks:
        print(f"{task.name}: {task.kind}")
    print(f"Run directory: {command.save_dir}")


if __name__ == "__main__":
    sys.exit(main())
