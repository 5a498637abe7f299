"""From a matrix to a grouping, without any state."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np

from admet.config.targets import check_n_groups
from admet.config.task_affinity import ClusteringMethod
from admet.errors import ConfigError
from admet.model.chemprop.task_affinity.groups.base import Method, Tasks
from admet.model.chemprop.task_affinity.groups.evidence import (
    LEAST_DRAWS,
    MOST_DRAWS,
    contrast,
    matrices_of_chance,
    share_of_chance,
)
from admet.model.chemprop.task_affinity.groups.grouping import Grouping
from admet.model.chemprop.task_affinity.groups.number import Number, choose_number
from admet.model.chemprop.task_affinity.groups.table import METHODS
from admet.model.chemprop.task_affinity.matrix import (
    check_matrix,
    drawn_unknown,
    fill_unknown,
    real_numbers,
)


def group(
    affinity_matrix: np.ndarray,
    names: Sequence[str],
    *,
    n_groups: int | Literal["auto"],
    method: ClusteringMethod,
    seed: int,
    singleton_score: float,
    draws: Iterable[np.ndarray] = (),
    n_labels: np.ndarray | None = None,
) -> Grouping:
    """Groups tasks by their affinity.

    A pair whose affinity is NaN counts as the mean of the known pairs, neither for nor against
    grouping; the log says so. In each draw it has the affinity of another pair, by chance.

    Args:
        affinity_matrix: Shape (T, T); [i, j] is the affinity of source i and target j.
        names: T names.
        n_groups: From 1 to T, or "auto"; see `number.choose_number`.
        method: A method of `METHODS`.
        seed: Seed of what is random in the method.
        singleton_score: Score of a task in a group of its own.
        draws: The matrix as other measurements might have given it, each of shape (T, T).
        n_labels: Labels of each task, shape (T,); None takes them to be equal.

    Returns:
        The groups, ordered by the first task that each serves.

    Raises:
        ConfigError: If a shape does not fit, or `n_groups` exceeds T.
    """
    matrix = check_matrix(affinity_matrix, names)
    check_n_groups(n_groups, len(names))
    counts = _counts(n_labels, len(names))

    def at_work(affinity: np.ndarray) -> Method:
        return METHODS[method](Tasks(affinity, counts, singleton_score, seed))

    filled = fill_unknown(matrix)
    own = at_work(filled)
    rng = np.random.default_rng(seed)
    others = [drawn_unknown(check_matrix(draw, names), rng) for draw in draws]
    drawn = [at_work(other) for other in others]
    number = choose_number(own, drawn) if n_groups == "auto" else Number.given(int(n_groups))
    choice = own.choose(number.n_groups)
    if _is_forced(n_groups, len(names), own):
        return Grouping.of(names, choice)
    again = [draw.repeat(number.of_draw(draw)) for draw in drawn]
    some = others[: LEAST_DRAWS if own.overlaps else MOST_DRAWS]  # overlap takes a long search
    chance = [
        (work.tasks.symmetric, work.repeat(number.of_draw(work)))
        for work in map(at_work, matrices_of_chance(filled, some))
    ]
    observed = contrast(own.tasks.symmetric, np.array(choice.serves))
    return Grouping.of(names, choice, again, share_of_chance(observed, chance))


def _is_forced(n_groups: int | Literal["auto"], n_tasks: int, method: Method) -> bool:
    """Tells whether there is only one grouping, or one pair: then draws cannot disagree."""
    whole = n_groups == 1 or (n_groups == n_tasks and not method.overlaps)
    return whole or n_tasks <= 2


def _counts(n_labels: Any, n_tasks: int) -> np.ndarray:
    """Gives the numbers of labels, shape (T,), float64.

    Raises:
        ConfigError: If they are not T numbers from 0.
    """
    counts = np.ones(n_tasks) if n_labels is None else real_numbers(n_labels, "n_labels")
    if counts.shape != (n_tasks,):
        raise ConfigError(
            f"`n_labels` must hold a number for each of the {n_tasks} tasks; got shape "
            f"{counts.shape}."
        )
    if not (counts >= 0).all() or np.isinf(counts).any():
        raise ConfigError(f"`n_labels` must hold numbers ≥ 0; got {counts.tolist()}.")
    return counts
