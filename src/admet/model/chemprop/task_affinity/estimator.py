"""What every affinity estimator takes and gives."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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

    def without_dropout(self) -> "AffinityProblem":
        """Gives the problem on a network without dropout, so that only a step changes a loss."""
        shape = self.model.message_passing.model_copy(update={"dropout": 0.0})
        ffn = self.model.ffn.model_copy(update={"dropout": 0.0})
        model = self.model.model_copy(update={"message_passing": shape, "ffn": ffn})
        return replace(self, model=model)

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
class Doubt:
    """How far an affinity can be trusted.

    Attributes:
        low: Lower ends of the 95 % intervals, shape (T, T).
        high: Upper ends, shape (T, T).
        n_common: Molecules with labels of both tasks, shape (T, T); of the task on the diagonal.
        reliability: Share of each task's squared gradient that other molecules would show too,
            shape (T,), from 0 to 1; NaN for a task without gradient.
        resamples: The matrix again, without a part of the molecules or from a single run, shape
            (S, T, T).
    """

    low: np.ndarray
    high: np.ndarray
    n_common: np.ndarray
    reliability: np.ndarray
    resamples: np.ndarray

    def too_few_labels(self) -> np.ndarray:
        """Tells which tasks have too few labels to say: half of their gradient is noise."""
        return ~(self.reliability >= 0.5)


@dataclass(frozen=True)
class AffinityEstimate:
    """An affinity matrix and what it rests on.

    Attributes:
        matrix: Shape (T, T), float64; [i, j] is the affinity of i and j, NaN where unknown.
        pair_steps: Shape (T, T), int64; steps in which both tasks had labels.
        n_steps: Steps in all.
        doubt: How far it can be trusted; None from an estimator that does not say.
    """

    matrix: np.ndarray
    pair_steps: np.ndarray
    n_steps: int
    doubt: Doubt | None = None


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
