"""What every affinity estimator takes and gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from torch import nn

from admet.config import TaskAffinityConfig
from admet.model.chemprop.batches import LabelledBatch
from admet.model.chemprop.losses import TaskLoss


@dataclass(frozen=True)
class AffinityEstimate:
    """An affinity matrix and what it rests on.

    Attributes:
        matrix: Shape (T, T), float64; [i, j] is the affinity of i and j, NaN where unknown.
        pair_steps: Shape (T, T), int64; steps in which both tasks had labels.
        n_steps: Steps in all.
    """

    matrix: np.ndarray
    pair_steps: np.ndarray
    n_steps: int


class AffinityEstimator(Protocol):
    """Measures the affinity of the tasks of a network on batches of labelled molecules."""

    def estimate(
        self,
        network: nn.Module,
        batches: Iterable[LabelledBatch],
        loss: TaskLoss,
        config: TaskAffinityConfig,
    ) -> AffinityEstimate:
        """Measures it.

        Args:
            network: Maps `batch.graphs` to outputs of shape (b, T); it may be trained in place.
            batches: Can be iterated over once an epoch.
            loss: The loss of each task.
            config: The `task_affinity` section.

        Returns:
            The estimate.

        Raises:
            NoGradientStepsError: If no batch held a label.
        """
        ...
