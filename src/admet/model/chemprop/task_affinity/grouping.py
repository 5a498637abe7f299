"""From a matrix to groups."""

import logging
import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from sklearn.cluster import AgglomerativeClustering, SpectralClustering
from sklearn.metrics import silhouette_score

from admet.errors import ConfigError
from admet.model.chemprop.task_affinity.matrix import check_matrix
from admet.model.chemprop.task_affinity.selection import group_scores, select_groups

log = logging.getLogger(__name__)

Method = Literal["agglomerative", "spectral", "network_selection"]


@dataclass(frozen=True)
class Grouping:
    """Groups of tasks, which may overlap.

    Attributes:
        groups: Task names of each group.
        serves: For each task in several groups the index of the one that serves it.
        co_assignment: How often two tasks came to one group over the resamples of the affinity,
            shape (T, T); None where there were none.
    """

    groups: list[list[str]]
    serves: dict[str, int] = field(default_factory=dict)
    co_assignment: np.ndarray | None = None

    def stability(self, names: Sequence[str]) -> list[float]:
        """Gives, for each group, how often its tasks stayed together and apart from the others.

        Args:
            names: The T names, in the order of `co_assignment`.

        Returns:
            The mean, over pairs of a task of the group and any other task, of how often the pair
            was grouped as here: 1 where every resample gave this group.
        """
        if self.co_assignment is None:
            return [math.nan for _ in self.groups]
        found = []
        for group in self.groups:
            inside = np.array([name in group for name in names])
            same = self.co_assignment[inside]  # (n_members, T)
            agrees = np.where(inside, same, 1 - same)
            np.put_along_axis(agrees, np.flatnonzero(inside)[:, None], np.nan, axis=1)
            found.append(float(np.nanmean(agrees)) if agrees.size > 1 else 1.0)
        return found

    def served(self) -> list[list[str]]:
        """Gives the tasks that each group serves: the groups without overlap."""
        return [
            [name for name in group if self.serves.get(name, index) == index]
            for index, group in enumerate(self.groups)
        ]


