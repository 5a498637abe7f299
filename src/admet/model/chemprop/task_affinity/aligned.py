"""The estimator whose heads are fitted, not random.

The product of two tasks' encoder gradients holds the product of their heads' output weights; with
random heads its expectation is zero, and its sign and size belong to the seed. Here each task's
head is the best one for the encoder as it is, so that the gradient says in which direction the task
itself would move the encoder.
"""

import logging

import numpy as np
import torch
from torch import Tensor

from admet.config import FFNConfig, ModelConfig, TaskAffinityConfig
from admet.featurize import Batcher
from admet.featurize.arrays import stack
from admet.model.chemprop.batches import LabelledBatch
from admet.model.chemprop.encoder import Product
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate, AffinityProblem
from admet.model.chemprop.task_affinity.heads_fit import fit_heads
from admet.model.chemprop.task_affinity.parameters import select_encoder_parameters
from admet.model.chemprop.task_affinity.sums import GradientSums
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
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol."""
        sums = GradientSums(problem.n_tasks, problem.device)
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
        molecules = _Molecules(proxy, networks[0].batcher(proxy.graphs), config, order_seed)
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
            for network in networks:
                molecules.look(network, config.encoder_param_patterns, sums)
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)
        return sums.result(config)


def _step(
    network: GroupedNetwork, optimizer: torch.optim.Optimizer, loss: TaskLoss, batch: LabelledBatch
) -> None:
    """Takes a step along the mean of the tasks' losses: tasks weigh alike."""
    losses = loss.per_task(network(batch.graphs), batch.targets, batch.mask)  # (T,)
    mean: Tensor = losses.sum() / batch.mask.any(dim=0).sum().clamp(min=1)
    optimizer.zero_grad()
    mean.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


_BLOCK = 2_048  # molecules differentiated at once: more would leave the cache, and memory grow


class _Molecules:
    """The labelled molecules of each task, cut once for all looks at all networks."""

    def __init__(
        self, problem: AffinityProblem, batcher: Batcher, config: TaskAffinityConfig, seed: int
    ) -> None:
        # One order for all tasks, so that those measured on the same molecules are compared there.
        order = np.random.default_rng(seed).permutation(len(problem.targets))
        self.binary: list[list[bool]] = []
        self.tasks: list[int] = []
        self.blocks: list[tuple[TaskBlocks, Tensor]] = []
        waiting: list[tuple[int, np.ndarray]] = []
        for task in range(problem.n_tasks):
            labelled = order[~np.isnan(problem.targets[order, task])]
            rows = np.sort(labelled[: config.affinity_max_labels])
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
        """Makes a block of the tasks that wait."""
        stacked = stack([batcher.batch(rows, backward=True) for _, rows in waiting])
        targets = np.concatenate([problem.targets[rows, task] for task, rows in waiting])
        graphs = GraphBatch.of(stacked.arrays).to(problem.device)
        y = torch.from_numpy(targets.astype(np.float32)).to(problem.device)
        self.blocks.append((TaskBlocks(graphs, stacked), y))
        self.tasks += [task for task, _ in waiting]
        self.binary.append([problem.kinds[task] == "binary" for task, _ in waiting])
        waiting.clear()

    def look(self, network: GroupedNetwork, patterns: list[str], sums: GradientSums) -> None:
        """Adds the tasks' gradients at a network as it is."""
        if not self.tasks:
            return
        parameters = list(select_encoder_parameters(network, patterns).values())
        network.eval()  # no dropout while looking
        rows = []
        for (blocks, y), binary in zip(self.blocks, self.binary, strict=True):
            tape: list[Product] = []
            Z = network.encoder(blocks.graphs, tape)  # (n, d_h)
            W, centred = fit_heads(Z, y, blocks.molecules, binary)  # (T, d_h), (n,)
            n = torch.from_numpy(np.diff(blocks.molecules)).to(Z.device)  # (T,)
            per_molecule = torch.repeat_interleave(W / n.unsqueeze(1), n, dim=0)  # (n, d_h)
            direction = -centred.unsqueeze(1) * per_molecule  # (n, d_h)
            rows.append(task_gradients(network.encoder, parameters, blocks, Z, tape, direction))
        sums.add(torch.cat(rows), self.tasks)


def _narrow(model: ModelConfig, width: int) -> ModelConfig:
    """Gives the shape of the proxy: as the model, but narrow, and with a linear-depth head."""
    message_passing = model.message_passing
    narrow = message_passing.model_copy(
        update={"hidden_size": min(width, message_passing.hidden_size), "dropout": 0.0}
    )
    ffn = FFNConfig(num_layers=1, hidden_size=narrow.hidden_size)
    return model.model_copy(update={"message_passing": narrow, "ffn": ffn})
