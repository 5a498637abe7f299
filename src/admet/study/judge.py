"""Makes the verdict of one endpoint from the losses of a study."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from admet.study import settle
from admet.study.arms import ARMS
from admet.study.curve import with_twice
from admet.study.statistics import known_mean
from admet.study.verdict import ALL, COMPOSITE, NOT_KNOWN, SEVERAL, Verdict

if TYPE_CHECKING:
    from admet.study.results import Study


def verdict_of(study: "Study", task: str) -> Verdict:
    """Says how a task, or all of them, should be trained.

    Args:
        study: The study.
        task: A task, or "all endpoints".
    """
    means = {arm: float(known_mean(study.losses(arm, task))) for arm in study.arms}
    told = [arm for arm in study.arms if np.isfinite(means[arm])]
    best = min(told, key=means.__getitem__, default=NOT_KNOWN)
    served = COMPOSITE if len(study.arms) >= SEVERAL else study.arms[0]
    baselines = {base: study.contrast(served, base, task) for base in study.baselines}
    labels = study.panel.labels.present
    n = labels.sum() if task == ALL else labels[:, study.panel.task_names.index(task)].sum()
    open_by = [_needed(study, served, base, task) for base in study.baselines]
    times, rounds = settle.together(open_by)
    forward = study.config.data.split_type == "time"
    return Verdict(
        task, int(n), best, bool(told) and ARMS[best].alone, partners(study, best, task), means,
        served, float(known_mean(study.losses(served, task))), baselines,
        company(study, best, task) if told else NOT_KNOWN,
        settle.in_words(open_by, None if task == ALL else int(n), forward=forward), times, rounds,
        with_twice(study.curve, task) if study.curve_fits else None,
    )  # fmt: skip


def _needed(study: "Study", served: str, base: str, task: str) -> settle.Needed:
    """Estimates what would settle the contrast of what is served with a baseline."""
    shape = (len(study.done_rounds), study.config.study.folds)
    first, second = (study.losses(arm, task).reshape(shape) for arm in (served, base))
    repeats = np.array([repeat for repeat, _ in study.done_rounds])
    return settle.needed(first, second, study.test_share, study.config.study.equivalence, repeats)


def company(study: "Study", arm: str, task: str) -> str:
    """Says with whom an arm trains a task: alone, together, or with which others.

    Args:
        study: The study.
        arm: The arm.
        task: A task, or "all endpoints".
    """
    if ARMS[arm].alone:
        return "alone"
    if found := partners(study, arm, task):
        return f"with {', '.join(found)}"
    groups = [
        group
        for fit in study.fits
        if fit.job.arm == arm and fit.outcome is not None
        for group in fit.outcome.groups
    ]
    several = any(len(group) > 1 for group in groups)
    if task == ALL:
        split = several and any(len(group) < len(study.panel.tasks) for group in groups)
        return "in groups" if split else "together"
    if not several:  # a head for each task, on one encoder
        return "together"
    own = [group for group in groups if task in group]
    single = sum(len(group) == 1 for group in own)
    return "in a group of its own" if single > len(own) / 2 else "with others in each fold"


def partners(study: "Study", arm: str, task: str) -> list[str]:
    """Lists the tasks that an arm trains with a task in more than half of its fits."""
    if task == ALL:
        return []
    fits = [fit.outcome for fit in study.fits if fit.job.arm == arm and fit.outcome is not None]
    together: Counter[str] = Counter()
    for outcome in fits:
        for group in outcome.groups:
            if task in group:
                together.update(name for name in group if name != task)
    return [name for name in study.panel.task_names if together[name] > len(fits) / 2]
