"""Comparison of models on the same molecules: paired differences to the first one."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from admet.errors import DataError
from admet.evaluation.metrics import BY_KIND, LOWER_IS_BETTER
from admet.evaluation.scores import interval

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predicted:
    """One model's predictions with the labels.

    Attributes:
        name: Name of the model.
        smiles: Canonical SMILES, each once, shape (n,).
        tasks: Task name → kind.
        labels: Shape (n, T), NaN where absent.
        predictions: Shape (n, T).
    """

    name: str
    smiles: Sequence[str]
    tasks: dict[str, str]
    labels: np.ndarray
    predictions: np.ndarray


def compare(
    models: Sequence[Predicted], *, n_bootstrap: int = 1000, seed: int = 42
) -> pd.DataFrame:
    """Compares models with the first one, task by task, on the molecules that all have.

    Args:
        models: Two or more, the reference first.
        n_bootstrap: Resamples of the molecules, the same for every model: differences are paired.
        seed: Seed of the resampling.

    Returns:
        Columns task, metric, model, n, value, difference, low, high, better: `difference` is the
        model's value less the reference's, [low, high] its 95 % percentile interval, `better`
        whether the interval lies on the better side of zero ("yes", "worse" or "unclear"). The
        reference's own rows have no difference. Rows of task "macro mean" average over the tasks of
        a kind.

    Raises:
        DataError: If fewer than two models are given, they share no task or no molecule, or their
            labels differ.
    """
    if len(models) < 2:
        raise DataError(f"A comparison needs at least two models; got {len(models)}. Name more.")
    tasks = [
        name
        for name, kind in models[0].tasks.items()
        if all(model.tasks.get(name) == kind for model in models)
    ]
    if not tasks:
        raise DataError(
            "The models share no task of the same kind: "
            + "; ".join(f"{model.name} has {', '.join(model.tasks)}" for model in models)
            + ". Compare models of the same panel."
        )
    _warn_of_unshared(models, tasks)
    common = set(models[0].smiles).intersection(*(model.smiles for model in models[1:]))
    if not common:
        raise DataError("The models were tested on no common molecule. Evaluate them on one table.")
    aligned = [_align(model, common, tasks) for model in models]
    _check_labels(models, aligned, tasks)
    rows: list[dict[str, object]] = []
    for kind in dict.fromkeys(models[0].tasks[name] for name in tasks):
        members = [name for name in tasks if models[0].tasks[name] == kind]
        rows += _compare_kind(aligned, models, members, tasks, kind, n_bootstrap, seed)
    return pd.DataFrame(rows)


def _warn_of_unshared(models: Sequence[Predicted], tasks: list[str]) -> None:
    every = dict.fromkeys(name for model in models for name in model.tasks)
    left = [name for name in every if name not in tasks]
    if left:
        log.warning("Not compared, since not every model has them: %s", ", ".join(left))


def _check_labels(
    models: Sequence[Predicted], aligned: list[tuple[np.ndarray, np.ndarray]], tasks: list[str]
) -> None:
    """Checks that all models were tested against the same labels."""
    for model, (labels, _) in zip(models[1:], aligned[1:], strict=True):
        for column, task in enumerate(tasks):
            if not np.allclose(labels[:, column], aligned[0][0][:, column], equal_nan=True):
                raise DataError(
                    f"The labels of {task!r} differ between {models[0].name} and {model.name}: "
                    "they were evaluated on different tables. Evaluate them on one."
                )


def _compare_kind(
    aligned: list[tuple[np.ndarray, np.ndarray]],
    models: Sequence[Predicted],
    members: list[str],
    tasks: list[str],
    kind: str,
    n_bootstrap: int,
    seed: int,
) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    n_common = len(aligned[0][0])
    stream = np.random.default_rng(seed).integers(0, n_common, (n_bootstrap, n_common))
    columns = [tasks.index(name) for name in members]
    labelled = [~np.isnan(aligned[0][0][:, column]) for column in columns]
    picks = [_resample(stream, present, seed) for present in labelled]
    for metric, function in BY_KIND[kind].items():
        values = np.full((len(models), len(members)), np.nan)
        resampled = np.full((len(models), len(members), n_bootstrap), np.nan)
        counts = [int(present.sum()) for present in labelled]
        for t, (column, present) in enumerate(zip(columns, labelled, strict=True)):
            if counts[t] < 2:
                continue
            for m, (labels, predictions) in enumerate(aligned):
                y, p = labels[:, column], predictions[:, column]
                values[m, t] = function(y[None, present], p[None, present])[0]
                resampled[m, t] = function(y[picks[t]], p[picks[t]])
        for t, name in enumerate(members):
            rows += _rows(name, metric, models, counts[t], values[:, t], resampled[:, t])
        if len(members) > 1:
            defined = ~np.isnan(values).any(axis=0)
            if defined.any():
                mean, spread = values[:, defined].mean(axis=1), resampled[:, defined].mean(axis=1)
                n_labels = int(np.array(counts)[defined].sum())
                rows += _rows("macro mean", metric, models, n_labels, mean, spread)
    return rows


def _resample(stream: np.ndarray, present: np.ndarray, seed: int) -> np.ndarray:
    """Turns one resampling of all molecules into one of a task's labelled molecules.

    A task takes the first n labelled picks of each resample, n being the number of its labels, and
    draws anew where there are fewer. Its own resamples are then ordinary bootstrap samples, and
    those of two tasks hold the same molecules as far as both have labels, which the interval of
    their mean depends on.

    Args:
        stream: Picked molecules, shape (b, n_molecules).
        present: Which molecules have a label, shape (n_molecules,).
        seed: Seed of what is drawn anew.

    Returns:
        Picked molecules, shape (b, n).
    """
    own = np.flatnonzero(present)
    if not own.size:
        return np.empty((len(stream), 0), dtype=np.int64)
    hit = present[stream]  # (b, n_molecules)
    order = np.argsort(~hit, axis=1, kind="stable")[:, : own.size]
    picks = np.take_along_axis(stream, order, axis=1)
    fresh = own[np.random.default_rng((seed, own.size)).integers(0, own.size, picks.shape)]
    return np.where(np.take_along_axis(hit, order, axis=1), picks, fresh)


def _rows(
    task: str,
    metric: str,
    models: Sequence[Predicted],
    n: int,
    values: np.ndarray,
    resampled: np.ndarray,
) -> list[dict[str, object]]:
    """Makes one row a model; values have shape (m,), resampled (m, n_bootstrap)."""
    rows: list[dict[str, object]] = []
    for m, model in enumerate(models):
        row: dict[str, object] = {"task": task, "metric": metric, "model": model.name, "n": n}
        row["value"] = float(values[m])
        if m:
            low, high = interval(resampled[m] - resampled[0])
            row |= {"difference": float(values[m] - values[0]), "low": low, "high": high}
            row["better"] = _verdict(low, high, metric)
        else:
            row |= {"difference": None, "low": None, "high": None, "better": ""}
        rows.append(row)
    return rows


def _verdict(low: float | None, high: float | None, metric: str) -> str:
    if low is None or high is None or low <= 0 <= high:
        return "unclear"
    return "yes" if (high < 0) == (metric in LOWER_IS_BETTER) else "worse"


def _align(model: Predicted, common: set[str], tasks: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Gives labels and predictions of the common molecules, both sorted by SMILES, (m, T)."""
    index = {smiles: row for row, smiles in enumerate(model.smiles)}
    rows = [index[smiles] for smiles in sorted(common)]
    columns = [list(model.tasks).index(name) for name in tasks]
    return model.labels[np.ix_(rows, columns)], model.predictions[np.ix_(rows, columns)]
