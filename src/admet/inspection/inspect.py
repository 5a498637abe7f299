"""Reads a table as a training would, and lists what it understood."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from admet.config.data import BY_TASK, DataConfig
from admet.data import (
    Panel,
    Split,
    Table,
    build_panel,
    cell_text,
    check_learnable,
    read_molecules,
    read_table,
    split_panel,
)
from admet.data.build import check_strangers, read_tasks
from admet.data.numbers import looks_like_number
from admet.data.target_columns import find_targets, own_columns
from admet.errors import DataError, near_names
from admet.inspection.columns import ColumnFacts, facts_of
from admet.inspection.overlap import label_correlations, shared_molecules

log = logging.getLogger(__name__)

_PROBED = 50  # cells by which a column of SMILES is told
_MOST_TEXT = 0.5  # share of cells that are no numbers from which a column is plain text,
_MOST_CODES = 3  # unless they are so few that they may name two classes and a gap


@dataclass(frozen=True)
class Inspection:
    """What a table holds.

    Attributes:
        path: The table.
        n_records: Its records.
        data: How it was read; its `target_columns` are those that can be trained on.
        panel: The panel that they make.
        columns: One entry a target.
        faults: Target → why it cannot be trained on as it stands, and what to do.
        ignored: Columns that hold no numbers, and have no role.
        split: The split that a training would make; None where none can be made.
        split_fault: Why there is none, or why a training would refuse it.
    """

    path: Path
    n_records: int
    data: DataConfig
    panel: Panel
    columns: tuple[ColumnFacts, ...]
    faults: dict[str, str]
    ignored: tuple[str, ...]
    split: Split | None
    split_fault: str = ""

    @cached_property
    def shared(self) -> np.ndarray:
        """Molecules with labels of two targets, shape (T, T)."""
        return shared_molecules(self.panel)

    @cached_property
    def correlations(self) -> np.ndarray:
        """Rank correlation of the labels of two targets on these, shape (T, T), or NaN."""
        return label_correlations(self.panel)

    @property
    def rows(self) -> list[dict[str, object]]:
        """One row a target that can be trained on."""
        return [
            facts.row() | self._labels_by_side(index) for index, facts in enumerate(self.columns)
        ]

    @property
    def frame(self) -> pd.DataFrame:
        """One row a column: what is known of it, and its labels on each side of the split."""
        rows = [*self.rows]
        rows += [{"column": name, "remarks": fault} for name, fault in self.faults.items()]
        return pd.DataFrame(rows)

    def _labels_by_side(self, index: int) -> dict[str, int]:
        if self.split is None:
            return {}
        present = self.panel.labels.present[:, index]
        return {f"n_{side}": int(present[rows].sum()) for side, rows in self.split.parts.items()}


def inspect_table(path: str | Path, config: DataConfig, seed: int = 42) -> Inspection:
    """Reads a table as a training would.

    Where the configuration names no target, every column that holds numbers is one; where it leaves
    the SMILES column at its default and there is none of that name, the first column that holds
    SMILES is taken. A column that cannot be read does not keep the others from it.

    Args:
        path: The table.
        config: How it is read; `cache` and `cache_dir` have no effect.
        seed: Seed of the split, where `split_seed` is empty.

    Returns:
        What was found.

    Raises:
        DataError: If the table cannot be read, has no SMILES, or no column of labels can be used.
    """
    table = read_table(path, config)
    config = _with_smiles(table, config)
    roles = own_columns(config)
    names = find_targets(table.sound(), config) or [
        name for name in map(str, table.frame.columns) if name and name not in roles
    ]
    check_strangers(config, names, table.source)
    said = {name for key in BY_TASK for name in getattr(config, key)}
    ignored = []
    if not config.target_columns:
        ignored = [name for name in names if name not in said and _is_text(table, name)]
    names = [name for name in names if name not in ignored]
    if config.split_seed is None and config.deals_blocks:
        config = config.model_copy(update={"split_seed": seed})  # so that a training has this split
    faults: dict[str, str] = {}
    try:
        panel = build_panel(table, _with_targets(config, names))
    except DataError:  # of some column, perhaps
        faults = _faults(table, config, names)
        if not faults:
            raise
        names = [name for name in names if name not in faults]
        if not names:
            why = "\n".join(faults.values())
            raise DataError(
                f"{table.source} has no column that can be trained on.\n{why}"
            ) from None
        panel = build_panel(table, _with_targets(config, names))
    config = _with_targets(config, names)
    split, split_fault = _split(panel, config, seed)
    columns = tuple(facts_of(panel, index) for index in range(len(panel.tasks)))
    return Inspection(
        Path(path),
        len(table.frame),
        config,
        panel,
        columns,
        faults,
        tuple(ignored),
        split,
        split_fault,
    )


def _with_smiles(table: Table, config: DataConfig) -> DataConfig:
    """Finds the column of SMILES where the default is not there.

    Raises:
        DataError: If the user named one that is not there, or none holds SMILES.
    """
    columns = [str(name) for name in table.frame.columns]
    if config.smiles_column in columns:
        return config
    if config.smiles_column == DataConfig().smiles_column:
        by_name = sorted(columns, key=lambda name: "smiles" not in name.casefold())
        for name in by_name:
            if name not in config.target_columns and _holds_smiles(table, name):
                log.info("SMILES are read from column %r", name)
                return config.model_copy(update={"smiles_column": name})
    raise DataError(
        f"SMILES column {config.smiles_column!r} is not in {table.source}. "
        f"{near_names(config.smiles_column, columns)} Name yours with --smiles-column."
    )


def _holds_smiles(table: Table, name: str) -> bool:
    """Tells whether most of the first cells of a column are molecules, and none is a number."""
    cells = [cell_text(cell) for cell in table.frame[name].head(_PROBED)]
    cells = [cell for cell in cells if cell]
    if not cells or any(map(looks_like_number, cells)):
        return False
    read = read_molecules(cells, False)
    return sum(not molecule.reason for molecule in read) > len(cells) / 2


def _with_targets(config: DataConfig, names: Sequence[str]) -> DataConfig:
    """Gives the configuration of some targets, and of what is said of them."""
    said = {
        key: {name: rule for name, rule in getattr(config, key).items() if name in names}
        for key in BY_TASK
    }
    return config.model_copy(update={"target_columns": tuple(names), **said})


def _faults(table: Table, config: DataConfig, names: Sequence[str]) -> dict[str, str]:
    """Tries each column alone: those that cannot be trained on as they stand, and why.

    The labels tell nearly always; where they do not, each column is tried as a panel of its own.
    """
    faults: dict[str, str] = {}
    sound = table.sound()
    tries = (partial(read_tasks, sound), partial(build_panel, table))
    for attempt in tries:
        for name in names:
            own = _with_targets(config, [name])
            try:
                attempt(own)
            except DataError as error:
                faults[name] = str(error)
        if faults:
            break
    return faults


def _is_text(table: Table, name: str) -> bool:
    """Tells whether a column is plain text: names, identifiers, comments."""
    column = table.frame[name]
    if pd.api.types.is_numeric_dtype(column):
        return False
    cells = [cell_text(cell) for cell in column.dropna().unique()[:1000]]
    cells = [cell for cell in cells if cell]
    if not cells:
        return True
    numeric = sum(map(looks_like_number, cells))
    n_words = len(set(cells))
    coded = 1 < n_words <= _MOST_CODES
    return not coded and numeric < (1 - _MOST_TEXT) * len(cells)


def _split(panel: Panel, config: DataConfig, seed: int) -> tuple[Split | None, str]:
    """Makes the split that a training would, or says why it cannot."""
    try:
        split = split_panel(panel, config, seed)
    except DataError as error:
        return None, str(error)
    try:
        check_learnable(panel, np.asarray(split.train), panel.task_names)
    except DataError as error:
        return split, str(error)
    return split, ""
