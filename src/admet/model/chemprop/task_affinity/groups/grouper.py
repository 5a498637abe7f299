"""The grouper of the contract: settings, a call, and what the last call found."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from admet.config.base import LARGEST_SEED
from admet.config.targets import check_n_groups
from admet.config.task_affinity import ClusteringMethod
from admet.errors import ConfigError
from admet.model.chemprop.task_affinity.groups.group import group
from admet.model.chemprop.task_affinity.groups.table import METHODS
from admet.model.chemprop.task_affinity.matrix import check_matrix


class TaskGrouper:
    """Cuts tasks into groups by their affinity.

    * `agglomerative`: average linkage on the distance 1 − affinity.
    * `spectral`: normalised cuts of the graph whose weights are the positive affinities, read off
      by column-pivoted QR, which needs no random start (Damle, Minden and Ying, Information and
      Inference 2019).
    * `transfer`: the groups without overlap whose tasks gain most from one another, as predicted
      from the affinity and the numbers of labels; see `groups.transfer_scores`.
    * `network_selection`: at most `n_groups` groups that may overlap, chosen so that the mean over
      tasks of their score in the group that serves them is highest; see `groups.selection`. The
      matrix may be directed: [i, j] is what training on i does to j.

    `n_groups="auto"` takes, among 2 … T − 1 (a geometric grid of them beyond 40 tasks), the number
    of groups with the highest mean silhouette (Rousseeuw, J. Comput. Appl. Math. 1987, 20, 53) on
    the distance 1 − affinity, of equal ones the nearest to ⌈T / 2.5⌉. With draws it looks only at
    those of the eight best numbers whose groups are stable over the draws, or at the number that
    comes nearest to it, and takes the most groups whose silhouette is within one standard error of
    the best. Where no cut has a positive silhouette (or T < 3) there is one group if the mean
    affinity is positive, else one per task. With `transfer` it takes the number at which the
    predicted gain is highest.

    Attributes:
        labels: Index of the group that serves each task, shape (T,), in the order of the names;
            None before the first call. This and all that follow are those of the last call.
        serves: The same by name.
        objective: Mean over tasks of their score in the group that serves them.
        bound: After "network_selection", what no selection of so many groups exceeds; else NaN.
        co_assignment: How often two tasks came together over the draws, shape (T, T); None where
            there were none.
        agreement: Mean adjusted Rand index of two draws' groups; NaN where there were no draws, or
            where they cannot disagree: with two tasks, one group, or one group per task.
        chance: How often groups at least as distinct (mean affinity within minus that between) come
            out where all pairs are alike except for the noise of the draws; see `groups.evidence`.
            Above 0.05, a grouping cannot be told from chance. NaN with fewer than 10 draws.
    """

    labels: np.ndarray | None
    serves: dict[str, int]
    objective: float
    bound: float
    co_assignment: np.ndarray | None
    agreement: float
    chance: float

    def __init__(
        self,
        n_groups: int | Literal["auto"] = 3,
        method: ClusteringMethod = "agglomerative",
        seed: int = 42,
        singleton_score: float = 0.0,
    ) -> None:
        """Stores how to group.

        Args:
            n_groups: From 1 to the number of tasks, or "auto".
            method: "agglomerative", "spectral", "network_selection" or "transfer".
            seed: Seed of the spectral method's eigensolver and of the selection's local search.
            singleton_score: With "network_selection", the score of a task in a group of its own.

        Raises:
            ConfigError: If `n_groups` is below 1, `method` is unknown, or `seed` or
                `singleton_score` is no such number.
        """
        if method not in METHODS:
            known = ", ".join(repr(name) for name in METHODS)
            raise ConfigError(f"`method` must be one of {known}; got {method!r}.")
        whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if not whole or not 0 <= seed <= LARGEST_SEED:
            raise ConfigError(
                f"`seed` must be a whole number from 0 to {LARGEST_SEED}; got {seed!r}."
            )
        number = isinstance(singleton_score, int | float | np.number)
        if not number or not math.isfinite(singleton_score):
            raise ConfigError(
                f"`singleton_score` must be a finite number; got {singleton_score}. A large "
                "negative one rules groups of one task out."
            )
        check_n_groups(n_groups, None)
        self.n_groups = n_groups
        self.method = method
        self.seed = seed
        self.singleton_score = singleton_score
        self._forget()

    def _forget(self) -> None:
        """Drops what an earlier call found, so that a call that fails leaves nothing of it."""
        self.labels = self.co_assignment = None
        self.serves = {}
        self.objective = self.bound = self.agreement = self.chance = math.nan

    def cluster(
        self,
        affinity_matrix: np.ndarray,
        task_names: Sequence[str],
        draws: Iterable[np.ndarray] = (),
        n_labels: np.ndarray | None = None,
    ) -> list[list[str]]:
        """Groups the tasks.

        Clustering averages an asymmetric matrix with its transpose. A pair whose affinity is NaN
        counts as the mean of the known pairs, neither for nor against grouping; the log says so.

        Args:
            affinity_matrix: Shape (T, T); it is not changed.
            task_names: T names.
            draws: The matrix as other measurements might have given it (`Doubt.draws`), each of
                shape (T, T). They say how stable the groups are, and "auto" goes by it.
            n_labels: Labels of each task, shape (T,), which "transfer" goes by; None takes them to
                be equal.

        Returns:
            The groups, ordered by the first task that each serves; tasks stand in the order of
            `task_names`. The attributes say what else was found.

        Raises:
            ConfigError: If a shape does not fit, or `n_groups` exceeds T.
        """
        self._forget()
        names = list(task_names)
        check_matrix(affinity_matrix, names)
        found = group(
            affinity_matrix,
            [str(place) for place in range(len(names))],  # names may be what no plan takes
            n_groups=self.n_groups,
            method=self.method,
            seed=self.seed,
            singleton_score=self.singleton_score,
            draws=draws,
            n_labels=n_labels,
        )
        self.labels = found.labels
        self.serves = dict(zip(names, found.labels.tolist(), strict=True))
        self.objective, self.bound = found.objective, found.bound
        self.co_assignment, self.agreement = found.co_assignment, found.agreement
        self.chance = found.chance
        return [[names[int(place)] for place in part.tasks] for part in found.groups]
