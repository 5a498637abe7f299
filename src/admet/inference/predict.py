"""Predicts every row of a table."""

import logging
from pathlib import Path

import numpy as np

from admet.data import read_molecules, read_table, require_columns
from admet.errors import ConfigError
from admet.files import atomic, check_output, free_name
from admet.run_directory import TrainedModel

log = logging.getLogger(__name__)


def predict_table(
    model: TrainedModel,
    data_path: Path,
    output: Path,
    smiles_column: str | None = None,
    *,
    overwrite: bool = False,
) -> int:
    """Writes the table with a column `<task>_pred` a task and a column `reason`.

    Every input row is kept, in its order, with all its cells; a row without a valid molecule has
    empty predictions and says why in `reason`. Binary tasks get the probability of 1.

    Args:
        model: The model.
        data_path: Table with a SMILES column.
        output: CSV file to write.
        smiles_column: Column with the SMILES; None takes the one that the model was trained on.
        overwrite: Whether a file that is there may be replaced.

    Returns:
        The number of rows without a prediction.

    Raises:
        ConfigError: If the output exists and must not be replaced.
        DataError: If the table or its SMILES column cannot be read.
    """
    check_output(output, "output")
    if output.exists() and not overwrite:
        raise ConfigError(
            f"`output` {str(output)!r} exists. Name another file, or add --overwrite to replace it."
        )
    table = read_table(data_path)
    column = smiles_column or model.spec.smiles_column
    require_columns(table, [column], "SMILES")
    molecules = read_molecules(table.frame[column].tolist(), model.spec.standardize)
    reasons = [table.faults.get(row, m.reason) for row, m in enumerate(molecules)]
    valid = [row for row, reason in enumerate(reasons) if not reason]
    predictions = np.full((len(molecules), len(model.spec.tasks)), np.nan)
    predictions[valid] = model.predict([str(molecules[row].smiles) for row in valid])

    frame = table.frame.copy()
    for index, name in enumerate(model.spec.task_names):
        # As text, so that the input's own columns of numbers are written with all their digits.
        frame[free_name(f"{name}_pred", frame.columns)] = [
            "" if np.isnan(value) else f"{value:.6g}" for value in predictions[:, index]
        ]
    frame[free_name("reason", frame.columns)] = reasons
    with atomic(output) as partial:
        frame.to_csv(partial, index=False)
    n_empty = len(molecules) - len(valid)
    log.info("%d rows predicted, %d without a prediction (see `reason`)", len(valid), n_empty)
    return n_empty
