"""`admet predict`: predictions for every row of a table."""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from admet.cli._common import execute
from admet.config import PredictCommand, TableReading

_SMALL = 100_000  # bytes, some 2,000 molecules


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(PredictCommand, _predict, argv, "admet predict")


def _predict(command: PredictCommand) -> None:
    from admet.table_files import check_table

    check_table(command.output, "output", structures=True)
    from admet.featurize.encode import encode
    from admet.workers import WorkerPool

    # The processes start before torch is imported, and get ready while it is.
    n_workers = 1 if _is_small(command.data_path) else None
    with WorkerPool(n_workers, warm_up=partial(encode, ["C"], True, 1, False)) as pool:
        from admet.inference import predict_table
        from admet.model.chemprop.device import resolve_device
        from admet.model.doubt.asked import Asked
        from admet.run_directory import load_model

        device = resolve_device(command.device)
        model = load_model(command.model_dir, device, command.batch_size)
        predict_table(
            model.faster() if command.fast else model,
            command.data_path,
            command.output,
            command.smiles_column,
            structure_column=command.structure_column,
            overwrite=command.overwrite,
            pool=pool,
            reading=command.only(TableReading),
            asked=Asked(command.intervals, command.nearest),
        )
    print(f"Predictions: {command.output}")


def _is_small(path: Path) -> bool:
    """Tells whether starting processes takes longer than they would save."""
    return not path.is_file() or path.stat().st_size < _SMALL


if __name__ == "__main__":
    sys.exit(main())
