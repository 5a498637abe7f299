"""A frame of the caller's as a panel to measure."""

from collections.abc import Sequence

import pandas as pd

from admet.config import DataConfig
from admet.data import Panel, build_panel, table_from_frame
from admet.data.chemistry import read_molecules
from admet.data.label_columns import read_labels
from admet.data.table import Table, require_columns
from admet.data.target_columns import find_targets
from admet.errors import ConfigError, DataError, NoGradientStepsError
from admet.model.chemprop.task_affinity.estimators.sums import NO_STEPS


def panel_from_frame(df: pd.DataFrame, smiles_col: str, target_cols: Sequence[str]) -> Panel:
    """Checks a frame; see `compute_task_affinity`.

    Raises:
        ConfigError: If the target columns are no list of names.
        DataError: If a column is missing or its labels cannot be used.
        NoGradientStepsError: If no label or no valid SMILES is there at all.
    """
    data = DataConfig(smiles_column=smiles_col, target_columns=columns_of(target_cols))
    table = table_from_frame(df)
    try:
        return build_panel(table, data)
    except DataError:
        if _says_nothing(table, data):
            raise NoGradientStepsError(NO_STEPS) from None
        raise


def columns_of(names: Sequence[str]) -> tuple[str, ...]:
    """Gives column names.

    Raises:
        ConfigError: If they are no list of names, or there are none.
    """
    if names is None or isinstance(names, str) or not len(names):
        raise ConfigError(
            f"`target_cols` must be a list of column names, at least one; got {names!r}. Name the "
            "columns to compare."
        )
    return tuple(names)


def _says_nothing(table: Table, data: DataConfig) -> bool:
    """Tells whether a table that was refused holds no label or no valid SMILES at all."""
    require_columns(table, [data.smiles_column], "SMILES")
    names = find_targets(table, data)
    reading = read_labels(table, names, [data.rules_of(name) for name in names])
    if not reading.labels.present.any():
        return True
    cells = table.frame[data.smiles_column].tolist()
    return all(molecule.smiles is None for molecule in read_molecules(cells, standardize=False))
