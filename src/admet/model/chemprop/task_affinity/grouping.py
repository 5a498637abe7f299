"""From a matrix to groups."""

import logging
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

import numpy as np
from scipy.cluster.hierarchy import cut_tree, linkage
from scipy.spatial.distance import squareform
from sklearn.cluster import SpectralClustering
from sklearn.metrics import silhouette_score

from admet.config.base import LARGEST_SEED
from admet.config.task_affinity import ClusteringMethod
from admet.errors import ConfigError
from admet.model.chemprop.task_affinity.matrix import check_matrix, real_numbers
from admet.model.chemprop.task_affinity.partition import best_partition, transfer_scores
from admet.model.chemprop.task_affinity.selection import group_scores, select_groups
from admet.model.chemprop.task_affinity.stability import STABLE, agreement, co_assignment

log = logging.getLogger(__name__)


class TaskGrouper:
    """Cuts tasks into groups by their affinity.

    * `agglomerative`: average linkage on the distance 1 − affinity.
    * `spectral`: normalised cuts of the graph whose weights are the positive affinities, read off
      by column-pivoted QR, which needs no random start (Damle, Minden and Ying, Information and
      Inference 2019).
    * `transfer`: the groups without overlap whose tasks gain most from one another as the affinity
      and the numbers of labels predict it; see `partition.transfer_scores`.
    * `network_selection`: at most `n_groups` groups that may overlap, chosen so that the mean over
      tasks of their score in the group that serves them is highest; see `selection`. The matrix may
      be directed: [i, j] is what training on i does to j.

    `n_groups="auto"` takes, among 2 … T − 1 (a geometric grid of them beyond 40 tasks), the number
    of groups with the highest mean silhouette (Rousseeuw, J. Comput. Appl. Math. 1987, 20, 53) on
    the distance 1 − affinity, of equal ones the nearest to ⌈T / 2.5⌉. With draws it looks only at
    numbers whose groups are stable over them, and takes the most groups whose silhouette is within
    one standard error of the best. Where no cut has a positive silhouette (or T < 3)
    there is one group if the mean affinity is positive, else one a task. With `transfer` it takes
    the number at which the predicted gain is highest.
    """

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
        if method not in get_args(ClusteringMethod):
            known = ", ".join(repr(name) for name in get_args(ClusteringMethod))
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
        self.objective = math.nan
        self.bound = math.nan
        self.co_assignment: np.ndarray | None = None
        self.agreement = math.nan
        self.serves: dict[str, int] = {}

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
            The groups, ordered by their first task; tasks stand in the order of `task_names`.
            Afterwards `serves` gives the index of each task's group, `objective` the mean over
            tasks of their score there, and `bound`, after "network_selection", what no selection
            exceeds; with draws, `co_assignment` how often two tasks came together, shape (T, T),
            and `agreement` the mean adjusted Rand index of two draws' groups.

        Raises:
            ConfigError: If a shape does not fit, or `n_groups` exceeds T.
        """
        names = list(task_names)
        matrix = check_matrix(affinity_matrix, names)
        check_n_groups(self.n_groups, len(names))
        counts = np.ones(len(names)) if n_labels is None else real_numbers(n_labels, "n_labels")
        if counts.shape != (len(names),):
            raise ConfigError(
                f"`n_labels` must hold a number for each of the {len(names)} tasks; got shape "
                f"{counts.shape}."
            )
        if not (counts >= 0).all() or np.isinf(counts).any():
            raise ConfigError(f"`n_labels` must hold numbers ≥ 0; got {counts.tolist()}.")
        directed = fill_unknown(matrix)
        cuts = _Cuts(directed, counts, self)
        drawn = [
            _Cuts(fill_unknown(check_matrix(draw, names), quiet=True), counts, self)
            for draw in draws
        ]
        n_groups: int
        allowed: dict[int, float]
        if self.n_groups != "auto":
            n_groups = int(self.n_groups)
            allowed = {n_groups: 0.0}
        elif self.method == "transfer":
            n_groups = len(np.unique(cuts.labels(None)))
            allowed = {}
            log.info("n_groups: auto chose %d (highest predicted gain)", n_groups)
        else:
            n_groups, allowed = self._number(cuts, drawn)
        if drawn:
            again = [draw.serving(draw.best(allowed)) for draw in drawn]
            self.co_assignment, self.agreement = co_assignment(again), agreement(again)
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
        groups: dict[int, list[str]] = {}
        for name, label in zip(names, cuts.labels(n_groups).tolist(), strict=True):
            groups.setdefault(label, []).append(name)
        self.serves = {name: i for i, group in enumerate(groups.values()) for name in group}
        members = np.array([[name in group for name in names] for group in groups.values()])
        scores = group_scores(directed, members, self.singleton_score)
        self.objective = float(scores.max(axis=0).mean())
        return list(groups.values())

    def _number(self, cuts: "_Cuts", drawn: Sequence["_Cuts"]) -> tuple[int, dict[int, float]]:
        """Chooses the number of groups.

        Returns:
            The number, and the numbers that other draws may choose from, each with how far its
            silhouette may be below the best.
        """
        scores = cuts.silhouettes(_candidates(cuts.n_tasks))
        positive = [k for k, score in scores.items() if score > 0]
        if not positive:
            off_diagonal = cuts.affinity[~np.eye(cuts.n_tasks, dtype=bool)]
            best = 1 if not off_diagonal.size or off_diagonal.mean() > 0 else cuts.n_tasks
            log.info("n_groups: auto chose %d (no cut has a positive silhouette)", best)
            return best, {best: 0.0}
        ranked = sorted(positive, key=lambda k: _rank(k, scores[k], cuts.n_tasks))
        if not drawn:
            log.info("n_groups: auto chose %d (silhouette %.3f)", ranked[0], scores[ranked[0]])
            return ranked[0], dict.fromkeys(ranked, 0.0)
        ranked = ranked[:_TRIED]
        repeats = {k: agreement([draw.labels(k) for draw in drawn]) for k in ranked}
        stable = [k for k in ranked if repeats[k] >= STABLE]
        # Where nothing comes out the same again, what comes nearest to it.
        allowed = stable or [max(ranked, key=lambda k: repeats[k])]
        slack = _slack(allowed[0], allowed, drawn)
        best = _finest(scores, slack)
        log.info(
            "n_groups: auto chose %d (silhouette %.3f, agreement of two draws %.2f)",
            best,
            scores[best],
            repeats[best],
        )
        return best, slack


class _Cuts:
    """The groups of one matrix, for any number of groups."""

    def __init__(self, directed: np.ndarray, n_labels: np.ndarray, grouper: TaskGrouper) -> None:
        self.directed = directed
        self.n_labels = n_labels
        self.affinity = (directed + directed.T) / 2
        self.n_tasks = len(directed)
        self._grouper = grouper
        self._tree: np.ndarray | None = None

    def labels(self, n_groups: int | None) -> np.ndarray:
        """Gives the group of each task, shape (T,); `transfer` can leave the number free."""
        if self._grouper.method == "transfer":
            scores = transfer_scores(self.directed, self.n_labels)
            return best_partition(scores, n_groups, self._grouper.seed)
        assert n_groups is not None  # noqa: S101 - of the other methods none chooses by itself
        if n_groups == 1:
            return np.zeros(self.n_tasks, dtype=int)
        if n_groups == self.n_tasks:
            return np.arange(self.n_tasks)
        if self._grouper.method == "spectral":
            return self._spectral(n_groups)
        if self._tree is None:
            close = squareform(distances(self.affinity), checks=False)
            self._tree = linkage(close, "average")
        return np.asarray(cut_tree(self._tree, n_groups)[:, 0])

    def serving(self, n_groups: int | None) -> np.ndarray:
        """Gives the group that serves each task, shape (T,), by a short search."""
        if n_groups is None or self._grouper.method != "network_selection":
            return self.labels(n_groups)
        score, seed = self._grouper.singleton_score, self._grouper.seed
        return np.array(select_groups(self.directed, n_groups, score, seed, quick=True).serves)

    def silhouettes(self, numbers: Sequence[int]) -> dict[int, float]:
        """Gives the mean silhouette of each number of groups that there is a cut for."""
        distance = distances(self.affinity)
        found = {}
        for k in numbers:
            labels = self.labels(k)
            if len(np.unique(labels)) == k:
                score = silhouette_score(distance, labels, metric="precomputed")
                found[k] = round(float(score), 9)
        return found

    def best(self, slack: dict[int, float]) -> int | None:
        """Chooses among numbers of groups as the matrix itself would; None where there are none."""
        if len(slack) < 2:
            return next(iter(slack), None)
        return _finest(self.silhouettes(list(slack)), slack)

    def _spectral(self, n_groups: int) -> np.ndarray:
        model = SpectralClustering(
            n_groups,
            affinity="precomputed",
            assign_labels="cluster_qr",
            random_state=self._grouper.seed,
        )
        with warnings.catch_warnings():
            # Tasks without affinity to others leave the graph in parts, which is what is asked.
            warnings.filterwarnings("ignore", message="Graph is not fully connected")
            return np.asarray(model.fit_predict(self.affinity.clip(min=_FAINT)))


def _rank(n_groups: int, silhouette: float, n_tasks: int) -> tuple[float, int, int]:
    """Orders numbers of groups, the best first: the silhouette, then nearness to T / 2.5."""
    return (-silhouette, abs(n_groups - math.ceil(n_tasks / 2.5)), n_groups)


def _slack(best: int, numbers: Sequence[int], drawn: Sequence[_Cuts]) -> dict[int, float]:
    """Gives each number's standard error, over draws, of its silhouette less that of the best."""
    if len(numbers) == 1:
        return {best: 0.0}
    silhouettes = [draw.silhouettes(numbers) for draw in drawn]
    return {
        k: float(
            np.std([found[k] - found[best] for found in silhouettes if {k, best} <= set(found)])
        )
        for k in numbers
    }


