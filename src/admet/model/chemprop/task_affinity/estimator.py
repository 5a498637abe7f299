"""What every affinity estimator takes and gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch

from admet.config import ModelConfig, TaskAffinityConfig
from admet.featurize import PackedGraphs
from admet.model.chemprop.batches import BatchLoader, LabelledBatch
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.network import GroupedNetwork


@dataclass(frozen=True)
class AffinityProblem:
    """The labelled molecules whose tasks are to be compared, and the network to compare them on.

    Attributes:
        graphs: Graphs of n molecules.
        targets: Scaled targets, shape (n, T), NaN where absent.
        kinds: T kinds.
        model: Shape of the network.
        device: Where to compute.
    """

    graphs: PackedGraphs
    targets: np.ndarray
    kinds: tuple[str, ...]
    model: ModelConfig
    device: torch.device

    @property
    def n_tasks(self) -> int:
        """Number of tasks."""
        return int(self.targets.shape[1])

    def network(self) -> GroupedNetwork:
        """Makes a network with one head for all tasks, its weights from torch's random state."""
        groups = [list(range(self.n_tasks))]
        network = GroupedNetwork(self.model, groups, self.graphs.d_v, self.graphs.d_e)
        return network.to(self.device)

    def loss(self) -> TaskLoss:
        """Makes the loss of the tasks."""
        return TaskLoss(self.kinds).to(self.device)

    def batches(self, network: GroupedNetwork, batch_size: int, seed: int) -> "Batches":
        """Gives batches for training, in a new order at every pass."""
        loader = BatchLoader(
            network.batcher(self.graphs, training=True),
            np.arange(len(self.graphs)),
            self.targets,
            batch_size,
            shuffle=True,
            seed=seed,
            backward=True,
            pin_memory=self.device.type == "cuda",
        )
        return Batches(loader, self.device)


@dataclass(frozen=True)
class Batches:
    """A loader whose batches come on a device."""

    loader: BatchLoader
    device: torch.device

    def __iter__(self) -> Iterator[LabelledBatch]:
        for batch in self.loader:
            yield batch.to(self.device, non_blocking=True)


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
    """Measures the affinity of the tasks of a problem."""

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it.

        Args:
            problem: The labelled molecules and the network.
            config: The `task_affinity` section; its seed has been set for torch already.

        Returns:
            The estimate.

        Raises:
            NoGradientStepsError: If there was no label to learn from.
        """
        ...
