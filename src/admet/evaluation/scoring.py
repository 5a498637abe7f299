"""Scores predictions: metrics per task with bootstrap intervals, and macro means."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol

import numpy as np

from admet.evaluation.metrics import BY_KIND, Metric, met
from admet.evaluation.scores import Scores, TaskScores, Value
from admet.kinds import BINARY


class Scale(Protocol):
    """A scale of labels, such as their logarithm."""

    name: ClassVar[str]

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives values on the scale, any shape."""
        ...


LEVEL = 0.95


def score_task(
    y: np.ndarray,
    p: np.ndarray,
    kind: str,
    n_bootstrap: int,
    rng: np.random.Generator,
    limits: np.ndarray | None = None,
    scale: Scale | None = None,
) -> TaskScores:
    """Scores one task.

    Where labels are limits, MAE and RMSE count them, and a prediction beyond one is no error. The
    other metrics use the measured labels alone.

    Args:
        y: Labels, shape (n,), NaN where absent.
        p: Predictions, shape (n,); probabilities for a binary task.
        kind: "regression" or "binary".
        n_bootstrap: Resamples of the molecules; 0 gives no intervals.
        rng: Source of the resamples.
        limits: Which labels are limits, shape (n,), as in `Labels`; None for none.
        scale: What the model learnt in place of the labels; its metrics are given beside those in
            the unit of the labels. None where it learnt the labels.

    Returns:
        The metrics. Intervals are the 2.5th and 97.5th percentile of the resampled metric. A metric
        is empty, with the reason, where there are fewer labels than it needs at least, and where
        it is not defined.
    """
    labelled = ~np.isnan(y)
    y, p = y[labelled], p[labelled]
    metrics = BY_KIND[kind]
    own = np.zeros(len(y), np.int8) if limits is None else limits[labelled]
    values = _with_limits(y, p, own, metrics, n_bootstrap, rng)
    n_limits = int((own != 0).sum())
    if scale is None:
        return TaskScores(kind, len(y), values, n_limits)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, p = scale.apply(y), scale.apply(p)
    on_scale = np.isfinite(y) & np.isfinite(p)  # a later table may hold other labels
    metrics = {name: metric for name, metric in metrics.items() if not metric.of_ranks}
    y, p, own = y[on_scale], p[on_scale], own[on_scale]
    learnt = _with_limits(y, p, own, metrics, n_bootstrap, rng)
    return TaskScores(kind, int(labelled.sum()), values, n_limits, scale.name, learnt)


def _with_limits(
    y: np.ndarray,
    p: np.ndarray,
    limits: np.ndarray,
    metrics: Mapping[str, Metric],
    n_bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, Value]:
    """Computes metrics of labels some of which may be limits, all of shape (n,)."""
    measured = limits == 0
    values = _values(y[measured], p[measured], metrics, n_bootstrap, rng)
    if not measured.all():
        bounded = {name: metric for name, metric in metrics.items() if metric.with_limits}
        values |= _values(y, met(y, p, limits), bounded, n_bootstrap, rng)
    return values


def _values(
    y: np.ndarray,
    p: np.ndarray,
    metrics: Mapping[str, Metric],
    n_bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, Value]:
    """Computes metrics of labels and predictions, shape (n,), with their intervals."""
    rows = rng.integers(0, len(y), (n_bootstrap, len(y))) if len(y) else np.empty((0, 0), int)
    values: dict[str, Value] = {}
    for name, metric in metrics.items():
        if reason := _too_little(metric, y):
            values[name] = Value(reason=reason)
            continue
        value = metric.function(y[None], p[None])[0]
        if np.isnan(value):
            alike = "labels" if (y == y[0]).all() else "predictions"
            values[name] = Value(reason=f"all {alike} are alike")
            continue
        low, high = interval(metric.function(y[rows], p[rows])) if n_bootstrap else (None, None)
        values[name] = Value(none_for_nan(value), low, high)
    return values


def score_tasks(
    labels: np.ndarray,
    predictions: np.ndarray,
    names: Sequence[str],
    kinds: Sequence[str],
    *,
    limits: np.ndarray | None = None,
    scales: Mapping[str, Scale] | None = None,
    units: Sequence[str] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 42,
) -> Scores:
    """Scores all tasks.

    Args:
        labels: Shape (n, T), NaN where absent.
        predictions: Shape (n, T).
        names: T task names.
        kinds: T kinds.
        limits: Which labels are limits, shape (n, T), int8: 1 where the true value is above the
            label, −1 where below; None where none is. `score_task` says how they count.
        scales: Task → what the model learnt in place of its labels, where it did.
        units: T units of the labels, empty where unknown; None knows none.
        n_bootstrap: Resamples of the intervals.
        seed: Seed of the resampling; each task draws its own, so that a task's interval does not
            depend on which tasks stand before it.

    Returns:
        The metrics of each task, and the macro mean of each kind.
    """
    tasks = {
        name: score_task(
            labels[:, i],
            predictions[:, i],
            kind,
            n_bootstrap,
            np.random.default_rng(seed),
            None if limits is None else limits[:, i],
            (scales or {}).get(name),
        )
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    unit_of = dict(zip(names, units or [""] * len(names), strict=True))
    macro: dict[str, dict[str, float | None]] = {}
    for kind in dict.fromkeys(kinds):
        members = {name: task for name, task in tasks.items() if task.kind == kind}
        macro[kind] = {
            metric.name: _macro_mean(metric, members, unit_of) for metric in BY_KIND[kind].values()
        }
    return Scores(tasks, macro)


def may_average(metric: Metric, units: Sequence[str]) -> bool:
    """Tells whether a metric has a mean over tasks.

    A metric in the unit of the labels, such as MAE and RMSE, has one where all tasks share a unit
    that is known, or where there is only one task. In a mean over µM and mL/min/kg the larger
    numbers would dominate.

    Args:
        metric: The metric.
        units: Units of the tasks that it is defined for, empty where unknown.
    """
    return not metric.in_unit or len(units) == 1 or (len(set(units)) == 1 and "" not in units)


def _macro_mean(
    metric: Metric, tasks: Mapping[str, TaskScores], unit_of: Mapping[str, str]
) -> float | None:
    """Averages a metric over the tasks where it is defined; None where that means nothing."""
    found = {name: task.values[metric.name].value for name, task in tasks.items()}
    defined = {name: value for name, value in found.items() if value is not None}
    if not defined or not may_average(metric, [unit_of[name] for name in defined]):
        return None
    return float(np.mean(list(defined.values())))


def _too_little(metric: Metric, y: np.ndarray) -> str:
    """Says why labels, shape (n,), are too few for a metric, or hold one class; else empty."""
    if len(y) < metric.least:
        return f"{len(y)} label(s); at least {metric.least} are needed"
    if metric.kind == BINARY.name and (y == y[0]).all():
        return f"only class {y[0]:g} among {len(y)} labels"
    return ""


def interval(resampled: np.ndarray) -> tuple[float | None, float | None]:
    """Gives the bounds of the 95 % percentile interval, None where nothing is defined."""
    defined = resampled[~np.isnan(resampled)]
    if not defined.size:
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def none_for_nan(value: float) -> float | None:
    """Gives a plain number, None where a metric is not defined."""
    return None if np.isnan(value) else float(value)
