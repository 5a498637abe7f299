"""What one network learns, and what it is judged by."""

from dataclasses import dataclass

import numpy as np

from admet.data import Split
from admet.featurize import PackedGraphs
from admet.kinds import Kind
from admet.model.chemprop.plan import NetworkPlan


@dataclass(frozen=True, eq=False)
class Lesson:
    """The molecules and targets of one network's training, a column for each slot.

    A slot is an output of a head: a task in two groups has two. Every head learns all its tasks;
    only the head that serves a task is judged by it.

    Attributes:
        graphs: Graphs of n molecules.
        train: Rows with a target to learn, increasing.
        learnt: Their scaled targets, shape (n_train, S), NaN where absent.
        val: Rows with a target to be judged by, increasing.
        judged: Their scaled targets, shape (n_val, S), NaN where absent.
        learnt_limits: Which of `learnt` are limits, as in `Labels`; None where none is.
        judged_limits: Which of `judged` are limits; None where none is.
        kinds: S kinds.
        slots: S task names.
        name: Name of the network for the log.
        inputs: Extra inputs of the n molecules, shape (n, d), float32; None for none.
    """

    graphs: PackedGraphs
    train: np.ndarray
    learnt: np.ndarray
    val: np.ndarray
    judged: np.ndarray
    kinds: tuple[Kind, ...]
    slots: tuple[str, ...]
    name: str = "network"
    learnt_limits: np.ndarray | None = None
    judged_limits: np.ndarray | None = None
    inputs: np.ndarray | None = None

    @classmethod
    def of(
        cls,
        plan: NetworkPlan,
        graphs: PackedGraphs,
        targets: np.ndarray,
        kinds: tuple[Kind, ...],
        split: Split,
        name: str = "network",
        limits: np.ndarray | None = None,
        inputs: np.ndarray | None = None,
    ) -> "Lesson":
        """Takes what a network needs from the targets of its tasks.

        Args:
            plan: The network.
            graphs: Graphs of n molecules.
            targets: Scaled targets of its T tasks, shape (n, T), NaN where absent.
            kinds: Their T kinds.
            split: The molecules to learn from and to be judged by.
            name: Name of the network for the log.
            limits: Which targets are limits, shape (n, T), int8; None where none is.
            inputs: Extra inputs of the n molecules, shape (n, d), float32; None for none.
        """
        slots = plan.slots
        learnt = targets[:, slots]  # (n, S)
        judged = np.full_like(learnt, np.nan)
        for column in plan.served:
            judged[:, plan.serving[column]] = targets[:, column]
        train, val = (
            rows[~np.isnan(values[rows]).all(axis=1)]
            for rows, values in ((split.train, learnt), (split.val, judged))
        )
        learnt_limits = None if limits is None else limits[:, slots][train]
        judged_limits = None if limits is None else limits[:, slots][val]
        return cls(
            graphs,
            train,
            learnt[train],
            val,
            judged[val],
            tuple(kinds[column] for column in slots),
            tuple(plan.tasks[column] for column in slots),
            name,
            learnt_limits,
            judged_limits,
            inputs,
        )