def _finest(silhouettes: dict[int, float], slack: dict[int, float]) -> int:
    """Takes the most groups whose silhouette is not surely below the best (one standard error)."""
    top = max((silhouettes[k] for k in slack if k in silhouettes), default=0.0)
    near = [k for k in slack if k in silhouettes and silhouettes[k] >= top - slack[k]]
    return max(near, default=next(iter(slack)))


_FAINT = 1e-3  # weight of an edge between tasks without affinity: no task is alone in the graph
_GRID = 40  # numbers of groups that are tried
_TRIED = 8  # of them, those whose stability is looked at


def _candidates(n_tasks: int) -> list[int]:
    """Lists numbers of groups to try: all from 2 to T − 1, or a geometric grid of them."""
    if n_tasks <= _GRID:
        return list(range(2, n_tasks))
    grid = np.geomspace(2, n_tasks - 1, _GRID).round().astype(int)
    return [int(k) for k in np.unique(grid)]


def n_draws(n_tasks: int, method: ClusteringMethod) -> int:
    """Gives how many draws of the affinity are grouped anew: fewer where a grouping takes long."""
    if method == "network_selection":
        return 30 if n_tasks <= 10 else 8
    return 60 if n_tasks <= 50 else 20


def distances(affinity: np.ndarray) -> np.ndarray:
    """Turns affinities, shape (T, T), into distances 1 − affinity with a zero diagonal."""
    distance: np.ndarray = np.maximum(1 - affinity, 0.0)
    np.fill_diagonal(distance, 0.0)
    return distance


def fill_unknown(affinity: np.ndarray, quiet: bool = False) -> np.ndarray:
    """Replaces NaN off the diagonal by the mean of the known pairs (0 if none is known)."""
    filled = affinity.copy()
    np.fill_diagonal(filled, 1.0)
    unknown = np.isnan(filled)
    if unknown.any():
        off_diagonal = ~np.eye(len(filled), dtype=bool)
        known = filled[off_diagonal & ~unknown]
        neutral = float(known.mean()) if known.size else 0.0
        filled[unknown] = neutral
        if not quiet:
            log.warning(
                "%d unknown pair(s) enter the grouping with the mean affinity of the known ones, "
                "%.3f",
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
