"""Groups that may overlap, each task served by its best one."""

import logging
from typing import ClassVar

import numpy as np

from admet.model.chemprop.task_affinity.groups.agglomerative import Agglomerative
from admet.model.chemprop.task_affinity.groups.base import Choice
from admet.model.chemprop.task_affinity.groups.evidence import LEAST_DRAWS
from admet.model.chemprop.task_affinity.groups.selection import select_groups

log = logging.getLogger(__name__)


class NetworkSelection(Agglomerative):
    """At most `n_groups` groups with the highest mean score in the serving group; see `selection`.

    `auto` chooses the number of groups by the cuts of the agglomerative tree.
    """

    overlaps: ClassVar[bool] = True

    def choose(self, n_groups: int) -> Choice:
        """Selects groups, and says in the log how far the best ones may lie above."""
        tasks = self.tasks
        chosen = select_groups(tasks.affinity, n_groups, tasks.singleton_score, tasks.seed)
        if chosen.bound > chosen.objective + 1e-9:
            log.info(
                "Selection: objective %.4f, at most %.4f is possible",
                chosen.objective,
                chosen.bound,
            )
        return chosen

    def repeat(self, n_groups: int | None) -> np.ndarray:
        """Selects groups by a short search."""
        assert n_groups is not None  # noqa: S101 - as for all methods without a number of their own
        tasks = self.tasks
        affinity, score = tasks.affinity, tasks.singleton_score
        return np.array(select_groups(affinity, n_groups, score, tasks.seed, quick=True).serves)

    @classmethod
    def n_draws(cls, n_tasks: int) -> int:
        """Gives fewer draws than for a clustering, since each takes a search."""
        return 30 if n_tasks <= 10 else LEAST_DRAWS
