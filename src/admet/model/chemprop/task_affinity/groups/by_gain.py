"""The number of groups, and the form of the network, by what plans really gain."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import (
    AffinityEstimate,
    PlanForm,
    PlanMeter,
)
from admet.model.chemprop.task_affinity.groups.base import Tasks
from admet.model.chemprop.task_affinity.groups.table import METHODS
from admet.model.chemprop.task_affinity.matrix import fill_unknown

log = logging.getLogger(__name__)

_TRIED = 12  # numbers of groups
_SAME = 0.02  # share of the error below which a difference counts as none, as in a study
_RANDOM = 5  # dealings of the tasks to groups of the same sizes
_MOST_HEADS = 100  # on one layer; they are trained at once, and memory grows with their square
_REMEDIES = {
    "together": "model.groups: multi_task",
    "alone": "model.groups: single_task",
    "heads": "model.share_encoder: true",
    "networks": "model.share_encoder: false",
    "partners": "the arm frozen_partners of admet study",
}
"""What plans are, the simplest first → how they are trained."""


@dataclass(frozen=True, eq=False)
class Tried:
    """A plan and what it gave.

    Attributes:
        sets: The tasks of each network or head, as columns.
        form: What the sets are.
        errors: Mean over tasks of the error relative to the task alone, one for each block of the
            measurement, shape (B,).
    """

    sets: tuple[tuple[int, ...], ...]
    form: PlanForm
    errors: np.ndarray

    @classmethod
    def of(
        cls, meter: PlanMeter, sets: Sequence[tuple[int, ...]], form: PlanForm = "networks"
    ) -> "Tried":
        """Measures a plan."""
        return cls(tuple(sets), form, meter.relative_errors(sets, form))

    @property
    def mean(self) -> float:
        """Mean over the blocks."""
        return float(np.nanmean(self.errors))

    @property
    def kind(self) -> str:
        """What it is: "together", "alone", or its form."""
        if len(self.sets) == 1:
            return "together"
        if self.form == "networks" and all(len(own) == 1 for own in self.sets):
            return "alone"
        return self.form

    @property
    def simplicity(self) -> tuple[int, int]:
        """Orders plans: by what they are, then by the number of their sets."""
        return list(_REMEDIES).index(self.kind), len(self.sets)

    @property
    def remedy(self) -> str:
        """How such a plan is trained."""
        return _REMEDIES[self.kind]

    @property
    def name(self) -> str:
        """What the log calls it."""
        own = all(len(head) == 1 for head in self.sets)
        return {
            "together": "together",
            "alone": "each alone",
            "heads": "own heads" if own else f"{len(self.sets)} heads",
            "networks": f"{len(self.sets)} groups",
            "partners": "each with partners",
        }[self.kind]


def number_by_gain(
    estimate: AffinityEstimate, meter: PlanMeter, names: Sequence[str], config: TaskAffinityConfig
) -> int:
    """Chooses the number of groups by the measured errors of plans, and logs what each gave.

    On a division of the molecules that the affinity has not seen, these are measured: all tasks
    together, each alone, networks of the cuts between, a head for each task and for each group of
    the best cut (up to 100 heads), and a network for each task with the partners that help it (as
    MTGL-ADMET, Du et al., iScience 2023). Among those that are not worse than the best by more than
    2 % or one standard error of the difference, the simplest is taken: together, then alone, then
    heads, then the fewest groups, then partners. Random groups of the sizes of the best cut are
    measured beside it, as what a sceptic would try first. Where partners are the answer, which are
    no groups, the number is that of the simplest of the other plans that come next.

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
        Tasks(
            fill_unknown(estimate.matrix, quiet=True), counts, config.singleton_score, config.seed
        )
    )
    numbers = np.unique(np.geomspace(1, n_tasks, _TRIED).round().astype(int))
    if n_tasks <= _TRIED:
        numbers = np.arange(1, n_tasks + 1)
    cuts = [Tried.of(meter, _sets(method.labels(int(k)))) for k in numbers]
    tried = [*cuts, *_other_forms(estimate, meter, cuts)]
    chosen, fair, best = _simplest(tried, meter.test_share)
    log.info("Plans measured on frozen inputs, error relative to each task alone:")
    for plan in tried:
        log.info("  %s: %.4f%s", plan.name, plan.mean, " *" * (plan is best))
    _log_random(meter, cuts, n_tasks, config.seed)
    log.info("Answer: %s", _answer(chosen, fair))
    log.info("To train it: %s", chosen.remedy)
    if chosen.form == "partners":
        chosen, _, _ = _simplest([plan for plan in tried if plan is not chosen], meter.test_share)
    return len(chosen.sets)


def _sets(labels: np.ndarray) -> list[tuple[int, ...]]:
    return [tuple(np.flatnonzero(labels == group).tolist()) for group in np.unique(labels)]


def _other_forms(
    estimate: AffinityEstimate, meter: PlanMeter, cuts: Sequence[Tried]
) -> list[Tried]:
    """Measures heads and partners, where they are something else than what was measured."""
    n_tasks = len(estimate.matrix)
    if n_tasks == 1:
        return []
    heads: list[tuple[tuple[int, ...], ...]] = [tuple((task,) for task in range(n_tasks))]
    if best := _best_cut(cuts, n_tasks):
        heads.append(best.sets)
    found = [Tried.of(meter, sets, "heads") for sets in heads if len(sets) <= _MOST_HEADS]
    partners = [tuple(np.flatnonzero(own).tolist()) for own in estimate.partners.T]
    if {len(own) for own in partners} not in ({1}, {n_tasks}):
        found.append(Tried.of(meter, partners, "partners"))
    return found


def _best_cut(cuts: Sequence[Tried], n_tasks: int) -> Tried | None:
    """Gives the best cut between together and each alone; None where there is none."""
    between = [plan for plan in cuts if 1 < len(plan.sets) < n_tasks]
    return min(between, key=lambda plan: plan.mean, default=None)


def _simplest(tried: Sequence[Tried], test_share: float) -> tuple[Tried, list[Tried], Tried]:
    """Gives the simplest plan that is not clearly worse than the best, all of these, the best."""
    best = min(tried, key=lambda plan: plan.mean)
    fair = [plan for plan in tried if not _clearly_worse(plan, best, test_share)]
    return min(fair, key=lambda plan: plan.simplicity), fair, best


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


def _answer(chosen: Tried, fair: Sequence[Tried]) -> str:
    """Says in a few words what was found."""
    if {"together", "each alone"} <= {plan.name for plan in fair}:
        return "no difference; all tasks together, which is the simplest"
    return chosen.name


def _log_random(meter: PlanMeter, cuts: Sequence[Tried], n_tasks: int, seed: int) -> None:
    """Logs what random groups of the sizes of the best cut give."""
    best = _best_cut(cuts, n_tasks)
    if best is None:
        return
    ends = np.cumsum([len(own) for own in best.sets])[:-1]
    rng = np.random.default_rng(seed)
    means = []
    for _ in range(_RANDOM):
        dealt = [tuple(sorted(own.tolist())) for own in np.split(rng.permutation(n_tasks), ends)]
        means.append(Tried.of(meter, dealt).mean)
    log.info(
        "  %d random groups of the same sizes: %.4f (%.4f to %.4f)",
        len(best.sets),
        np.mean(means),
        min(means),
        max(means),
    )
