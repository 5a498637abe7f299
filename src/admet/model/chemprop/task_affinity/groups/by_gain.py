"""The number of groups by what plans really gain, where they can be measured."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate, PlanMeter
from admet.model.chemprop.task_affinity.groups.base import Tasks
from admet.model.chemprop.task_affinity.groups.table import METHODS
from admet.model.chemprop.task_affinity.matrix import fill_unknown

log = logging.getLogger(__name__)

_TRIED = 12  # numbers of groups
_SAME = 0.02  # share of the error below which a difference counts as none, as in a study
_RANDOM = 5  # dealings of the tasks to groups of the same sizes


@dataclass(frozen=True, eq=False)
class Tried:
    """A plan and what it gave.

    Attributes:
        n_groups: Its number of groups.
        labels: Group of each task, shape (T,).
        errors: Mean over tasks of the error relative to the task alone, one for each block of the
            measurement, shape (B,).
    """

    n_groups: int
    labels: np.ndarray
    errors: np.ndarray

    @property
    def mean(self) -> float:
        """Mean over the blocks."""
        return float(np.nanmean(self.errors))


def number_by_gain(
    estimate: AffinityEstimate, meter: PlanMeter, names: Sequence[str], config: TaskAffinityConfig
) -> int:
    """Chooses the number of groups by the measured errors of the cuts, and logs what each gave.

    All tasks together, each alone, and the cuts between are measured on a division of the molecules
    that the affinity has not seen. Among those that are not worse than the best by more than 2 % or
    one standard error of the difference, the simplest is taken: together, then alone, then the
    fewest groups. Random groups of the sizes of the best cut are measured beside it, as what a
    sceptic would try first.

    Args:
        estimate: The affinity of T tasks.
        meter: What measures plans.
        names: T names.
        config: The `task_affinity` section.

    Returns:
        The number.
    """
    n_tasks = len(names)
    counts = np.asarray(estimate.n_common.diagonal(), dtype=float)
    method = METHODS[config.clustering_method](
        Tasks(fill_unknown(estimate.matrix), counts, config.singleton_score, config.seed)
    )
    numbers = np.unique(np.geomspace(1, n_tasks, _TRIED).round().astype(int))
    if n_tasks <= _TRIED:
        numbers = np.arange(1, n_tasks + 1)
    tried = [_measure(meter, method.labels(int(k)), int(k)) for k in numbers]
    best = min(tried, key=lambda plan: plan.mean)
    fair = [plan for plan in tried if not _clearly_worse(plan, best, meter.test_share)]
    chosen = min(fair, key=lambda plan: _simplicity(plan.n_groups, n_tasks))
    log.info("Plans measured on frozen inputs, error relative to each task alone:")
    for plan in tried:
        log.info("  %s: %.4f%s", _name(plan.n_groups, n_tasks), plan.mean, " *" * (plan is best))
    _log_random(meter, tried, names, config.seed)
    log.info("Answer: %s", _answer(chosen, fair, n_tasks))
    return chosen.n_groups


def _measure(meter: PlanMeter, labels: np.ndarray, n_groups: int) -> Tried:
    plan = [tuple(np.flatnonzero(labels == group).tolist()) for group in np.unique(labels)]
    return Tried(n_groups, labels, meter.relative_errors(plan))


def _clearly_worse(plan: Tried, best: Tried, test_share: float) -> bool:
    """Tells whether a plan is worse by more than a standard error, and by more than counts.

    Source: Nadeau and Bengio, Machine Learning 2003, 52, 239 (training sets overlap).
    """
    apart = plan.errors - best.errors
    n = len(apart)
    error = (
        np.sqrt(np.nanvar(apart, ddof=1) * (1 / n + test_share / (1 - test_share)))
        if n > 1
        else 0.0
    )
    return bool(np.nanmean(apart) > max(float(error), _SAME * best.mean))


def _simplicity(n_groups: int, n_tasks: int) -> tuple[int, int]:
    if n_groups == 1:
        return (0, 0)
    return (1, 0) if n_groups == n_tasks else (2, n_groups)


def _name(n_groups: int, n_tasks: int) -> str:
    if n_groups == 1:
        return "together"
    return "each alone" if n_groups == n_tasks else f"{n_groups} groups"


def _answer(chosen: Tried, fair: Sequence[Tried], n_tasks: int) -> str:
    """Says in a few words what was found."""
    numbers = {plan.n_groups for plan in fair}
    if {1, n_tasks} <= numbers and n_tasks > 1:
        return "no difference; all tasks together, which is the simplest"
    return _name(chosen.n_groups, n_tasks)


def _log_random(meter: PlanMeter, tried: Sequence[Tried], names: Sequence[str], seed: int) -> None:
    """Logs what random groups of the sizes of the best cut give."""
    cuts = [plan for plan in tried if 1 < plan.n_groups < len(names)]
    if not cuts:
        return
    best = min(cuts, key=lambda plan: plan.mean)
    rng = np.random.default_rng(seed)
    found = [_measure(meter, rng.permutation(best.labels), best.n_groups) for _ in range(_RANDOM)]
    means = [plan.mean for plan in found]
    log.info(
        "  %d random groups of the same sizes: %.4f (%.4f to %.4f)",
        best.n_groups,
        np.mean(means),
        min(means),
        max(means),
    )
