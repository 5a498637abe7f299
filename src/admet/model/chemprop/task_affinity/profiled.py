"""The estimator whose heads are fitted, not random.

The product of two tasks' encoder gradients holds the product of their heads' output weights; with
random heads its expectation is zero, and its sign and size belong to the seed. Here each task's head
is the best one for the encoder as it is, so that the gradient says in which direction the task
itself would move the encoder.
"""

import logging

import numpy as np
import torch
from torch import Tensor, nn

from admet.config import FFNConfig, ModelConfig, TaskAffinityConfig
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.network import GroupedNetwork
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate, AffinityProblem
from admet.model.chemprop.task_affinity.heads_fit import fit_head
from admet.model.chemprop.task_affinity.parameters import select_encoder_parameters
from admet.model.chemprop.task_affinity.sums import GradientSums

log = logging.getLogger(__name__)


class ProfiledAffinity:
    """Compares the encoder gradients of losses whose heads are profiled out.

    For `affinity_runs` initialisations of a narrow proxy network, at its start and after every one
    of `affinity_epochs` epochs of joint training, each task's linear head is fitted in closed form
    to the embeddings of up to `affinity_max_labels` of its molecules, and the loss at that head is
    differentiated by the encoder; by the envelope theorem the head's own dependence on the encoder
    does not enter. Each such look is a step of `GradientSums`.
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
        seeds = np.random.SeedSequence(config.seed).spawn(config.affinity_runs)
        for run, sequence in enumerate(seeds):
            order_seed, weight_seed, shuffle_seed = sequence.generate_state(3)
            torch.manual_seed(int(weight_seed))
            network = proxy.network()
            looks = _Looks(proxy, network, config, np.random.default_rng(order_seed))
            looks.add_to(sums)
            batches = proxy.batches(network, config.affinity_batch_size, int(shuffle_seed))
            loss = proxy.loss()
            optimizer = torch.optim.Adam(network.parameters(), lr=config.affinity_lr, fused=True)
            for _ in range(config.affinity_epochs):
                network.train()
                for batch in batches:
                    losses = loss.per_task(network(batch.graphs), batch.targets, batch.mask)
                    present = batch.mask.any(dim=0)
                    optimizer.zero_grad()
                    (losses.sum() / present.sum().clamp(min=1)).backward()
                    optimizer.step()
                looks.add_to(sums)
            log.info("Affinity run %d of %d", run + 1, config.affinity_runs)
        return sums.result(config)


class _Looks:
    """The labelled molecules of each task, cut once for all looks at one network."""

    def __init__(
        self,
        problem: AffinityProblem,
        network: GroupedNetwork,
        config: TaskAffinityConfig,
        rng: np.random.Generator,
    ) -> None:
        self.network = network
        self.kinds = problem.kinds
        encoder = select_encoder_parameters(network, config.encoder_param_patterns)
        self.parameters: list[nn.Parameter] = list(encoder.values())
        self.tasks: list[int] = []
        self.parts: list[tuple[GraphBatch, Tensor]] = []
        batcher = network.batcher(problem.graphs)
        # One order for all tasks, so that those measured on the same molecules are compared there.
        order = rng.permutation(len(problem.targets))
        for task in range(problem.n_tasks):
            labelled = order[~np.isnan(problem.targets[order, task])]
            rows = np.sort(labelled[: config.affinity_max_labels])
            if len(rows) < 2:
                continue
            arrays = batcher.batch(rows, backward=True)
            targets = torch.from_numpy(problem.targets[rows, task].astype(np.float32))
            self.tasks.append(task)
            self.parts.append(
                (GraphBatch.of(arrays).to(problem.device), targets.to(problem.device))
            )

    def add_to(self, sums: GradientSums) -> None:
        """Adds the tasks' gradients at the network as it is."""
        if not self.tasks:
            return
        self.network.eval()  # no dropout while looking
        rows = []
        for task, (graphs, targets) in zip(self.tasks, self.parts, strict=True):
            Z = self.network.encoder(graphs)  # (n, d_h)
            w, error = fit_head(Z, targets, binary=self.kinds[task] == "binary")
            direction = torch.outer(error, w) / len(error)  # (n, d_h)
            parts = torch.autograd.grad(Z, self.parameters, direction, allow_unused=True)
            rows.append(
                torch.cat(
                    [
                        torch.zeros_like(p).flatten() if g is None else g.flatten()
                        for g, p in zip(parts, self.parameters, strict=True)
                    ]
                )
            )
        sums.add(torch.stack(rows), self.tasks)


def _narrow(model: ModelConfig, width: int) -> ModelConfig:
    """Gives the shape of the proxy: as the model, but narrow, and with a linear-depth head."""
    message_passing = model.message_passing
    narrow = message_passing.model_copy(
        update={"hidden_size": min(width, message_passing.hidden_size), "dropout": 0.0}
    )
    ffn = FFNConfig(num_layers=1, hidden_size=narrow.hidden_size)
    return model.model_copy(update={"message_passing": narrow, "ffn": ffn})
