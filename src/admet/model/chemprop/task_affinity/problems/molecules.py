"""The problem of a panel: packed graphs and the project's own network."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor, nn

from admet.config import FFNConfig, NetworkConfig
from admet.data import Panel
from admet.data.scales import decided
from admet.errors import NumericalError
from admet.featurize import Batcher, PackedGraphs, unfold
from admet.featurize.arrays import stack
from admet.kinds import Kind
from admet.model.chemprop.batches import BatchLoader
from admet.model.chemprop.encoder import Product
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.plan import NetworkPlan
from admet.model.chemprop.scaling import TargetScaler
from admet.model.chemprop.task_affinity.problems.base import FOLDS, Batch, count_common
from admet.model.chemprop.task_affinity.problems.directions import (
    Directions,
    Reduction,
)
from admet.model.chemprop.task_affinity.problems.looks import Looks
from admet.model.chemprop.task_affinity.problems.parameters import select_within_encoder
from admet.model.chemprop.task_affinity.problems.task_gradients import TaskBlocks, task_gradients

NOT_FINITE = (
    "An embedding became NaN or infinite in the affinity phase. Lower affinity_lr, or look for "
    "extreme target values."
)


@dataclass(frozen=True)
class MoleculeProblem:
    """The labelled molecules whose tasks are to be compared, and the network to compare them on.

    Attributes:
        graphs: Graphs of n molecules.
        targets: Scaled targets, shape (n, T), NaN where absent.
        kinds: T kinds.
        model: Shape of the network.
        device: Where to compute.
        limits: Which targets are limits, shape (n, T), int8, as in `Labels`; None where none is.
        panel: The molecules and their labels as they are; None where they are not known.
        cache: Folder that keeps what is computed of the molecules; None keeps nothing.
    """

    graphs: PackedGraphs
    targets: np.ndarray
    kinds: tuple[Kind, ...]
    model: NetworkConfig
    device: torch.device
    encoder: str = "encoder"
    limits: np.ndarray | None = None
    panel: Panel | None = None
    cache: Path | None = None

    @property
    def expected(self) -> np.ndarray:
        """The targets for a head in closed form, shape (n, T); a limit is replaced by a mean.

        That is the mean of a standard normal distribution beyond the limit, since scaled targets of
        a task have about mean 0 and variance 1 (the inverse Mills ratio; Tobin, Econometrica 1958,
        26, 24).
        """
        if self.limits is None:
            return self.targets
        at = self.targets * self.limits  # "above l" and "below −l" are mirror images
        with np.errstate(invalid="ignore"):
            beyond = np.exp(norm.logpdf(at) - norm.logsf(at))
        return np.where(self.limits == 0, self.targets, self.limits * beyond)

    @classmethod
    def of(
        cls,
        panel: Panel,
        graphs: PackedGraphs,
        model: NetworkConfig,
        device: torch.device,
        cache: Path | None = None,
    ) -> "MoleculeProblem":
        """Takes all molecules of a panel, its targets on a common scale.

        Args:
            panel: The panel.
            graphs: Its graphs.
            model: Shape of the network.
            device: Where to compute.
            cache: Folder that keeps what is computed of the molecules; None keeps nothing.
        """
        panel = decided(panel, np.arange(len(panel)))
        labels = panel.labels
        scaler = TargetScaler.fit(labels.values, panel.kinds, panel.transforms)
        targets = scaler.scale_labels(labels.values)
        return cls(
            graphs,
            targets,
            panel.kinds,
            model,
            device,
            limits=labels.limits,
            panel=panel,
            cache=cache,
        )

    def n_common(self) -> np.ndarray:
        """Counts the molecules with labels of both tasks, shape (T, T)."""
        return count_common(~np.isnan(self.targets))

    def network(self) -> GroupedNetwork:
        """Makes a network with one head for all tasks, its weights from torch's random state."""
        plan = NetworkPlan.together([str(column) for column in range(len(self.kinds))])
        network = GroupedNetwork(self.model, plan, self.graphs.d_v, self.graphs.d_e)
        return network.to(self.device)

    def batches(self, network: nn.Module, batch_size: int, seed: int) -> "_Batches":
        """Gives batches for training, in a new order at every pass."""
        loader = BatchLoader(
            cast(GroupedNetwork, network).batcher(self.graphs, training=True),
            np.arange(len(self.graphs)),
            self.targets,
            batch_size,
            limits=self.limits,
            shuffle=True,
            seed=seed,
            backward=True,
            pin_memory=self.device.type == "cuda",
        )
        return _Batches(loader, self.device)

    def labelled(self, max_labels: int, seed: int) -> "LabelledMolecules":
        """Picks up to so many labelled molecules of each task."""
        return LabelledMolecules(self, max_labels, seed)

    def narrow(self, width: int) -> "MoleculeProblem":
        """Gives the problem on a narrow network without dropout, with a head of one hidden layer.

        The rest of its shape is that of the model.
        """
        message_passing = self.model.message_passing
        narrow = message_passing.model_copy(
            update={"hidden_size": min(width, message_passing.hidden_size), "dropout": 0.0}
        )
        ffn = FFNConfig(num_layers=1, hidden_size=narrow.hidden_size)
        model = self.model.model_copy(update={"message_passing": narrow, "ffn": ffn})
        return replace(self, model=model)

    def without_dropout(self) -> "MoleculeProblem":
        """Gives the problem on a network without dropout, so that only a step changes a loss."""
        shape = self.model.message_passing.model_copy(update={"dropout": 0.0})
        ffn = self.model.ffn.model_copy(update={"dropout": 0.0})
        model = self.model.model_copy(update={"message_passing": shape, "ffn": ffn})
        return replace(self, model=model)


