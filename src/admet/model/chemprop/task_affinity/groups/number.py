"""How many groups."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import silhouette_score

from admet.model.chemprop.task_affinity.groups.base import Method
from admet.model.chemprop.task_affinity.groups.stability import STABLE, agreement
from admet.model.chemprop.task_affinity.matrix import distances

log = logging.getLogger(__name__)

_GRID = 40  # numbers of groups that are tried
_TRIED = 8  # of the numbers, the best ones, whose stability is looked at


@dataclass(frozen=True)
class Number:
    """The number of groups, and how far a draw of the affinity may choose another.

    Attributes:
        n_groups: The number.
        slack: Numbers that draws may choose from, each with how far its silhouette may be below
            the best. If there are none, the number is left to the method.
        anew: Whether a draw chooses as if it were the measurement, from all numbers.
    """

    n_groups: int
    slack: dict[int, float]
    anew: bool = False

    @classmethod
    def given(cls, n_groups: int) -> "Number":
        """Gives a number that is the same for all draws."""
        return cls(n_groups, {n_groups: 0.0})

    def of_draw(self, draw: Method) -> int | None:
        """Chooses as for the measurement itself; None leaves the number to the method."""
        if self.anew:
            return _without_draws(draw)[0]
        if len(self.slack) < 2:
            return next(iter(self.slack), None)
        return _finest(_silhouettes(draw, list(self.slack)), self.slack)


def choose_number(own: Method, drawn: Sequence[Method]) -> Number:
    """Chooses the number of groups, and says in the log why.

    Among 2 … T − 1 (a geometric grid of them beyond 40 tasks) it takes the number of groups with
    the highest mean silhouette (Rousseeuw, J. Comput. Appl. Math. 1987, 20, 53) on the distance
    1 − affinity, of equal ones the nearest to ⌈T / 2.5⌉. With draws it looks only at those of the
    eight best numbers whose groups are stable over the draws, or at the number that comes nearest
    to it, and takes the most groups whose silhouette is within one standard error of the best.
    Where no cut has a positive silhouette (or T < 3) there is one group if the mean affinity is
    positive, else one per task. For a method that knows a best number, that number is taken.

    Args:
        own: The method on the measurement.
        drawn: The method on each draw of it.

    Returns:
        The number.
    """
    if (number := own.number()) is not None:
        log.info("n_groups: auto chose %d (highest predicted gain)", number)
        return Number(number, {})
    best, scores, ranked = _without_draws(own)
    if not ranked:
        log.info("n_groups: auto chose %d (no cut has a positive silhouette)", best)
        return Number(best, {}, anew=True)
    if drawn:
        return _stable_number(ranked[:_TRIED], scores, drawn)
    log.info("n_groups: auto chose %d (silhouette %.3f)", best, scores[best])
    return Number(best, dict.fromkeys(ranked, 0.0))


def _without_draws(method: Method) -> tuple[int, dict[int, float], list[int]]:
    """Gives the best number of groups of one matrix, all silhouettes, and the positive ones ranked.

    Without a positive one, the number is 1 where the mean affinity is positive, else T.
    """
    n_tasks = len(method.tasks)
    scores = _silhouettes(method, _candidates(n_tasks))
    positive = [k for k, score in scores.items() if score > 0]
    if not positive:
        off_diagonal = method.tasks.symmetric[~np.eye(n_tasks, dtype=bool)]
        best = 1 if not off_diagonal.size or off_diagonal.mean() > 0 else n_tasks
        return best, scores, []
    ranked = sorted(positive, key=lambda k: _rank(k, scores[k], n_tasks))
    return ranked[0], scores, ranked


def _stable_number(ranked: list[int], scores: dict[int, float], drawn: Sequence[Method]) -> Number:
    """Chooses among numbers of groups, the best first, by whether the groups come out again."""
    repeats = {k: agreement([draw.labels(k) for draw in drawn]) for k in ranked}
    stable = [k for k in ranked if repeats[k] >= STABLE]
    # Where no groups come out the same again, the number that comes nearest to it.
    allowed = stable or [max(ranked, key=lambda k: repeats[k])]
    slack = _slack(allowed[0], allowed, drawn)
    best = _finest(scores, slack)
    log.info(
        "n_groups: auto chose %d (silhouette %.3f%s)",
        best,
        scores[best],
        "" if stable else "; at no number do the same groups come out again",
    )
    return Number(best, slack)


def _silhouettes(method: Method, numbers: Sequence[int]) -> dict[int, float]:
    """Gives the mean silhouette of each number of groups that there is a cut for."""
    distance = distances(method.tasks.symmetric)
    found = {}
    for k in numbers:
        labels = method.labels(k)
        if len(np.unique(labels)) == k:
            score = silhouette_score(distance, labels, metric="precomputed")
            found[k] = round(float(score), 9)
    return found


def _rank(n_groups: int, silhouette: float, n_tasks: int) -> tuple[float, int, int]:
    """Orders numbers of groups, the best first: the silhouette, then nearness to T / 2.5."""
    return (-silhouette, abs(n_groups - math.ceil(n_tasks / 2.5)), n_groups)


def _slack(best: int, numbers: Sequence[int], drawn: Sequence[Method]) -> dict[int, float]:
    """Gives, for each number, the standard error over draws of its silhouette minus the best's."""
    if len(numbers) == 1:
        return {best: 0.0}
    silhouettes = [_silhouettes(draw, numbers) for draw in drawn]
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


def _candidates(n_tasks: int) -> list[int]:
    """Lists numbers of groups to try: all from 2 to T − 1, or a geometric grid of them."""
    if n_tasks <= _GRID:
        return list(range(2, n_tasks))
    grid = np.geomspace(2, n_tasks - 1, _GRID).round().astype(int)
    return [int(k) for k in np.unique(grid)]
