"""What a grouping is: groups, who serves whom, and whether it would come out the same again."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from admet.model.chemprop.plan import Group
from admet.model.chemprop.task_affinity import display
from admet.model.chemprop.task_affinity.groups.base import Choice
from admet.model.chemprop.task_affinity.groups.evidence import SURE
from admet.model.chemprop.task_affinity.groups.stability import agreement, co_assignment

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Grouping:
    """Groups of tasks, which may overlap.

    Attributes:
        names: The T tasks.
        groups: The groups; one of them serves each task.
        objective: Mean over tasks of their score in the group that serves them; NaN where a file
            does not say.
        bound: No choice of so many groups has a higher objective; NaN where it is not known.
        co_assignment: How often two tasks came to one group over draws of the affinity, shape
            (T, T); None where there were none.
        agreement: Mean adjusted Rand index of the groups of two draws: what two measurements with
            other seeds and molecules can be expected to have; NaN where there were no draws.
        chance: How often groups at least as distinct come out where all pairs are alike except for
            the noise; see `evidence`. NaN where it is not known.
    """

    names: tuple[str, ...]
    groups: tuple[Group, ...]
    objective: float = math.nan
    bound: float = math.nan
    co_assignment: np.ndarray | None = None
    agreement: float = math.nan
    chance: float = math.nan

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        choice: Choice,
        again: Sequence[np.ndarray] = (),
        chance: float = math.nan,
    ) -> "Grouping":
        """Names the tasks of a choice.

        Args:
            names: T names.
            choice: The groups.
            again: For each draw the group of each task, shape (T,); none where there were no draws,
                or where they cannot disagree.
            chance: How often chance gives groups as distinct.
        """
        groups = tuple(
            Group(
                tasks=tuple(names[i] for i in members),
                serves=tuple(names[i] for i in members if choice.serves[i] == index),
            )
            for index, members in enumerate(choice.groups)
        )
        return cls(
            tuple(names),
            groups,
            choice.objective,
            choice.bound,
            co_assignment(again) if again else None,
            agreement(again),
            chance,
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row per group and task of it; the columns are group, task, serves and stability."""
        return display.grouping_frame(self)

    def plot(self) -> "Figure":
        """Draws how often two tasks come to one group, which a notebook shows."""
        return display.grouping_plot(self)

    def _repr_html_(self) -> str:
        return display.grouping_html(self)

    @property
    def labels(self) -> np.ndarray:
        """The index of the group that serves each task, shape (T,), int64."""
        index = {name: i for i, group in enumerate(self.groups) for name in group.serves}
        return np.array([index[name] for name in self.names])

    @property
    def members(self) -> np.ndarray:
        """Which tasks each group holds, shape (G, T), bool."""
        return np.array([[name in group.tasks for name in self.names] for group in self.groups])

    @property
    def is_told_from_chance(self) -> bool:
        """Whether chance seldom gives groups as distinct; False where that is not known."""
        return self.chance <= SURE

    @property
    def stability(self) -> list[float]:
        """How often each group's tasks stayed together and apart from the others.

        The mean, over pairs of a task of the group and any other task, of how often the pair was
        grouped as here: 1 where every draw gave this group, NaN where there were no draws.
        """
        if self.co_assignment is None:
            return [math.nan for _ in self.groups]
        found = []
        for inside in self.members:
            same = self.co_assignment[inside]  # (n_members, T)
            agrees = np.where(inside, same, 1 - same)
            np.put_along_axis(agrees, np.flatnonzero(inside)[:, None], np.nan, axis=1)
            found.append(float(np.nanmean(agrees)) if agrees.size > 1 else 1.0)
        return found
