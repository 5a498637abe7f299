"""What every method of grouping takes and gives."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np


@dataclass(frozen=True, eq=False)
class Tasks:
    """T tasks as a method sees them.

    Attributes:
        affinity: Shape (T, T), without NaN; [i, j] is what training on i does to j.
        n_labels: Labels of each task, shape (T,).
        singleton_score: Score of a task in a group of its own.
        seed: Seed of what is random.
    """

    affinity: np.ndarray
    n_labels: np.ndarray
    singleton_score: float
    seed: int

    def __len__(self) -> int:
        return len(self.affinity)

    @cached_property
    def symmetric(self) -> np.ndarray:
        """The mean of the affinity and its transpose, shape (T, T)."""
        return np.asarray((self.affinity + self.affinity.T) / 2)


@dataclass(frozen=True)
class Choice:
    """Chosen groups.

    Attributes:
        groups: Tasks of each group, increasing; each group serves one task at least.
        serves: For each of T tasks the index of its group.
        objective: Mean over tasks of the score in the group that serves them.
        bound: No choice of so many groups has a higher objective than this. It is the objective
            itself where the search was exact, NaN from a method that seeks something else.
    """

    groups: list[list[int]]
    serves: list[int]
    objective: float
    bound: float = math.nan


class Method(ABC):
    """A method of grouping, at work on one measurement.

    Attributes:
        overlaps: Whether a task may be in several groups.
    """

    overlaps: ClassVar[bool] = False

    def __init__(self, tasks: Tasks) -> None:
        self.tasks = tasks

    @abstractmethod
    def cut(self, n_groups: int) -> np.ndarray:
        """Gives the group of each task, shape (T,), for a number of groups between 1 and T."""

    def labels(self, n_groups: int) -> np.ndarray:
        """Gives the group of each task, shape (T,), for any number of groups from 1 to T."""
        n_tasks = len(self.tasks)
        if n_groups == 1:
            return np.zeros(n_tasks, dtype=int)
        return np.arange(n_tasks) if n_groups == n_tasks else self.cut(n_groups)

    def number(self) -> int | None:
        """Gives the number of groups that the method finds best; None where it does not say."""
        return None

    def choose(self, n_groups: int) -> Choice:
        """Chooses groups, ordered by their first task."""
        order: dict[int, int] = {}
        serves = [order.setdefault(k, len(order)) for k in self.labels(n_groups).tolist()]
        members = np.arange(len(order))[:, None] == serves  # (G, T)
        tasks = self.tasks
        scores = group_scores(tasks.affinity, members, tasks.singleton_score)
        groups = [np.flatnonzero(row).tolist() for row in members]
        return Choice(groups, serves, float(scores.max(axis=0).mean()))

    def repeat(self, n_groups: int | None) -> np.ndarray:
        """Gives the group that serves each task, shape (T,), quickly, as for one of many draws.

        Args:
            n_groups: Number of groups; None leaves it to a method that knows a best one.
        """
        assert n_groups is not None  # noqa: S101 - whoever gives no number overrides this
        return self.labels(n_groups)

    @classmethod
    def n_draws(cls, n_tasks: int) -> int:
        """Gives how many draws are grouped: fewer where a grouping takes long."""
        return 60 if n_tasks <= 50 else 20


def group_scores(affinity: np.ndarray, members: np.ndarray, singleton_score: float) -> np.ndarray:
    """Scores every task in every group, shape (G, T), −∞ where it is not in it."""
    off = affinity.copy()
    np.fill_diagonal(off, 0.0)
    others = members.sum(axis=1, keepdims=True) - 1  # (G, 1), for a task that is in the group
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (members @ off) / others
    scores = np.where(others > 0, mean, singleton_score)
    return np.asarray(np.where(members, scores, -np.inf))
