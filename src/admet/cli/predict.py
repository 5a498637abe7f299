"""`admet predict`: predictions for every row of a table."""

import sys
from collections.abc import Sequence

from admet.cli._common import execute
from admet.config import PredictCommand
from admet.files import check_output


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command."""
    return execute(PredictCommand, _predict, argv, "admet predict")


def _predict(command: PredictCommand) -> None:
    check_output(command.output, "output")
    from admet.inference import TrainedModel, predict_table
    from admet.model.chemprop.device import resolve_device

    device = resolve_device(command.device)
    model = TrainedModel.load(command.model_dir, device, command.batch_size)
    predict_table(
        model,
        command.data_path,
        command.output,
        command.smiles_column,
        overwrite=command.overwrite,
    )
    print(f"Predictions: {command.output}")


if __name__ == "__main__":
    sys.exit(main())
