"""Paired differences of metrics between models, with intervals from common resamples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from admet.evaluation.metrics import BY_KIND, Metric, met
from admet.evaluation.scores import MACRO
from admet.evaluation.scoring import interval, may_average, none_for_nan

Aligned = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Labels, predictions and limits, each of shape (n, T)."""


@dataclass(frozen=True)
class Difference:
    """One metric of one task and model, and its difference from the reference.

    Attributes:
        task: Name of the task, or "macro mean" over the tasks of a kind.
        metric: Name of the metric.
        model: Name of the model.
        n: Labels of the molecules compared.
        value: The model's value, None where undefined.
        difference: The value minus the reference's; None for the reference itself.
        low: Lower bound of the 95 % percentile interval of the difference.
        high: Upper bound.
        better: Whether the interval lies on the better side of zero, "yes", "worse" or "unclear";
            empty for the reference itself.
    """

    task: str
    metric: str
    model: str
    n: int
    value: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    better: str = ""


def compare_kind(
    aligned: list[Aligned],
    names: Sequence[str],
    members: list[str],
    tasks: list[str],
    kind: str,
    units: Mapping[str, str],
    n_bootstrap: int,
    seed: int,
) -> list[Difference]:
    """Compares models on the tasks of one kind.

    Args:
        aligned: Labels, predictions and limits of each model, shape (n, T), rows of the same
            molecules.
        names: Names of the models, the reference first.
        members: The tasks of the kind.
        tasks: Names of the T columns.
        kind: The kind.
        units: Task → unit of its labels; one that is absent is unknown.
        n_bootstrap: Resamples of the molecules, the same for every model.
        seed: Seed of the resampling.

    Returns:
        For each metric, one row for each task and model. Where there are several tasks, rows for
        the mean over them follow, one for each model; they have no value where a mean means
        nothing.
    """
    n_common = len(aligned[0][0])
    stream = np.random.default_rng(seed).integers(0, n_common, (n_bootstrap, n_common))
    found = [
        _score(aligned, tasks.index(task), kind, stream, seed) for task in members
    ]  # one task at a time: the resamples of all would not fit
    rows: list[Difference] = []
    for metric in BY_KIND[kind].values():
        own = [of_task[metric.name] for of_task in found]
        for task, (n, values, resampled) in zip(members, own, strict=True):
            rows += _rows(task, metric, names, n, values, resampled)
        defined = [
            (task, *scored)
            for task, scored in zip(members, own, strict=True)
            if not np.isnan(scored[1]).any()
        ]
        if len(members) > 1 and defined:
            mean = np.mean([values for _, _, values, _ in defined], axis=0)
            spread = np.mean([resampled for *_, resampled in defined], axis=0)
            if not may_average(metric, [units.get(task, "") for task, *_ in defined]):
                mean, spread = np.full_like(mean, np.nan), np.full_like(spread, np.nan)
            rows += _rows(MACRO, metric, names, sum(n for _, n, *_ in defined), mean, spread)
    return rows


def _score(
    aligned: list[Aligned], column: int, kind: str, stream: np.ndarray, seed: int
) -> dict[str, tuple[int, np.ndarray, np.ndarray]]:
    """Scores all models on one task.

    Returns:
        Metric → labels used, the value of each model, shape (m,), and those of the resamples, shape
        (m, b); NaN where the labels are too few.
    """
    labels, limits = aligned[0][0][:, column], aligned[0][2][:, column]
    labelled = ~np.isnan(labels)
    measured = labelled & (limits == 0)
    picks = {False: _resample(stream, measured, seed)}
    picks[True] = picks[False] if not limits.any() else _resample(stream, labelled, seed)
    met_by = [met(labels, predictions[:, column], limits) for _, predictions, _ in aligned]
    found = {}
    for metric in BY_KIND[kind].values():
        present, own = (measured, labelled)[metric.with_limits], picks[metric.with_limits]
        n = int(present.sum())
        values = np.full(len(aligned), np.nan)
        resampled = np.full((len(aligned), len(stream)), np.nan)
        if n >= metric.least:
            for m, p in enumerate(met_by):
                values[m] = metric.function(labels[None, present], p[None, present])[0]
                resampled[m] = metric.function(labels[own], p[own])
        found[metric.name] = (n, values, resampled)
    return found


def _resample(stream: np.ndarray, present: np.ndarray, seed: int) -> np.ndarray:
    """Turns one resampling of all molecules into one of a task's labelled molecules.

    A task takes the first n labelled picks of each resample, n being the number of its labels, and
    draws anew where there are fewer. Its own resamples are then ordinary bootstrap samples. Those
    of two tasks hold the same molecules as far as both have labels; the interval of their mean
    depends on this.

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
    metric: Metric,
    names: Sequence[str],
    n: int,
    values: np.ndarray,
    resampled: np.ndarray,
) -> list[Difference]:
    """Makes one row per model; values have shape (m,), resampled (m, n_bootstrap)."""
    rows = [Difference(task, metric.name, names[0], n, none_for_nan(values[0]))]
    for m, name in enumerate(names[1:], start=1):
        low, high = interval(resampled[m] - resampled[0])
        rows.append(
            Difference(
                task,
                metric.name,
                name,
                n,
                value=none_for_nan(values[m]),
                difference=none_for_nan(values[m] - values[0]),
                low=low,
                high=high,
                better=_verdict(low, high, metric),
            )
        )
    return rows


def _verdict(low: float | None, high: float | None, metric: Metric) -> str:
    if low is None or high is None or low <= 0 <= high:
        return "unclear"
    return "yes" if (high < 0) == metric.lower_is_better else "worse"
