"""Scores predictions: metrics per task with bootstrap intervals, and macro means."""

from collections.abc import Mapping, Sequence

import numpy as np

from admet.evaluation.metrics import BY_KIND, Metric, met
from admet.evaluation.scores import Scores, TaskScores, Value

LEVEL = 0.95
_MIN_LABELS = 2  # one label has no spread to hold an error against


def score_task(
    y: np.ndarray,
    p: np.ndarray,
    kind: str,
    n_bootstrap: int,
    rng: np.random.Generator,
    limits: np.ndarray | None = None,
) -> TaskScores:
    """Scores one task.

    Where labels are limits, MAE and RMSE count them, a prediction beyond one being no error; the
    other metrics are of the measured labels alone.

    Args:
        y: Labels, shape (n,), NaN where absent.
        p: Predictions, shape (n,); probabilities for a binary task.
        kind: "regression" or "binary".
        n_bootstrap: Resamples of the molecules; 0 gives no intervals.
        rng: Source of the resamples.
        limits: Which labels are limits, shape (n,), as in `Labels`; None for none.

    Returns:
        The metrics. Intervals are the 2.5th and 97.5th percentile of the resampled metric.
    """
    labelled = ~np.isnan(y)
    y, p = y[labelled], p[labelled]
    metrics = BY_KIND[kind]
    own = np.zeros(len(y), np.int8) if limits is None else limits[labelled]
    measured = own == 0
    if measured.all():
        return TaskScores(kind, len(y), _values(y, p, metrics, n_bootstrap, rng))
    bounded = {name: metric for name, metric in metrics.items() if metric.with_limits}
    values = _values(y[measured], p[measured], metrics, n_bootstrap, rng)
    values |= _values(y, met(y, p, own), bounded, n_bootstrap, rng)
    return TaskScores(kind, len(y), values, n_limits=int((~measured).sum()))


def _values(
    y: np.ndarray,
    p: np.ndarray,
    metrics: Mapping[str, Metric],
    n_bootstrap: int,
    rng: np.random.Generator,
) -> dict[str, Value]:
    """Computes metrics of labels and predictions, shape (n,), with their intervals."""
    if len(y) < _MIN_LABELS:
        return {name: Value() for name in metrics}
    rows = rng.integers(0, len(y), (n_bootstrap, len(y)))
    values: dict[str, Value] = {}
    for name, metric in metrics.items():
        value = metric.function(y[None], p[None])[0]
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
        )
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    macro: dict[str, dict[str, float | None]] = {}
    for kind in dict.fromkeys(kinds):
        members = [task for task in tasks.values() if task.kind == kind]
        macro[kind] = {
            name: _mean([task.values[name].value for task in members]) for name in BY_KIND[kind]
        }
    return Scores(tasks, macro)


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


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
