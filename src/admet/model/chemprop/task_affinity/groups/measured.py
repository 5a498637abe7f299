"""The groups of a measured affinity."""

import logging
import math
from collections.abc import Iterable, Sequence

import numpy as np

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups.by_gain import number_by_gain
from admet.model.chemprop.task_affinity.groups.group import group
from admet.model.chemprop.task_affinity.groups.grouping import Grouping
from admet.model.chemprop.task_affinity.groups.stability import STABLE
from admet.model.chemprop.task_affinity.groups.table import METHODS

log = logging.getLogger(__name__)


def group_tasks(
    estimate: AffinityEstimate, names: Sequence[str], config: TaskAffinityConfig
) -> Grouping:
    """Groups tasks as the `task_affinity` section says, and logs the groups.

    Args:
        estimate: The affinity of T tasks.
        names: T names.
        config: The section.

    Returns:
        The groups, and how often tasks came together over draws of the affinity, where the
        estimate knows its doubt.
    """
    n_groups = config.n_groups
    if n_groups == "auto" and estimate.meter is not None:
        n_groups = number_by_gain(estimate, estimate.meter, names, config)
    doubt = estimate.doubt
    draws: Iterable[np.ndarray] = ()
    if doubt is not None and doubt.n_runs > 1:
        n_draws = METHODS[config.clustering_method].n_draws(len(names))
        draws = doubt.draws(estimate.matrix, n_draws, config.seed)
        if estimate.either_sign:
            draws = map(np.abs, draws)
    elif doubt is not None:
        log.info("How stable the groups are cannot be known from one run; raise affinity_runs")
    grouping = group(
        estimate.strength,
        names,
        n_groups=n_groups,
        method=config.clustering_method,
        seed=config.seed,
        singleton_score=config.singleton_score,
        draws=draws,
        n_labels=estimate.n_common.diagonal(),
    )
    _log(grouping)
    if estimate.meter is None and 1 < len(grouping.groups) < len(names):
        log.info(
            "Whether these groups pay is not in an affinity: task_affinity.estimator measured with "
            "n_groups auto measures it on frozen inputs, admet study on the networks themselves"
        )
    return grouping


def _log(grouping: Grouping) -> None:
    """Logs the groups, who serves a task of several, and how stable it all is."""
    log.info("Task groups formed:")
    for index, part in enumerate(grouping.groups):
        log.info("  Group %d: %s", index, ", ".join(part.tasks))
    several = grouping.members.sum(axis=0) > 1
    for name, index, shared in zip(grouping.names, grouping.labels, several, strict=True):
        if shared:
            log.info("  %s is served by group %d", name, index)
    _log_evidence(grouping)


def _log_evidence(grouping: Grouping) -> None:
    """Logs what can be said for the groups, and says so where it is nothing."""
    if grouping.co_assignment is None:
        return
    if not grouping.is_told_from_chance:
        log.warning("%s", _no_evidence(grouping))
        return
    log.info(
        "Chance gives groups as distinct in %.1f %% of matrices without any", 100 * grouping.chance
    )
    sure = "stable" if grouping.agreement >= STABLE else "not stable"
    log.info(
        "The grouping is %s: two measurements would agree at an adjusted Rand index of %.2f",
        sure,
        grouping.agreement,
    )
    for index, share in enumerate(grouping.stability):
        sure = "stable" if share >= STABLE else "not stable"
        log.info("  Group %d is %s: %.2f", index, sure, share)


def _no_evidence(grouping: Grouping) -> str:
    """Says why nothing is claimed of a grouping."""
    if math.isnan(grouping.chance):
        why = "no two tasks share a group, or all do, or the draws are too few"
    else:
        why = (
            f"where all pairs are alike but for the noise, groups as distinct come out in "
            f"{100 * grouping.chance:.0f} % of matrices"
        )
    return (
        f"No evidence for these groups; a grouping cannot be told from chance: {why}. More labels, "
        "or, with gradients, more task_affinity.affinity_runs, may tell"
    )