@dataclass(frozen=True)
class _Batches:
    """A loader whose batches come on a device."""

    loader: BatchLoader
    device: torch.device

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.loader:
            moved = batch.to(self.device, non_blocking=True)
            yield Batch(moved.graphs, moved.targets, moved.mask, moved.limits)

    def __len__(self) -> int:
        return len(self.loader)


_BLOCK = 2_048  # molecules differentiated at once: more exceed the cache and take more memory


class LabelledMolecules(Looks):
    """The labelled molecules of each task, cut once for all looks at all networks."""

    def __init__(self, problem: MoleculeProblem, max_labels: int, seed: int) -> None:
        """Cuts them.

        Args:
            problem: The problem.
            max_labels: Labels of a task to take at most.
            seed: Seed of the choice and of the folds.
        """
        shape = problem.model.message_passing
        unfolding = unfold(problem.graphs, shape.depth, shape.undirected)
        batcher = replace(unfolding, multiple=1)  # many small parts, cut once: rounding is a waste
        # All tasks share one order and one division into folds, so that tasks measured on the same
        # molecules are compared on these, and a molecule is left out of all of them at once.
        order = np.random.default_rng(seed).permutation(len(problem.targets))
        self._fold = np.empty(len(order), dtype=np.int64)
        self._fold[order] = np.arange(len(order)) % FOLDS
        self._kinds: list[list[Kind]] = []
        self._blocks: list[tuple[TaskBlocks, Tensor]] = []
        self.tasks: list[int] = []
        waiting: list[tuple[int, np.ndarray]] = []
        self._expected = problem.expected
        for task in range(len(problem.kinds)):
            labelled = order[~np.isnan(problem.targets[order, task])]
            rows = labelled[:max_labels]
            rows = rows[np.argsort(self._fold[rows], kind="stable")]
            if len(rows) < 2:
                continue
            if sum(len(r) for _, r in waiting) + len(rows) > _BLOCK and waiting:
                self._close(problem, batcher, waiting)
            waiting.append((task, rows))
        if waiting:
            self._close(problem, batcher, waiting)

    def _close(
        self, problem: MoleculeProblem, batcher: Batcher, waiting: list[tuple[int, np.ndarray]]
    ) -> None:
        """Makes a block of the tasks that wait, each fold of a task in rows of its own."""
        parts = [rows[self._fold[rows] == fold] for _, rows in waiting for fold in range(FOLDS)]
        stacked = stack([batcher.batch(rows, backward=True) for rows in parts])
        targets = np.concatenate([self._expected[rows, task] for task, rows in waiting])
        graphs = GraphBatch.of(stacked.arrays).to(problem.device)
        y = torch.from_numpy(targets.astype(np.float32)).to(problem.device)
        self._blocks.append((TaskBlocks(graphs, stacked), y))
        self.tasks += [task for task, _ in waiting]
        self._kinds.append([problem.kinds[task] for task, _ in waiting])
        waiting.clear()

    def _looks(
        self,
        network: nn.Module,
        patterns: list[str],
        directions: Directions,
        reduction: Reduction,
    ) -> list[Tensor]:
        """Gives what is kept of the gradients of each set of directions, (n_tasks, …)."""
        encoder = cast(GroupedNetwork, network).encoder
        parameters = select_within_encoder(network, patterns)
        network.eval()  # no dropout while looking
        found: list[list[Tensor]] = []
        for (blocks, y), kinds in zip(self._blocks, self._kinds, strict=True):
            bounds = blocks.molecules  # of the folds of one task after the other
            fold = np.repeat(np.arange(len(bounds) - 1) % FOLDS, np.diff(bounds))
            starts = bounds[::FOLDS]
            own: list[Tensor] = []
            tape: list[Product] = []
            Z = encoder(blocks.graphs, tape)  # (n, d_h)
            if not torch.isfinite(Z).all():
                raise NumericalError(NOT_FINITE)
            for place, direction in enumerate(directions(Z, y, starts, fold, kinds)):
                G = task_gradients(encoder, parameters, blocks, Z, tape, direction)
                own += reduction(place, G.view(len(starts) - 1, FOLDS, -1))
            found.append(own)
        return [torch.cat(parts) for parts in zip(*found, strict=True)]
