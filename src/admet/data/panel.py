"""The panel: molecules × tasks, most cells empty, one row a molecule."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from admet.config.data import DataConfig
from admet.data.chemistry import read_molecules
from admet.data.duplicates import merge_duplicates
from admet.data.labels import Labels, Task, check_kinds, infer_tasks, read_labels
from admet.data.reading import read_table
from admet.data.split_column import read_split_column
from admet.data.table import Rejection, Table, require_columns
from admet.data.target_columns import find_targets, own_columns
from admet.errors import DataError
from admet.kinds import Kind, kind_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Panel:
    """A checked panel.

    Attributes:
        smiles: Canonical SMILES, each once, shape (n,).
        labels: Their labels.
        tasks: T tasks.
        lines: First line of each molecule in the file, shape (n,).
        split_values: Times (float64) or sides (int8) of the molecules, shape (n,), or None.
        rejected: Records left out, by line.
        unit: What `lines` counts: "line" or "row".
    """

    smiles: np.ndarray
    labels: Labels
    tasks: tuple[Task, ...]
    lines: np.ndarray
    split_values: np.ndarray | None = None
    rejected: tuple[Rejection, ...] = field(default=())
    unit: str = "line"

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def task_names(self) -> list[str]:
        """Names of the T tasks."""
        return [task.name for task in self.tasks]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of the T tasks."""
        return tuple(task.kind for task in self.tasks)

    def subset(self, rows: np.ndarray) -> "Panel":
        """Gives the panel of some molecules; what was rejected stays on record.

        Args:
            rows: Indices or a mask, shape (m,) or (n,).
        """
        return replace(
            self,
            smiles=self.smiles[rows],
            labels=self.labels.subset(rows),
            lines=self.lines[rows],
            split_values=None if self.split_values is None else self.split_values[rows],
        )


def load_panel(path: str | Path, config: DataConfig) -> Panel:
    """Reads a table into a panel.

    Args:
        path: CSV, CSV.gz, TSV or Parquet.
        config: Columns, kinds and standardisation.

    Returns:
        The panel; what was left out stands in its `rejected`.

    Raises:
        DataError: If the table, a column, the labels or all molecules cannot be used.
    """
    return build_panel(read_table(path), config)


def build_panel(
    table: Table, config: DataConfig, *, known_kinds: Mapping[str, Kind] | None = None
) -> Panel:
    """Checks a table and merges the duplicates of each molecule.

    Args:
        table: The table.
        config: Columns, kinds and standardisation.
        known_kinds: The kinds of a trained model; labels are then a test set, whose columns may
            be constant or empty.

    Returns:
        The panel.

    Raises:
        DataError: As `load_panel`.
    """
    targets = list(config.target_columns)
    if not targets:
        columns = ", ".join(repr(str(name)) for name in table.frame.columns[:20])
        raise DataError(
            "`data.target_columns` is empty: name the columns to predict (on the command line "
            f"--data.target-columns, or --target-columns for the affinity). {table.source} has: "
            f"{columns}."
        )
    targets = find_targets(table, targets, own_columns(config))
    require_columns(table, [config.smiles_column], "SMILES")
    if config.needs_split_column and known_kinds is None:
        require_columns(table, [str(config.split_column)], "Split")
    rejected = [
        Rejection(int(table.lines[row]), "", reason) for row, reason in table.faults.items()
    ]
    table = table.sound()
    labels = read_labels(table, targets)
    given = {name: kind_of(kind) for name, kind in config.task_kinds.items()}
    if strangers := sorted(given.keys() - set(targets)):
        raise DataError(
            f"`task_kinds` names {strangers}, which are no targets of {table.source}. Correct the "
            "names, or add them to `target_columns`."
        )
    if known_kinds is None:
        tasks = infer_tasks(labels, targets, given, table.source)
    else:
        tasks = tuple(Task(name, known_kinds[name]) for name in targets)
        check_kinds(labels, tasks, table.source)

    cells = table.frame[config.smiles_column].tolist()
    molecules = read_molecules(cells, config.standardize)
    kept: list[int] = []
    unlabelled = np.isnan(labels).all(axis=1)
    for row, molecule in enumerate(molecules):
        reason = molecule.reason or ("no label in any target" if unlabelled[row] else "")
        if reason:
            rejected.append(Rejection(int(table.lines[row]), str(cells[row]), reason))
        else:
            kept.append(row)
    if not kept:
        raise DataError(_nothing_left(table, rejected))

    split_values = None
    if config.needs_split_column and known_kinds is None:
        split_values = read_split_column(table, str(config.split_column), config.split_type, kept)
    merged = merge_duplicates(
        np.array([molecules[row].smiles for row in kept], dtype=object),
        labels[kept],
        tasks,
        table.lines[kept],
        split_values,
        keep_apart=config.split_type == "predefined",
    )
    rejected += merged.rejected
    for line in merged.messages:
        log.warning(line)
    panel = Panel(
        merged.smiles,
        Labels(merged.labels),
        tasks,
        merged.lines,
        merged.split_values,
        tuple(sorted(rejected, key=lambda r: r.line)),
        table.unit,
    )
    _report(panel, table)
    if known_kinds is None:
        # Rejected molecules and merged labels may have taken what made a task learnable.
        infer_tasks(panel.labels.values, targets, given, f"the valid rows of {table.source}")
    return panel


def rejected_frame(panel: Panel) -> pd.DataFrame:
    """Gives the records left out as a frame with the columns line, smiles, reason."""
    rows = [(r.line, r.smiles, r.reason) for r in panel.rejected]
    return pd.DataFrame(rows, columns=[panel.unit, "smiles", "reason"])


def _report(panel: Panel, table: Table) -> None:
    n_labels = panel.labels.present.sum(axis=0)
    log.info("%d molecules, %d tasks from %s", len(panel), len(panel.tasks), table.source)
    for task, count in zip(panel.tasks, n_labels, strict=True):
        log.info("  %s: %s, %d labels", task.name, task.kind.name, count)
    if panel.rejected:
        reasons: dict[str, int] = {}
        for rejection in panel.rejected:
            reasons[rejection.reason] = reasons.get(rejection.reason, 0) + 1
        shown = "; ".join(f"{count} × {reason}" for reason, count in list(reasons.items())[:6])
        log.warning("%d rows left out (%s)", len(panel.rejected), shown)


def _nothing_left(table: Table, rejected: list[Rejection]) -> str:
    first = rejected[0]
    return (
        f"No usable row in {table.source}: all {len(rejected)} are left out, the first at "
        f"{table.unit} {first.line} ({first.smiles[:40]!r}: {first.reason}). Check that the SMILES "
        "column holds SMILES and the targets hold labels."
    )
