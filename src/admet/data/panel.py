"""The panel: molecules × tasks, most cells empty, one row a molecule."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from admet.config.data import BY_TASK, DataConfig
from admet.data.chemistry import Molecule, read_molecules
from admet.data.duplicates import Merged, merge_duplicates
from admet.data.identifiers import join_ids, read_ids, tell_of_ids
from admet.data.label_columns import read_labels
from admet.data.label_rules import Note, describe_piles, undeclared_relations
from admet.data.labels import (
    Labels,
    Task,
    check_kinds,
    check_scales,
    infer_tasks,
)
from admet.data.numbers import unit_of
from admet.data.reading import read_table
from admet.data.scales import describe_raw_scales
from admet.data.split_column import read_split_column
from admet.data.structures import StructureChange, changes_of, tell_of_changes
from admet.data.table import Rejection, Table, require_columns
from admet.data.target_columns import find_targets, own_columns
from admet.data.transforms import TRANSFORMS, Transform
from admet.errors import DataError
from admet.kinds import Kind, kind_of

log = logging.getLogger(__name__)

_SHOWN = 5  # tasks of which a warning says all


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
        unit: What `lines` counts: "line", "row" or "record".
        ids: Identifiers of the molecules, those of merged records joined, shape (n,), object; None
            where no column has them.
        structures: Records whose structure was changed or that were merged, by line.
        notes: Label cells that were read otherwise than as the number in them.
    """

    smiles: np.ndarray
    labels: Labels
    tasks: tuple[Task, ...]
    lines: np.ndarray
    split_values: np.ndarray | None = None
    rejected: tuple[Rejection, ...] = field(default=())
    unit: str = "line"
    ids: np.ndarray | None = None
    structures: tuple[StructureChange, ...] = field(default=())
    notes: tuple[Note, ...] = field(default=())

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

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """Transforms of the T tasks."""
        return tuple(task.transform for task in self.tasks)

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
            ids=None if self.ids is None else self.ids[rows],
        )


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
    _check_columns(table, config, of_split=known_kinds is None)
    targets = list(config.target_columns)
    ids = _ids(table, config)
    targets = find_targets(table, targets, own_columns(config))
    rejected = [
        Rejection(int(table.lines[row]), "", reason, str(ids[row]))
        for row, reason in table.faults.items()
    ]
    table = table.sound()
    ids = _ids(table, config)
    given = {name: kind_of(kind) for name, kind in config.task_kinds.items()}
    _check_strangers(config, targets, table.source)
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
    check_scales(labels, tasks, table)

    cells = table.frame[config.smiles_column].tolist()
    molecules = read_molecules(cells, config.standardize, config.duplicates)
    kept: list[int] = []
    unlabelled = np.isnan(labels.values).all(axis=1)
    for row, molecule in enumerate(molecules):
        reason = molecule.reason or ("no label in any target" if unlabelled[row] else "")
        if reason:
            rejected.append(
                Rejection(int(table.lines[row]), str(cells[row]), reason, str(ids[row]))
            )
        else:
            kept.append(row)
    if not kept:
        raise DataError(_nothing_left(table, rejected))

    split_values = None
    if config.needs_split_column and known_kinds is None:
        split_values = read_split_column(
            table, str(config.split_column), config.split_type, kept, config.dates
        )
    merged = merge_duplicates(
        np.array([molecules[row].smiles for row in kept], dtype=object),
        labels.subset(np.array(kept)),
        tasks,
        table.lines[kept],
        split_values,
        keep_apart=config.split_type == "predefined",
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
        None
        if config.id_column is None
        else join_ids(ids[used], merged.molecule, len(merged.smiles)),
        tuple(structures),
        tuple(sorted([*reading.notes, *merged.notes], key=lambda note: note.line)),
    )
    _report(panel, table)
    if known_kinds is None:
        _warn_of_hidden_limits(panel, table, config)
        _warn_of_raw_scales(panel, config)
        # Rejected molecules and merged labels may have taken what made a task learnable.
        infer_tasks(panel.labels, targets, given, f"the valid rows of {table.source}")
    return panel


def rejected_frame(panel: Panel) -> pd.DataFrame:
    """Gives the records left out as a frame with the columns line, id (if any), smiles, reason."""
    rows = [(r.line, r.id, r.smiles, r.reason) for r in panel.rejected]
    frame = pd.DataFrame(rows, columns=[panel.unit, "id", "smiles", "reason"])
    return frame if panel.ids is not None else frame.drop(columns="id")


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


def _check_strangers(config: DataConfig, targets: list[str], source: str) -> None:
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


def notes_frame(panel: Panel) -> pd.DataFrame:
    """Gives the notes on label cells as a frame: line, task, cell, read_as, reason."""
    rows = [(n.line, n.task, n.cell, n.read_as, n.reason) for n in panel.notes]
    return pd.DataFrame(rows, columns=[panel.unit, "task", "cell", "read_as", "reason"])


def _warn_of_hidden_limits(panel: Panel, table: Table, config: DataConfig) -> None:
    """Names labels that look like limits which nobody has declared."""
    limits = panel.labels.limits
    piles: dict[str, list[str]] = {}
    for index, task in enumerate(panel.tasks):
        if task.kind.has_limits and task.rules.limits is None:
            own = None if limits is None else limits[:, index]
            found = describe_piles(panel.labels.values[:, index], own, task.name)
            piles |= {task.name: found} if found else {}
    for message in [text for found in list(piles.values())[:_SHOWN] for text in found]:
        log.warning(message)
    if len(piles) > _SHOWN:
        log.warning("Labels pile up likewise at: %s", ", ".join(list(piles)[_SHOWN:]))
    used = [*config.target_columns, *config.relation_columns.values()]
    for name in undeclared_relations(table, used):
        log.warning(
            "Column %r holds relations (>, <) that nobody reads. If they belong to a target, name "
            "it: data.relation_columns: {TARGET: %s}",
            name,
            name,
        )


def _warn_of_raw_scales(panel: Panel, config: DataConfig) -> None:
    """Names tasks whose labels speak for a transform, where nobody has said that none is meant."""
    undecided = [i for i, task in enumerate(panel.tasks) if task.name not in config.transforms]
    tasks = [panel.tasks[i] for i in undecided]
    found = describe_raw_scales(panel.labels.columns(undecided), tasks)
    for message in list(found.values())[:_SHOWN]:
        log.warning(message)
    if len(found) > _SHOWN:
        log.warning("Likewise learnt as they stand: %s", ", ".join(list(found)[_SHOWN:]))


def _report(panel: Panel, table: Table) -> None:
    n_labels = panel.labels.present.sum(axis=0)
    log.info("%d molecules, %d tasks from %s", len(panel), len(panel.tasks), table.source)
    for task, count in zip(panel.tasks, n_labels, strict=True):
        log.info("  %s: %s, %d labels", task.name, task.kind.name, count)
    if panel.rejected:
        reasons: dict[str, int] = {}
        for rejection in panel.rejected:
            kind = rejection.reason.partition(": ")[0]
            reasons[kind] = reasons.get(kind, 0) + 1
        shown = "; ".join(f"{count} × {reason}" for reason, count in list(reasons.items())[:6])
        log.warning("%d rows left out (%s)", len(panel.rejected), shown)


def _nothing_left(table: Table, rejected: list[Rejection]) -> str:
    first = rejected[0]
    return (
        f"No usable row in {table.source}: all {len(rejected)} are left out, the first at "
        f"{table.unit} {first.line} ({first.smiles[:40]!r}: {first.reason}). Check that the SMILES "
        "column holds SMILES and the targets hold labels."
    )