class TaskGrouper:
    """Cuts tasks into groups by their affinity.

    * `agglomerative`: average linkage on the distance 1 − affinity.
    * `spectral`: normalised cuts of the graph with weights (1 + affinity) / 2, read off by
      column-pivoted QR, which needs no random start (Damle, Minden and Ying, Information and
      Inference 2019).
    * `network_selection`: at most `n_groups` groups that may overlap, chosen so that the mean over
      tasks of their score in the group that serves them is highest; see `selection`. The matrix may
      be directed: [i, j] is what training on i does to j.

    `n_groups="auto"` takes, among 2 … T − 1, the number of groups with the highest mean silhouette
    (Rousseeuw, J. Comput. Appl. Math. 1987, 20, 53) on the distance 1 − affinity; of equal ones the
    nearest to ⌈T / 2.5⌉. Where no cut has a positive silhouette (or T < 3) there is one group if
    the mean affinity is positive, else one a task.
    """

    def __init__(
        self,
        n_groups: int | Literal["auto"] = 3,
        method: Method = "agglomerative",
        seed: int = 42,
        singleton_score: float = 0.0,
    ) -> None:
        """Stores how to group.

        Args:
            n_groups: From 1 to the number of tasks, or "auto".
            method: "agglomerative", "spectral" or "network_selection".
            seed: Seed of the spectral method's eigensolver and of the selection's local search.
            singleton_score: With "network_selection", the score of a task in a group of its own.

        Raises:
            ConfigError: If `n_groups` is below 1 or `method` is unknown.
        """
        if method not in get_args(Method):
            known = ", ".join(repr(name) for name in get_args(Method))
            raise ConfigError(f"`method` must be one of {known}; got {method!r}.")
        if not math.isfinite(singleton_score):
            raise ConfigError(
                f"`singleton_score` must be a finite number; got {singleton_score}. A large "
                "negative one rules groups of one task out."
            )
        check_n_groups(n_groups, None)
        self.n_groups = n_groups
        self.method = method
        self.seed = seed
        self.singleton_score = singleton_score
        self.objective = math.nan
        self.bound = math.nan
        self.serves: dict[str, int] = {}

    def cluster(self, affinity_matrix: np.ndarray, task_names: Sequence[str]) -> list[list[str]]:
        """Groups the tasks.

        Clustering averages an asymmetric matrix with its transpose. A pair whose affinity is NaN
        counts as the mean of the known pairs, neither for nor against grouping; the log says so.

        Args:
            affinity_matrix: Shape (T, T); it is not changed.
            task_names: T names.

        Returns:
            The groups, ordered by their first task; tasks stand in the order of `task_names`.
            Afterwards `serves` gives the index of each task's group, `objective` the mean over
            tasks of their score there, and `bound`, after "network_selection", what no selection
            exceeds.

        Raises:
            ConfigError: If the shape does not fit, or `n_groups` exceeds T.
        """
        names = list(task_names)
        matrix = check_matrix(affinity_matrix, names)
        check_n_groups(self.n_groups, len(names))
        directed = fill_unknown(matrix)
        filled = (directed + directed.T) / 2
        n_groups = self._choose(filled) if self.n_groups == "auto" else int(self.n_groups)
        if self.method == "network_selection":
            chosen = select_groups(directed, n_groups, self.singleton_score, self.seed)
            self.objective, self.bound = chosen.objective, chosen.bound
            self.serves = dict(zip(names, chosen.serves, strict=True))
            if chosen.bound > chosen.objective + 1e-9:
                log.info(
                    "Selection: objective %.4f, at most %.4f is possible",
                    chosen.objective,
                    chosen.bound,
                )
            return [[names[i] for i in group] for group in chosen.groups]
        labels = self._cut(filled, n_groups)
        groups: dict[int, list[str]] = {}
        for name, label in zip(names, labels, strict=True):
            groups.setdefault(int(label), []).append(name)
        self.serves = {name: i for i, group in enumerate(groups.values()) for name in group}
        members = np.array([[name in group for name in names] for group in groups.values()])
        scores = group_scores(directed, members, self.singleton_score)
        self.objective = float(scores.max(axis=0).mean())
        return list(groups.values())

    def co_assignment(
        self, resamples: Sequence[np.ndarray], task_names: Sequence[str]
    ) -> np.ndarray:
        """Groups each resample of a matrix and counts how often two tasks come together.

        Args:
            resamples: S matrices, each of shape (T, T).
            task_names: T names.

        Returns:
            Shares, shape (T, T), from 0 to 1; 1 on the diagonal.
        """
        names = list(task_names)
        total = np.zeros((len(names), len(names)))
        for matrix in resamples:
            again = TaskGrouper(self.n_groups, self.method, self.seed, self.singleton_score)
            with _silent():
                again.cluster(matrix, names)
            labels = np.array([again.serves[name] for name in names])
            total += labels[:, None] == labels
        return total / max(len(resamples), 1)

    def _cut(self, affinity: np.ndarray, n_groups: int) -> np.ndarray:
        """Gives the group of each task, shape (T,)."""
        n_tasks = len(affinity)
        if n_groups == 1:
            return np.zeros(n_tasks, dtype=int)
        if n_groups == n_tasks:
            return np.arange(n_tasks)
        if self.method != "spectral":
            model = AgglomerativeClustering(n_groups, metric="precomputed", linkage="average")
            return np.asarray(model.fit_predict(distances(affinity)))
        model = SpectralClustering(
            n_groups,
            affinity="precomputed",
            assign_labels="cluster_qr",
            random_state=self.seed,
        )
        with warnings.catch_warnings():
            # Tasks at affinity −1 to all others leave the graph in parts, which is what is asked.
            warnings.filterwarnings("ignore", message="Graph is not fully connected")
            return np.asarray(model.fit_predict((1 + affinity).clip(min=0) / 2))

    def _choose(self, affinity: np.ndarray) -> int:
        n_tasks = len(affinity)
        rule_of_thumb = math.ceil(n_tasks / 2.5)
        scores = {
            k: float(silhouette_score(distances(affinity), labels, metric="precomputed"))
            for k in range(2, n_tasks)
            if len(set(labels := self._cut(affinity, k).tolist())) == k
        }
        positive = {k: round(s, 9) for k, s in scores.items() if s > 0}
        if positive:
            best = max(positive, key=lambda k: (positive[k], -abs(k - rule_of_thumb), -k))
            log.info("n_groups: auto chose %d (silhouette %.3f)", best, positive[best])
            return best
        off_diagonal = affinity[~np.eye(n_tasks, dtype=bool)]
        best = 1 if not off_diagonal.size or off_diagonal.mean() > 0 else n_tasks
        log.info("n_groups: auto chose %d (no cut has a positive silhouette)", best)
        return best


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps what a regrouping would log to itself."""
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def distances(affinity: np.ndarray) -> np.ndarray:
    """Turns affinities, shape (T, T), into distances 1 − affinity with a zero diagonal."""
    distance: np.ndarray = np.maximum(1 - affinity, 0.0)
    np.fill_diagonal(distance, 0.0)
    return distance


def fill_unknown(affinity: np.ndarray) -> np.ndarray:
    """Replaces NaN off the diagonal by the mean of the known pairs (0 if none is known)."""
    filled = affinity.copy()
    np.fill_diagonal(filled, 1.0)
    unknown = np.isnan(filled)
    if unknown.any():
        off_diagonal = ~np.eye(len(filled), dtype=bool)
        known = filled[off_diagonal & ~unknown]
        neutral = float(known.mean()) if known.size else 0.0
        filled[unknown] = neutral
        log.warning(
            "%d unknown pair(s) enter the grouping with the mean affinity of the known ones, %.3f",
            int(unknown.sum()) // 2,
            neutral,
        )
    return filled


def check_n_groups(n_groups: int | str, n_tasks: int | None) -> None:
    """Checks the number of groups against the number of tasks, where that is known.

    Raises:
        ConfigError: Names the rule, the value and the remedy.
    """
    if n_groups == "auto":
        return
    upper = "the number of tasks" if n_tasks is None else f"the number of tasks ({n_tasks})"
    whole = isinstance(n_groups, int | np.integer) and not isinstance(n_groups, bool)
    if not whole or int(n_groups) < 1 or (n_tasks is not None and int(n_groups) > n_tasks):
        too_many = whole and int(n_groups) > 1
        remedy = "Lower it, or add target columns." if too_many else "Use 'auto' if in doubt."
        raise ConfigError(f"`n_groups` must be between 1 and {upper}; got {n_groups!r}. {remedy}")
