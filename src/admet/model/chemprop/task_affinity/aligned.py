"""The estimator whose heads are fitted, not random.

The product of two tasks' encoder gradients holds the product of their heads' output weights; with
random heads its expectation is zero, and its sign and size belong to the seed. Here each task's
head is the best one for the encoder as it is, so that the gradient says in which direction the task
itself would move the encoder.
"""

import logging
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from admet.config import FFNConfig, ModelConfig, TaskAffinityConfig
from admet.errors import NumericalError
from admet.featurize import Batcher
from admet.featurize.arrays import stack
from admet.model.chemprop.batches import LabelledBatch
from admet.model.chemprop.encoder import Product
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate, AffinityProblem
from admet.model.chemprop.task_affinity.heads_fit import fit_heads
from admet.model.chemprop.task_affinity.parameters import select_within_encoder
from admet.model.chemprop.task_affinity.sums import ResampledSums
from admet.model.chemprop.task_affinity.task_gradients import TaskBlocks, task_gradients

log = logging.getLogger(__name__)


class AlignedAffinity:
    """Compares the encoder gradients of tasks whose heads point where they will point.

    For `affinity_runs` initialisations of a narrow proxy network, after every one of
    `affinity_epochs` epochs of joint training, each task's linear head w is fitted in closed form
    to the embeddings of up to `affinity_max_labels` of its molecules. What is differentiated by the
    encoder is how far this head's outputs Z w go along with the centred labels y, the sum of
    y · Z w: the gradient of a squared error or cross-entropy whose head points along w but is still
    small, as at the start of a training. Each such look is a step of `GradientSums`.

    The residual of the fitted head in place of y would give the gradient of the profiled loss
    itself. It compares only what the heads could not explain, mostly noise, and loses what two
    simple tasks share.

    The doubt comes from both of its sources: other molecules, by leaving out each of `FOLDS` folds
    of them (the delete-a-group jackknife), and other initial weights, by the spread of the runs.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol."""
        proxy = AffinityProblem(
            problem.graphs,
            problem.targets,
            problem.kinds,
            _narrow(problem.model, config.affinity_hidden_size),
            problem.device,
        )
        sequence = np.random.SeedSequence(config.seed)
        order_seed, *weight_seeds = sequence.generate_state(config.affinity_runs + 1).tolist()
        networks = []
        for seed in weight_seeds:
            torch.manual_seed(seed)
            networks.append(proxy.network())
        molecules = _Molecules(proxy, config, order_seed)
        sums = ResampledSums(problem.n_tasks, problem.device, FOLDS, config.affinity_runs)
        optimizers = [
            torch.optim.Adam(network.parameters(), lr=config.affinity_lr, fused=True)
            for network in networks
        ]
        # The networks differ in their weights only and share the order of the batches, so that each
        # batch is cut once.
        batches = proxy.batches(networks[0], config.affinity_batch_size, order_seed)
        loss = proxy.loss()
        for epoch in range(config.affinity_epochs):
            for network in networks:
                network.train()
            for batch in batches:
                for network, optimizer in zip(networks, optimizers, strict=True):
                    _step(network, optimizer, loss, batch)
            for run, network in enumerate(networks):
                if molecules.tasks:
                    G = molecules.look(network, config.encoder_param_patterns)
                    sums.add(G, molecules.tasks, run)
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)
        return sums.result(config, problem.targets)


def _step(
    network: GroupedNetwork, optimizer: torch.optim.Optimizer, loss: TaskLoss, batch: LabelledBatch
) -> None:
    """Takes a step along the mean of the tasks' losses: tasks weigh alike."""
    losses = loss.per_task(network(batch.graphs), batch.targets, batch.mask)  # (T,)
    mean: Tensor = losses.sum() / batch.mask.any(dim=0).sum().clamp(min=1)
    optimizer.zero_grad()
    mean.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


FOLDS = 5
"""Parts of the molecules, each left out once."""

_BLOCK = 2_048  # molecules differentiated at once: more would leave the cache, and memory grow


