"""Tests a trained model on a labelled table."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from admet.config import DataConfig
from admet.config.reading import AS_FOUND, LabelReading
from admet.data import Panel, Table, build_panel, read_split, read_table
from admet.data.numbers import unit_of
from admet.errors import DataError
from admet.evaluation import Evaluation, Predicted, RejectedRow, remarks, score_tasks
from admet.model.chemprop.spec import PanelSpec, TaskSpec
from admet.model.trained_model import TrainedModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tested:
    """Labels and predictions of the molecules of a table."""

    panel: Panel
    predictions: np.ndarray

    @property
    def predicted(self) -> Predicted:
        """What a comparison takes."""
        kinds: dict[str, str] = {task.name: task.kind.name for task in self.panel.tasks}
        smiles = [str(s) for s in self.panel.smiles]
        ids = None if self.panel.ids is None else [str(name) for name in self.panel.ids]
        labels = self.panel.labels
        units = {task.name: task.unit for task in self.panel.tasks}
        return Predicted(smiles, kinds, labels.values, self.predictions, labels.limits, ids, units)


def run_on_table(
    run_dir: Path,
    model: TrainedModel,
    table: Table,
    split: str,
    split_of: Path | None = None,
    reading: LabelReading = AS_FOUND,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    judge: PanelSpec | None = None,
) -> Tested:
    """Predicts the labelled molecules of a table.

    Args:
        run_dir: Where the model was read from.
        model: The model.
        table: The table; duplicates of a molecule are merged as in training.
        split: "all"; the side of the run's split to restrict to; or "unseen", the molecules that
            this run had on no side.
        split_of: The run whose side is meant; None is `run_dir`.
        reading: How the labels are written, where the table does not say it with certainty.
        smiles_column: Column with the SMILES; None takes the one that the model was trained on.
        id_column: Column of identifiers; None takes that of the training table, where the table
            has it.
        judge: The model by whose rules labels are read, so that several models meet the same ones;
            None is this model.

    Returns:
        Labels and predictions.

    Raises:
        DataError: If the table has none of the model's targets, or no molecule on that side.
    """
    panel = _labelled_panel(
        model.spec, judge or model.spec, table, reading, smiles_column, id_column
    )
    own = read_split(run_dir)
    if split == "unseen":
        panel = panel.subset(_unseen(panel, own, run_dir, table))
    elif split != "all":
        meant = split_of or run_dir
        sides = own if meant == run_dir else read_split(meant)
        panel = panel.subset(_on_side(panel, sides, split, meant, table))
    if not own:
        log.warning(
            "%s was imported and does not say which molecules it was trained on: its metrics are a "
            "test only of molecules that it has not seen",
            run_dir,
        )
    seen = sum(own.get(str(smiles)) == "train" for smiles in panel.smiles)
    if seen and split != "train":
        log.warning(
            "%s was trained on %d of the %d molecules: its metrics on them are no test. Use "
            "--split %sunseen, another table, or runs of one split",
            run_dir,
            seen,
            len(panel),
            "test or " * _has_test_side(own),
        )
    predictions = model.predictor.predict_smiles(panel.smiles).mean
    columns = [model.spec.task_names.index(name) for name in panel.task_names]
    return Tested(panel, predictions[:, columns])


def _on_side(
    panel: Panel, sides: Mapping[str, str], split: str, run_dir: Path, table: Table
) -> np.ndarray:
    """Tells which molecules a run has on a side, shape (n,).

    Raises:
        DataError: If there are none.
    """
    found = np.array([sides.get(str(smiles)) == split for smiles in panel.smiles])
    if split == "test" and sides and not _has_test_side(sides):
        raise DataError(
            f"{str(run_dir)!r} has no test side: it learnt from all molecules of its table, as the "
            "model of a study does. What it is worth is in `results.csv` and `coverage.csv` of the "
            "study; for another table use --split unseen or all."
        )
    if not found.any():
        raise DataError(
            f"No molecule of {table.source} is on the {split!r} side of the split of "
            f"{str(run_dir)!r}. Name the table it was trained on, or use --split all."
        )
    return found


def _has_test_side(sides: Mapping[str, str]) -> bool:
    return "test" in sides.values()


def _unseen(panel: Panel, sides: Mapping[str, str], run_dir: Path, table: Table) -> np.ndarray:
    """Tells which molecules a run had on no side, shape (n,).

    Raises:
        DataError: If there are none, or nobody knows what the run has seen.
    """
    if not sides:
        raise DataError(
            f"{str(run_dir)!r} does not say which molecules it has seen: it was trained by another "
            "program and imported. Name a table that it cannot have seen, with --split all."
        )
    tested = _has_test_side(sides)
    found = np.array([str(smiles) not in sides for smiles in panel.smiles])
    if not found.any():
        raise DataError(
            f"{str(run_dir)!r} had all {len(panel)} molecules of {table.source} in its split: none "
            f"is unseen. Name a table with newer molecules{', or use --split test' * tested}."
        )
    log.info("%d of %d molecules are unseen by %s", found.sum(), len(panel), run_dir)
    return found


def evaluate_run(
    run_dir: Path,
    model: TrainedModel,
    data_path: Path,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    split: str = "all",
    n_bootstrap: int = 1000,
    seed: int = 42,
    reading: LabelReading = AS_FOUND,
) -> Evaluation:
    """Evaluates a model on a labelled table.

    Args:
        run_dir: Where the model was read from.
        model: The model.
        data_path: Labelled table.
        smiles_column: Column with the SMILES; None takes the one that the model was trained on.
        id_column: Column of identifiers; None takes that of the training table, where the table
            has it.
        split: "all"; the side of the run's split to restrict to; or "unseen", the molecules that
            the run had on no side.
        n_bootstrap: Resamples of the 95 % intervals.
        seed: Seed of the resampling.
        reading: How the table is written, where it does not say it with certainty.

    Returns:
        Scores, where they came from, and the predictions that a later comparison pairs molecule by
        molecule.

    Raises:
        DataError: If the table has none of the model's targets, or cannot be used.
    """
    table = read_table(data_path, reading)
    tested = run_on_table(
        run_dir,
        model,
        table,
        split,
        reading=reading,
        smiles_column=smiles_column,
        id_column=id_column,
    )
    panel, predicted = tested.panel, tested.predicted
    scores = score_tasks(
        predicted.labels,
        predicted.predictions,
        list(predicted.tasks),
        list(predicted.tasks.values()),
        limits=predicted.limits,
        scales=model.spec.scales,
        units=[predicted.units.get(name, "") for name in predicted.tasks],
        n_bootstrap=n_bootstrap,
        seed=seed,
    )
    for line in remarks(scores):
        log.warning("%s", line)
    return Evaluation(
        model_dir=run_dir,
        data_path=data_path,
        split=split,
        n_bootstrap=n_bootstrap,
        seed=seed,
        scores=scores,
        rejected=tuple(
            RejectedRow(panel.unit, r.line, r.smiles, r.reason, r.id) for r in panel.rejected
        ),
        predicted=predicted,
    )


def _labelled_panel(
    spec: PanelSpec,
    judge: PanelSpec,
    table: Table,
    reading: LabelReading,
    smiles_column: str | None,
    id_column: str | None,
) -> Panel:
    """Reads molecules by the rules of one model, and labels by those of another, or the same."""
    known = dict(zip(spec.task_names, spec.kinds, strict=True))
    present = [name for name in known if name in table.frame.columns]
    missing = [name for name in known if name not in present]
    if not present:
        raise DataError(
            f"{table.source} has none of the model's target columns: {', '.join(missing)}. "
            "Evaluate needs labels; for molecules without, use predict."
        )
    if missing:
        log.warning("No column in %s, so not evaluated: %s", table.source, ", ".join(missing))
    rules = {task.name: task for task in (*spec.tasks, *judge.tasks) if task.name in present}
    for name, task in rules.items():
        said = unit_of(table, name)
        if said and task.unit and said != task.unit:
            log.warning(
                "%s is in %s in %s, and was in %s when the model was trained: the numbers are "
                "compared as they stand",
                name,
                said,
                table.source,
                task.unit,
            )
    of_training = spec.id_column
    data = DataConfig(
        smiles_column=smiles_column or spec.smiles_column,
        target_columns=tuple(present),
        standardize=spec.standardize,
        decimal=reading.decimal,
        duplicates=spec.duplicates,
        id_column=id_column or (of_training if of_training in table.frame.columns else None),
        **_label_keys(rules, table),
    )
    return build_panel(table, data, known_kinds=known)


def _label_keys(tasks: Mapping[str, TaskSpec], table: Table) -> dict[str, Any]:
    """Gives the keys of the `data` section by which a model's own labels were read."""
    rules = {name: task.labels for name, task in tasks.items()}
    relations = {n: r.relation_column for n, r in rules.items() if r.relation_column}
    absent = sorted({c for c in relations.values() if c not in table.frame.columns})
    if absent:
        log.warning("No relation column in %s: %s. Labels count as measured", table.source, absent)
    return {
        "units": {name: task.unit for name, task in tasks.items() if task.unit},
        "transforms": {name: rule.averaged_as for name, rule in rules.items()},
        "label_maps": {name: rule.map for name, rule in rules.items() if rule.map},
        "limits": {name: rule.limits for name, rule in rules.items() if rule.limits},
        "relation_columns": {n: column for n, column in relations.items() if column not in absent},
    }
