"""Learning curves: how the loss of a cheap arm falls as the labels that it learns from grow."""

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from admet.config.study import CURVE_ARMS, StudyConfig
from admet.evaluation import score_tasks
from admet.study.jobs import Fit, Job, seed_of, thinned
from admet.study.statistics import known_mean
from admet.study.verdict import ALL

if TYPE_CHECKING:
    from admet.study.results import Study

SHARES = (0.25, 0.5, 1.0)
"""Parts of what a fold learns from."""
COLUMNS = ["task", "arm", "share", "fold", "labels", "loss"]
_METRIC = {"regression": "MAE", "binary": "AUROC"}


def curve_arm(study: StudyConfig, left_out: Collection[str] = ()) -> str | None:
    """Gives the arm whose curve is drawn: the first cheap one; None where there is none."""
    return next((a for a in CURVE_ARMS if a in study.arms and a not in left_out), None)


def curve_jobs(study: StudyConfig, left_out: Collection[str]) -> list[Job]:
    """Lists the fits that a curve needs beside those of the study itself."""
    arm = curve_arm(study, left_out)
    if not study.learning_curve or arm is None:
        return []
    shares = [share for share in SHARES if share < 1]
    return [Job(arm, 0, fold, 0, share) for share in shares for fold in range(study.folds)]


def curve_of(study: "Study") -> pd.DataFrame:
    """Measures the curve on the folds of the first repeat.

    Args:
        study: The study.

    Returns:
        One row per task (and all of them), share of the molecules and fold: `labels` that were
        learnt from, and `loss`, MAE or 1 − AUROC; for all endpoints the mean over tasks, each
        relative to always predicting the mean. Empty where no curve was asked for; folds whose fit
        was not done, or that do not say, have no row.
    """
    fits = list(study.curve_fits)
    whole = {fit.job.arm for fit in fits}
    fits += [f for f in study.fits if f.job.arm in whole and (f.job.repeat, f.job.seed) == (0, 0)]
    rows = [row for fit in fits if fit.outcome is not None for row in _rows(study, fit)]
    table = pd.DataFrame(rows, columns=COLUMNS)
    order = {name: place for place, name in enumerate([*study.panel.task_names, ALL])}
    table = table.assign(place=table["task"].map(order))
    table = table.sort_values(["place", "share", "fold"], kind="stable", ignore_index=True)
    return table[COLUMNS]


def _rows(study: "Study", fit: Fit) -> list[tuple[str, str, float, int, int, float]]:
    job, panel = fit.job, study.panel
    assert fit.outcome is not None  # noqa: S101 - who calls it has looked
    split = study.splits[job.repeat][job.fold]
    learnt = thinned(split, job.share, panel.labels.values, seed_of(study.config.seed, job))
    n = panel.labels.present[learnt.known].sum(axis=0)
    labels = panel.labels.subset(split.test)
    kinds = [kind.name for kind in panel.kinds]
    scores = score_tasks(
        labels.values, fit.outcome.mean, panel.task_names, kinds,
        limits=labels.limits, n_bootstrap=0,
    ).tasks  # fmt: skip
    losses = np.full(len(panel.tasks), np.nan)
    for column, (name, kind) in enumerate(zip(panel.task_names, kinds, strict=True)):
        value = scores[name].values[_METRIC[kind]].value if name in scores else None
        if value is not None:
            losses[column] = value if kind == "regression" else 1 - value
    relative = losses / np.array([study.naive[name] for name in panel.task_names])
    found = [*zip(panel.task_names, n.tolist(), losses.tolist(), strict=True)]
    found.append((ALL, int(n.sum()), float(known_mean(relative))))
    return [(t, job.arm, job.share, job.fold, m, loss) for t, m, loss in found if np.isfinite(loss)]


def with_twice(curve: pd.DataFrame, task: str) -> float | None:
    """Estimates the relative change of a task's loss with twice the labels, below 0 for better.

    A power law, loss = a · m^(−b), is fitted to the mean losses of the shares m by least squares on
    logarithms, over folds that know all of them; the change is 2^(−b) − 1. It holds for the arm of
    the curve and for molecules like those that are there.

    Source: Hestness et al., Deep Learning Scaling is Predictable, Empirically, 2017 (power laws).

    Args:
        curve: What `curve_of` gives.
        task: A task, or "all endpoints".

    Returns:
        The change; None where fewer than two shares are known.
    """
    own = curve[curve["task"] == task]
    wide = own.pivot_table(index="fold", columns="share", values="loss").dropna()
    means = wide.mean()
    if len(wide) == 0 or len(means) < 2 or (means <= 0).any():
        return None
    slope = np.polyfit(np.log(means.index.to_numpy(float)), np.log(means.to_numpy(float)), 1)[0]
    return math.expm1(float(slope) * math.log(2))
