"""The plain estimator: how the tasks' gradients agree along a short joint training.

Source of the idea: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning,
NeurIPS 2021 (inter-task affinity along one training run); gradient cosines in place of the
lookahead loss as in Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020, Def. 1.
"""

import logging

import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate
from admet.model.chemprop.task_affinity.parameters import select_encoder_parameters
from admet.model.chemprop.task_affinity.problem import AffinityProblem
from admet.model.chemprop.task_affinity.sums import GradientSums

log = logging.getLogger(__name__)


class GradientAffinity:
    """Averages the agreement of the tasks' encoder gradients over the steps of a joint training.

    The network is as wide as the one to be trained, its heads are random at the start, and every
    batch is a step; `GradientSums` says how the steps are averaged.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Trains a network for `affinity_epochs` and watches its gradients; see the protocol."""
        network = problem.network()
        loss = TaskLoss(problem.kinds).to(problem.device)
        self.prepare(network)
        batches = problem.batches(network, config.affinity_batch_size, config.seed)
        encoder = select_encoder_parameters(network, config.encoder_param_patterns, problem.encoder)
        parameters = [p for p in network.parameters() if p.requires_grad]
        in_encoder = [any(p is q for q in encoder.values()) for p in parameters]
        optimizer = torch.optim.Adam(parameters, lr=config.affinity_lr, fused=True)
        network.train()
        sums = GradientSums(len(problem.kinds), problem.device)
        for epoch in range(config.affinity_epochs):
            for inputs, targets, mask, limits in batches:
                if not mask.any():
                    continue
                losses = loss.per_task(network(inputs), targets, mask, limits)  # (T,)
                tasks = torch.nonzero(mask.any(dim=0)).flatten().tolist()
                gradients = _task_gradients(losses, tasks, parameters)
                sums.add(_flatten(gradients, in_encoder), tasks)
                # The joint step follows the mean of the tasks' losses; its gradient is the mean of
                # theirs, so no further backward pass is needed.
                for index, parameter in enumerate(parameters):
                    parameter.grad = torch.stack([g[index] for g in gradients]).mean(dim=0)
                optimizer.step()
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)
        return sums.result(config, problem.n_common())

    def prepare(self, network: nn.Module) -> None:
        """Changes the fresh network before the first step; a place for studies to begin from."""


def _task_gradients(
    losses: Tensor, tasks: list[int], parameters: list[nn.Parameter]
) -> list[list[Tensor]]:
    """Differentiates each task's loss: a list over tasks of lists over parameters."""
    gradients = []
    for task in tasks:
        parts = torch.autograd.grad(
            losses[task], parameters, retain_graph=task != tasks[-1], allow_unused=True
        )
        gradients.append(
            [
                torch.zeros_like(p) if g is None else g
                for g, p in zip(parts, parameters, strict=True)
            ]
        )
    return gradients


def _flatten(gradients: list[list[Tensor]], chosen: list[bool]) -> Tensor:
    """Joins the chosen parameters' gradients, shape (n_tasks, n_parameters)."""
    rows = [
        torch.cat([g.flatten() for g, take in zip(parts, chosen, strict=True) if take])
        for parts in gradients
    ]
    return torch.stack(rows)
