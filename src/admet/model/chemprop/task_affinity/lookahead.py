"""The lookahead of the paper: how far a step along one task's gradient lowers another's loss.

Source: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, NeurIPS 2021,
Eq. 1, averaged over the steps of a joint training.
"""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.errors import NoGradientStepsError, NumericalError
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate
from admet.model.chemprop.task_affinity.parameters import select_within_encoder
from admet.model.chemprop.task_affinity.problem import AffinityProblem
from admet.model.chemprop.task_affinity.sums import NO_STEPS

log = logging.getLogger(__name__)


class LookaheadAffinity:
    """Z_ij = 1 − L_j(θ − η g_i) / L_j(θ), the mean over steps at which both tasks had labels.

    θ are the encoder's parameters, g_i the gradient of task i's own loss in the batch, η is
    `lookahead_lr`: a plain step, without momentum or preconditioning, on the same batch. The heads
    stay where they are. The matrix is directed, entry [i, j] being what training on i does to j,
    and its diagonal is what a task does to itself, not 1. Between the looks the network follows
    Adam at `affinity_lr` along the mean of the tasks' losses, without dropout. `affinity_type` and
    `normalize_gradients` say nothing here.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Trains a network for `affinity_epochs`, looking ahead at every step; see the protocol."""
        problem = problem.without_dropout()
        network = problem.network()
        loss = TaskLoss(problem.kinds).to(problem.device)
        batches = problem.batches(network, config.affinity_batch_size, config.seed)
        patterns = config.encoder_param_patterns
        encoder = select_within_encoder(network, patterns, problem.encoder)
        parameters = [p for p in network.parameters() if p.requires_grad]
        place = {id(p): k for k, p in enumerate(parameters)}
        shared = [place[id(p)] for p in encoder]
        optimizer = torch.optim.Adam(parameters, lr=config.affinity_lr, fused=True)
        n_tasks = len(problem.kinds)
        total = np.zeros((n_tasks, n_tasks))
        steps = np.zeros((n_tasks, n_tasks), dtype=np.int64)
        n_steps = 0
        network.train()
        for epoch in range(config.affinity_epochs):
            for inputs, targets, mask, limits in batches:
                present = mask.any(dim=0)
                tasks = torch.nonzero(present).flatten().tolist()
                if not tasks:
                    continue
                losses = loss.per_task(network(inputs), targets, mask, limits)  # (T,)
                before = losses.detach().double().cpu().numpy()
                gradients = [
                    torch.autograd.grad(
                        losses[task], parameters, retain_graph=task != tasks[-1], allow_unused=True
                    )
                    for task in tasks
                ]
                for task, parts in zip(tasks, gradients, strict=True):
                    moved = [parts[k] for k in shared]
                    with torch.no_grad(), _Moved(encoder, moved, config.lookahead_lr):
                        ahead = loss.per_task(network(inputs), targets, mask, limits)
                    after = ahead.double().cpu().numpy()
                    own = [j for j in tasks if before[j] > 0]
                    total[task, own] += 1 - after[own] / before[own]
                    steps[task, own] += 1
                n_steps += 1
                if not np.isfinite(total).all():
                    raise NumericalError(
                        f"A loss became NaN or infinite at affinity step {n_steps}. Lower "
                        "lookahead_lr or affinity_lr, or look for extreme target values."
                    )
                for k, parameter in enumerate(parameters):
                    known = [g[k] for g in gradients if g[k] is not None]
                    parameter.grad = torch.stack(known).sum(dim=0) / len(tasks) if known else None
                optimizer.step()
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)
        if not n_steps:
            raise NoGradientStepsError(NO_STEPS)
        with np.errstate(invalid="ignore"):
            return AffinityEstimate(total / steps, steps, n_steps, problem.n_common())


class _Moved:
    """Moves parameters by −η times a direction while the context lasts, and back bit for bit."""

    def __init__(
        self, parameters: list[nn.Parameter], by: Sequence[Tensor | None], rate: float
    ) -> None:
        self.parameters = parameters
        self.by = by
        self.rate = rate
        self.kept = [p.detach().clone() for p in parameters]

    def __enter__(self) -> None:
        for parameter, direction in zip(self.parameters, self.by, strict=True):
            if direction is not None:
                parameter.sub_(direction, alpha=self.rate)

    def __exit__(self, *_: object) -> None:
        for parameter, kept in zip(self.parameters, self.kept, strict=True):
            parameter.copy_(kept)
