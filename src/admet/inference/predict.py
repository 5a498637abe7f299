"""Predicts every row of a table, part by part."""

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from admet.config.reading import AS_FOUND, TableReading
from admet.data import Table, count_records, require_columns, stream_table
from admet.featurize.encode import Encoded
from admet.files import check_replaces_nothing, free_name
from admet.model.doubt.asked import NOTHING, Asked
from admet.model.trained_model import TrainedModel, append_columns
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
    asked: Asked = NOTHING,
    watch: Callable[[int, pd.DataFrame], None] | None = None,
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
        asked: Intervals and neighbours that are wanted behind the predictions.
        watch: Is told the number of rows of the table and each part of it that was written; what it
            raises stops the work, and nothing is left.

    Returns:
        The number of rows without a prediction.

    Raises:
        ConfigError: If the model does not know what is asked for, or the output exists and must not
            be replaced, is the input, has an ending that is not known, or cannot hold so many rows.
        DataError: If the table or its SMILES column cannot be read.
        WorkerError: If a process of the pool died.
    """
    model.check_asked(asked)
    check_table(output, "output", structures=True)
    check_replaces_nothing({"output": [output]}, [data_path], overwrite=overwrite)
    n_rows = count_records(data_path, reading)
    check_rows(output, "output", n_rows)
    column = smiles_column or model.spec.smiles_column
    n_done = n_empty = 0
    with open_table(output, Origin(data_path, column)) as file:
        encode_cells = model.encoder(with_structures=structure_column is not None or bool(asked))
        pool = pool or WorkerPool(1)
        parts = _parts(model, encode_cells, data_path, column, pool, reading, asked)
        for table, found, encoded in parts:
            reasons = [table.faults.get(i, reason) for i, reason in enumerate(encoded.reasons)]
            given = table.frame
            if structure_column is not None and encoded.structures is not None:
                given = given.copy(deep=False)
                given[free_name(structure_column, given.columns)] = [
                    "" if i in table.faults else s for i, s in enumerate(encoded.structures)
                ]
            columns = found if file.typed else _as_text(found)
            if not n_done:
                _warn_of_taken([*columns, "reason"], given.columns)
            frame = append_columns(given, columns, reasons)
            file.write(frame, table.blocks)
            if watch is not None:
                watch(n_rows, frame)
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
    asked: Asked,
) -> Iterator[tuple[Table, dict[str, np.ndarray], Encoded]]:
    """Gives each part of the table with its new columns, and what its n cells became."""
    predictor = model.predictor
    ahead: deque[Table] = deque()  # parts whose molecules are being read

    def cells() -> Iterator[list[Any]]:
        for table in stream_table(data_path, predictor.batch_size, reading):
            require_columns(table, [column], "SMILES")
            ahead.append(table)
            yield table.frame[column].tolist()

    for encoded in pool.map(encode_cells, cells()):
        table = ahead.popleft()
        found = model.predict_encoded(encoded, asked)
        for column_of in found.values():
            column_of[list(table.faults)] = "" if column_of.dtype == object else np.nan
        yield table, found, encoded


def _as_text(columns: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
    """Writes columns of n numbers as text, empty where there is none.

    They are text, so that the input's own columns of numbers are written with all their digits.
    """
    return {
        name: ["" if v != v else v if isinstance(v, str) else f"{v:.6g}" for v in column.tolist()]  # noqa: PLR0124 - NaN
        for name, column in columns.items()
    }


def _warn_of_taken(names: Sequence[str], given: Collection[str]) -> None:
    """Says which columns of the table have the names of what is predicted."""
    if taken := [name for name in names if name in given]:
        log.warning(
            "The table has columns of its own that are called %s; they stay, and the new ones are "
            "called %s",
            ", ".join(taken),
            ", ".join(free_name(name, given) for name in taken),
        )
