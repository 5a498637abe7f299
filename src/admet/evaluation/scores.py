"""Evaluation of one model: metrics per task with bootstrap intervals, and macro means."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from admet.evaluation.metrics import BY_KIND

LEVEL = 0.95
_MIN_LABELS = 2  # one label has no spread to hold an error against


def score_task(
    y: np.ndarray, p: np.ndarray, kind: str, n_bootstrap: int, rng: np.random.Generator
) -> dict[str, Any]:
    """Scores one task.

    Args:
        y: Labels, shape (n,), NaN where absent.
        p: Predictions, shape (n,); probabilities for a binary task.
        kind: "regression" or "binary".
        n_bootstrap: Resamples of the molecules; 0 gives no intervals.
        rng: Source of the resamples.

    Returns:
        `kind`, `n`, and per metric a mapping of `value`, `low`, `high` (None where undefined).
        Intervals are the 2.5th and 97.5th percentile of the resampled metric.
    """
    labelled = ~np.isnan(y)
    y, p = y[labelled], p[labelled]
    result: dict[str, Any] = {"kind": kind, "n": len(y)}
    if len(y) < _MIN_LABELS:
        return result | {name: _cell(np.nan, None) for name in BY_KIND[kind]}
    rows = rng.integers(0, len(y), (n_bootstrap, len(y)))
    for name, metric in BY_KIND[kind].items():
        value = metric(y[None], p[None])[0]
        resampled = metric(y[rows], p[rows]) if n_bootstrap else None
        result[name] = _cell(value, resampled)
    return result


def score_tasks(
    labels: np.ndarray,
    predictions: np.ndarray,
    names: Sequence[str],
    kinds: Sequence[str],
    *,
    n_bootstrap: int = 1000,
    seed: int = 42,
) -> dict[str, Any]:
    """Scores all tasks.

    Args:
        labels: Shape (n, T), NaN where absent.
        predictions: Shape (n, T).
        names: T task names.
        kinds: T kinds.
        n_bootstrap: Resamples of the intervals.
        seed: Seed of the resampling; each task draws its own, so that a task's interval does not
            depend on which tasks stand before it.

    Returns:
        `tasks`: name → what `score_task` gives; `macro`: kind → metric → mean over the tasks where
        it is defined.
    """
    tasks = {
        name: score_task(
            labels[:, i], predictions[:, i], kind, n_bootstrap, np.random.default_rng(seed)
        )
        for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    macro: dict[str, dict[str, float | None]] = {}
    for kind in dict.fromkeys(kinds):
        members = [task for task in tasks.values() if task["kind"] == kind]
        macro[kind] = {
            name: _mean([task[name]["value"] for task in members]) for name in BY_KIND[kind]
        }
    return {"tasks": tasks, "macro": macro}


def interval(resampled: np.ndarray) -> tuple[float | None, float | None]:
    """Gives the bounds of the 95 % percentile interval, None where nothing is defined."""
    defined = resampled[~np.isnan(resampled)]
    if not defined.size:
        return None, None
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _cell(value: float, resampled: np.ndarray | None) -> dict[str, float | None]:
    low, high = (None, None) if resampled is None else interval(resampled)
    return {"value": None if np.isnan(value) else float(value), "low": low, "high": high}


def _mean(values: list[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None