class _Molecules:
    """The labelled molecules of each task, cut once for all looks at all networks."""

    def __init__(self, problem: AffinityProblem, config: TaskAffinityConfig, seed: int) -> None:
        shape = problem.model.message_passing
        unfolding = problem.graphs.unfold(shape.depth, shape.undirected)
        batcher = replace(unfolding, multiple=1)  # many small parts, cut once: rounding is a waste
        # One order and one fold for all tasks, so that those measured on the same molecules are
        # compared there, and a molecule is left out of all of them at once.
        order = np.random.default_rng(seed).permutation(len(problem.targets))
        self.fold = np.empty(len(order), dtype=np.int64)
        self.fold[order] = np.arange(len(order)) % FOLDS
        self.binary: list[list[bool]] = []
        self.tasks: list[int] = []
        self.blocks: list[tuple[TaskBlocks, Tensor]] = []
        waiting: list[tuple[int, np.ndarray]] = []
        for task in range(problem.n_tasks):
            labelled = order[~np.isnan(problem.targets[order, task])]
            rows = labelled[: config.affinity_max_labels]
            rows = rows[np.argsort(self.fold[rows], kind="stable")]
            if len(rows) < 2:
                continue
            if sum(len(r) for _, r in waiting) + len(rows) > _BLOCK and waiting:
                self._close(problem, batcher, waiting)
            waiting.append((task, rows))
        if waiting:
            self._close(problem, batcher, waiting)

    def _close(
        self, problem: AffinityProblem, batcher: Batcher, waiting: list[tuple[int, np.ndarray]]
    ) -> None:
        """Makes a block of the tasks that wait, each fold of a task in rows of its own."""
        parts = [rows[self.fold[rows] == fold] for _, rows in waiting for fold in range(FOLDS)]
        stacked = stack([batcher.batch(rows, backward=True) for rows in parts])
        targets = np.concatenate([problem.targets[rows, task] for task, rows in waiting])
        graphs = GraphBatch.of(stacked.arrays).to(problem.device)
        y = torch.from_numpy(targets.astype(np.float32)).to(problem.device)
        self.blocks.append((TaskBlocks(graphs, stacked), y))
        self.tasks += [task for task, _ in waiting]
        self.binary.append([problem.kinds[task] == "binary" for task, _ in waiting])
        waiting.clear()

    def look(self, network: GroupedNetwork, patterns: list[str]) -> Tensor:
        """Takes the gradients of all tasks at a network as it is.

        Returns:
            Each fold's part of each task's gradient, shape (n_tasks, FOLDS, n_parameters).
        """
        parameters = select_within_encoder(network, patterns)
        network.eval()  # no dropout while looking
        found = []
        for (blocks, y), binary in zip(self.blocks, self.binary, strict=True):
            tape: list[Product] = []
            Z = network.encoder(blocks.graphs, tape)  # (n, d_h)
            if not torch.isfinite(Z).all():
                raise NumericalError(
                    "An embedding became NaN or infinite in the affinity phase. Lower affinity_lr, "
                    "or look for extreme target values."
                )
            starts = blocks.molecules[::FOLDS]  # of the tasks; the folds of one stand together
            W, centred = fit_heads(Z, y, starts, binary)  # (T, d_h), (n,)
            n = torch.from_numpy(np.diff(starts)).to(Z.device)  # (T,)
            per_molecule = torch.repeat_interleave(W / n.unsqueeze(1), n, dim=0)  # (n, d_h)
            direction = -centred.unsqueeze(1) * per_molecule  # (n, d_h)
            G = task_gradients(network.encoder, parameters, blocks, Z, tape, direction)
            found.append(G.view(len(n), FOLDS, -1))
        return torch.cat(found)


def _narrow(model: ModelConfig, width: int) -> ModelConfig:
    """Gives the shape of the proxy: as the model, but narrow, and with a linear-depth head."""
    message_passing = model.message_passing
    narrow = message_passing.model_copy(
        update={"hidden_size": min(width, message_passing.hidden_size), "dropout": 0.0}
    )
    ffn = FFNConfig(num_layers=1, hidden_size=narrow.hidden_size)
    return model.model_copy(update={"message_passing": narrow, "ffn": ffn})
