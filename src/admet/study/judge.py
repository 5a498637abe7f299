"""Makes the verdict of one endpoint from the losses of a study."""

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from admet.study.arms import ARMS
from admet.study.statistics import known_mean
from admet.study.verdict import ALL, COMPOSITE, SEVERAL, Verdict

if TYPE_CHECKING:
    from admet.study.results import Study


def verdict_of(study: "Study", task: str) -> Verdict:
    """Says how a task, or all of them, should be trained.

    Args:
        study: The study.
        task: A task, or "all endpoints".
    """
    means = {arm: float(known_mean(study.losses(arm, task))) for arm in study.arms}
    best = min(means, key=lambda arm: (not np.isfinite(means[arm]), means[arm]))
    served = COMPOSITE if len(study.arms) >= SEVERAL else best
    baselines = {base: study.contrast(served, base, task) for base in study.baselines}
    labels = study.panel.labels.present
    n = labels.sum() if task == ALL else labels[:, study.panel.task_names.index(task)].sum()
    return Verdict(
        task, int(n), best, ARMS[best].alone, partners(study, best, task), means, served,
        float(known_mean(study.losses(served, task))), baselines,
    )  # fmt: skip


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
