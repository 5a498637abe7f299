"""Predicts every row of a table, part by part."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from admet.config.reading import AS_FOUND, TableReading
from admet.data import Table, count_records, require_columns, stream_table
from admet.featurize.encode import Encoded
from admet.files import check_replaces_nothing, free_name
from admet.model.trained_model import TrainedModel, append_predictions
from admet.table_files import Origin, check_rows, check_table, open_table
from admet.workers import WorkerPool

log = logging.getLogger(__name__)

_REPORT_EVERY = 100_000  # rows


def predict_table(
    model: TrainedModel,
    data_path: Path,
    output: Path,
    smiles_column: str | None = None,
    *,
    structure_column: str | None = None,
    overwrite: bool = False,
    pool: WorkerPool | None = None,
    reading: TableReading = AS_FOUND,
) -> int:
    """Writes the table and, after its columns, one `<task>_pred` per task and one `reason`.

    Every input row is kept, in its order, with all its cells. A row without a valid molecule has
    empty predictions, and `reason` says why. Binary tasks get the probability of 1. The table is
    read, predicted and written in parts of `batch_size` rows, so that memory does not grow
    with its length.

    Args:
        model: The model.
        data_path: Table with a SMILES column.
        output: File to write; its ending decides the format. In Parquet, Excel and JSON numbers
            keep their type, elsewhere predictions are text of six digits.
        smiles_column: Column with the SMILES; None takes the one that the model was trained on.
        structure_column: Name of a new column with the structure that was predicted, empty where
            there is none; None writes no such column.
        overwrite: Whether a file that is there may be replaced.
        pool: Processes that read the molecules; None reads them in this one.
        reading: How the table is written, where it does not say it with certainty.

    Returns:
        The number of rows without a prediction.

    Raises:
        ConfigError: If the output exists and must not be replaced, is the input, has an ending
            that is not known, or cannot hold so many rows.
        DataError: If the table or its SMILES column cannot be read.
        WorkerError: If a process of the pool died.
    """
    check_table(output, "output", structures=True)
    check_replaces_nothing({"output": [output]}, [data_path], overwrite=overwrite)
    n_rows = count_records(data_path, reading)
    check_rows(output, "output", n_rows)
    column = smiles_column or model.spec.smiles_column
    n_done = n_empty = 0
    with open_table(output, Origin(data_path, column)) as file:
        encode_cells = model.encoder(with_structures=structure_column is not None)
        pool = pool or WorkerPool(1)
        for table, values, encoded in _parts(model, encode_cells, data_path, column, pool, reading):
            reasons = [table.faults.get(i, reason) for i, reason in enumerate(encoded.reasons)]
            given = table.frame
            if structure_column is not None and encoded.structures is not None:
                given = given.copy(deep=False)
                given[free_name(structure_column, given.columns)] = [
                    "" if i in table.faults else s for i, s in enumerate(encoded.structures)
                ]
            columns = list(values.T) if file.typed else _as_text(values)
            frame = append_predictions(given, model.task_names, columns, reasons)
            file.write(frame, table.blocks)
            reported = n_done // _REPORT_EVERY
            n_done += len(frame)
            n_empty += sum(bool(reason) for reason in reasons)
            if n_done // _REPORT_EVERY > reported:
                log.info("%d of %d rows", n_done, n_rows)
    log.info("%d rows predicted, %d without a prediction (see `reason`)", n_done - n_empty, n_empty)
    return n_empty


def _parts(
    model: TrainedModel,
    encode_cells: Callable[[list[Any]], Encoded],
    data_path: Path,
    column: str,
    pool: WorkerPool,
    reading: TableReading,
) -> Iterator[tuple[Table, np.ndarray, Encoded]]:
    """Gives each part of the table with predictions, shape (n, T), and what its n cells became."""
    predictor = model.predictor
    ahead: deque[Table] = deque()  # parts whose molecules are being read

    def cells() -> Iterator[list[Any]]:
        for table in stream_table(data_path, predictor.batch_size, reading):
            require_columns(table, [column], "SMILES")
            ahead.append(table)
            yield table.frame[column].tolist()

    for encoded in pool.map(encode_cells, cells()):
        table = ahead.popleft()
        values = np.full((len(table.frame), len(model.spec.tasks)), np.nan)
        if encoded.arrays is not None:
            values[encoded.valid] = predictor.predict_encoded(encoded).mean
        values[list(table.faults)] = np.nan
        yield table, values, encoded


def _as_text(values: np.ndarray) -> list[list[str]]:
    """Writes predictions, shape (n, T), as T columns of text, empty where there is none.

    They are text, so that the input's own columns of numbers are written with all their digits.
    """
    return [
        ["" if value != value else f"{value:.6g}" for value in column]  # noqa: PLR0124 - NaN
        for column in values.T.tolist()
    ]
