"""From a table to a panel: checked, read, sorted out, merged."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from admet.config.data import BY_TASK, DataConfig
from admet.data.chemistry import Molecule, read_molecules
from admet.data.duplicates import Merged, merge_duplicates
from admet.data.identifiers import join_ids, read_ids, tell_of_ids
from admet.data.label_columns import read_labels
from admet.data.label_rules import Note
from admet.data.labels import Labels, Task, check_kinds, check_scales, infer_tasks
from admet.data.numbers import unit_of
from admet.data.panel import Panel
from admet.data.panel_remarks import tell_of_panel, warn_of_hidden_limits, warn_of_raw_scales
from admet.data.reading import read_table
from admet.data.split_column import read_split_column
from admet.data.structures import StructureChange, changes_of, tell_of_changes
from admet.data.table import Rejection, Table, require_columns
from admet.data.target_columns import find_targets
from admet.data.transforms import TRANSFORMS
from admet.errors import DataError
from admet.kinds import Kind, kind_of

log = logging.getLogger(__name__)


def load_panel(path: str | Path, config: DataConfig) -> Panel:
    """Reads a table into a panel.

    Args:
        path: A table of any format that `read_table` reads.
        config: Columns, kinds, standardisation, which records are one molecule, and how the table
            is read.

    Returns:
        The panel; what was left out stands in its `rejected`.

    Raises:
        DataError: If the table, a column, the labels or all molecules cannot be used.
    """
    return build_panel(read_table(path, config), config)


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
    asking = known_kinds is None
    _check_columns(table, config, of_split=asking)
    broken, table = table, table.sound()
    targets = find_targets(table, config)
    check_strangers(config, targets, table.source)
    config = config.model_copy(update={"target_columns": tuple(targets)})
    labels, tasks, notes = read_tasks(table, config, known_kinds)
    ids = _ids(table, config)
    cells = table.frame[config.smiles_column].tolist()
    molecules = read_molecules(cells, config.standardize, config.duplicates)
    kept, unused = _sorted_out(table, cells, molecules, labels, ids)
    rejected = [*_broken_records(broken, config), *unused]
    if not kept:
        raise DataError(_nothing_left(table, rejected))

    split_values = None
    if config.needs_split_column and asking:
        split_values = read_split_column(
            table, str(config.split_column), config.split_type, kept, config.dates
        )
    merged = merge_duplicates(
        np.array([molecules[row].smiles for row in kept], dtype=object),
        labels.subset(np.array(kept)),
        tasks,
        table.lines[kept],
        split_values,
        split_type=config.split_type,
    )
    left = np.setdiff1d(np.arange(len(kept)), merged.rows)
    rejected += [
        replace(rejection, id=str(ids[kept[place]]))
        for place, rejection in zip(left, merged.rejected, strict=True)
    ]
    for line in merged.messages:
        log.warning(line)
    used = np.array(kept)[merged.rows]
    structures = _changes(table, cells, molecules, ids, labels, tasks, used, merged)
    named = config.id_column is not None
    if config.id_column is not None:
        tell_of_ids(table, config.id_column, ids, used, merged.molecule)
    panel = Panel(
        merged.smiles,
        merged.labels,
        tasks,
        merged.lines,
        merged.split_values,
        tuple(sorted(rejected, key=lambda r: r.line)),
        table.unit,
        join_ids(ids[used], merged.molecule, len(merged.smiles)) if named else None,
        tuple(structures),
        tuple(sorted([*notes, *merged.notes], key=lambda note: note.line)),
    )
    tell_of_panel(panel, table.source)
    if asking:
        warn_of_hidden_limits(panel, table, config)
        warn_of_raw_scales(panel, config)
        # Rejected molecules and merged labels may have taken what made a task learnable.
        infer_tasks(
            panel.labels, targets, _given_kinds(config), f"the valid rows of {table.source}"
        )
    return panel


def read_tasks(
    table: Table, config: DataConfig, known_kinds: Mapping[str, Kind] | None = None
) -> tuple[Labels, tuple[Task, ...], tuple[Note, ...]]:
    """Reads the labels, and decides what their tasks are.

    Args:
        table: The table.
        config: The rules; its `target_columns` are T columns, no patterns.
        known_kinds: As for `build_panel`.

    Returns:
        Labels of n records, T tasks, and cells that were read otherwise than as the number in them.

    Raises:
        DataError: As `read_labels`, `infer_tasks` and `check_scales`.
    """
    targets = list(config.target_columns)
    given = _given_kinds(config)
    reading = read_labels(
        table,
        targets,
        [config.rules_of(name) for name in targets],
        given if known_kinds is None else known_kinds,
        decimal=config.decimal,
        asking=known_kinds is None,
    )
    labels = reading.labels
    for message in reading.messages:
        log.warning(message)
    if known_kinds is None:
        tasks = infer_tasks(labels, targets, given, table.source)
    else:
        tasks = tuple(Task(name, known_kinds[name]) for name in targets)
        check_kinds(labels, tasks, table.source)
    tasks = tuple(
        replace(
            task,
            rules=rules,
            unit=config.units.get(task.name) or unit_of(table, task.name),
            transform=TRANSFORMS[config.transforms.get(task.name, "none")],
        )
        for task, rules in zip(tasks, reading.rules, strict=True)
    )
    if known_kinds is None:  # a test table may hold what a transform does not allow
        check_scales(labels, tasks, table)
    return labels, tasks, reading.notes


def _given_kinds(config: DataConfig) -> dict[str, Kind]:
    return {name: kind_of(kind) for name, kind in config.task_kinds.items()}


def _broken_records(table: Table, config: DataConfig) -> list[Rejection]:
    """Lists the records that have fewer or more cells than the header, and the like."""
    ids = _ids(table, config)
    return [
        Rejection(int(table.lines[row]), "", reason, str(ids[row]))
        for row, reason in table.faults.items()
    ]


def _sorted_out(
    table: Table, cells: list[object], molecules: list[Molecule], labels: Labels, ids: np.ndarray
) -> tuple[list[int], list[Rejection]]:
    """Gives the rows that hold a molecule and a label, and why the others are left out."""
    kept: list[int] = []
    rejected: list[Rejection] = []
    unlabelled = np.isnan(labels.values).all(axis=1)
    for row, molecule in enumerate(molecules):
        reason = molecule.reason or ("no label in any target" if unlabelled[row] else "")
        if reason:
            line = int(table.lines[row])
            rejected.append(Rejection(line, str(cells[row]), reason, str(ids[row])))
        else:
            kept.append(row)
    return kept, rejected


def _check_columns(table: Table, config: DataConfig, *, of_split: bool) -> None:
    """Checks that the columns of molecules, identifiers and the split are there, and targets named.

    Raises:
        DataError: Names what is missing.
    """
    if not config.target_columns:
        columns = ", ".join(repr(str(name)) for name in table.frame.columns[:20])
        raise DataError(
            "`data.target_columns` is empty: name the columns to predict (on the command line "
            f"--data.target-columns, or --target-columns for the affinity). {table.source} has: "
            f"{columns}."
        )
    require_columns(table, [config.smiles_column], "SMILES")
    if config.needs_split_column and of_split:
        require_columns(table, [str(config.split_column)], "Split")
    if config.id_column is not None:
        require_columns(table, [config.id_column], "Identifier")


def check_strangers(config: DataConfig, targets: Collection[str], source: str) -> None:
    """Checks, once patterns are columns, that keys of single tasks name targets.

    Raises:
        DataError: Names the key and what is no target.
    """
    for key in BY_TASK:
        if strangers := sorted(set(getattr(config, key)) - set(targets)):
            raise DataError(
                f"`{key}` names {strangers}, which are no targets of {source}. Correct the names, "
                "or add them to `target_columns`."
            )


def _ids(table: Table, config: DataConfig) -> np.ndarray:
    """Gives the identifier of every record, shape (n,); empty where no column has them."""
    if config.id_column is None:
        return np.full(len(table.frame), "", dtype=object)
    return read_ids(table, config.id_column)


def _changes(
    table: Table,
    cells: list[object],
    molecules: list[Molecule],
    ids: np.ndarray,
    labels: Labels,
    tasks: tuple[Task, ...],
    used: np.ndarray,
    merged: Merged,
) -> list[StructureChange]:
    """Gives the changes of the k records that are used, and tells of them."""
    records = [
        StructureChange(
            int(table.lines[row]),
            str(ids[row]),
            str(cells[row]),
            str(molecules[row].smiles),
            molecules[row].changes,
        )
        for row in used
    ]
    names = [task.name for task in tasks]
    changes = changes_of(records, merged.molecule, labels.values[used], names, table.unit)
    tell_of_changes(changes, labels.values[used], names, table.unit)
    return changes


def _nothing_left(table: Table, rejected: list[Rejection]) -> str:
    first = rejected[0]
    return (
        f"No usable row in {table.source}: all {len(rejected)} are left out, the first at "
        f"{table.unit} {first.line} ({first.smiles[:40]!r}: {first.reason}). Check that the SMILES "
        "column holds SMILES and the targets hold labels."
    )
