"""The lookahead of the paper: how far a step along one task's gradient lowers another's loss.

Source: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning, NeurIPS 2021,
Eq. 1, averaged over the steps of a joint training.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.errors import NoGradientStepsError, NumericalError
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.joint import JointTraining
from admet.model.chemprop.task_affinity.estimators.sums import NO_STEPS
from admet.model.chemprop.task_affinity.problems import AffinityProblem
from admet.model.chemprop.task_affinity.problems.parameters import select_within_encoder


class LookaheadAffinity:
    """Z_ij = 1 − L_j(θ − η g_i) / L_j(θ), the mean over steps at which both tasks had labels.

    θ are the encoder's parameters, g_i is the gradient of task i's own loss in the batch, η is
    `lookahead_lr`: a plain step, without momentum or preconditioning, on the same batch. The heads
    stay where they are. The matrix is directed: entry [i, j] is what training on i does to j. Its
    diagonal is what a task does to itself, not 1. Between the looks the network follows Adam at
    `affinity_lr` along the mean of the tasks' losses, without dropout. `affinity_type` and
    `normalize_gradients` are not read here.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Trains a network for `affinity_epochs`, looking ahead at every step; see the protocol."""
        problem = problem.without_dropout()
        network = problem.network()
        patterns = config.encoder_param_patterns
        encoder = select_within_encoder(network, patterns, problem.encoder)
        training = JointTraining(network, problem, config, fill=False)
        place = {id(p): k for k, p in enumerate(training.parameters)}
        shared = [place[id(p)] for p in encoder]
        n_tasks = len(problem.kinds)
        total = np.zeros((n_tasks, n_tasks))
        steps = np.zeros((n_tasks, n_tasks), dtype=np.int64)
        n_steps = 0
        for step in training.steps():
            before = step.losses.detach().double().cpu().numpy()
            for task, parts in zip(step.tasks, step.gradients, strict=True):
                moved = [parts[k] for k in shared]
                with torch.no_grad(), _Moved(encoder, moved, config.lookahead_lr):
                    ahead = training.losses(step.batch)
                after = ahead.double().cpu().numpy()
                own = [j for j in step.tasks if before[j] > 0]
                total[task, own] += 1 - after[own] / before[own]
                steps[task, own] += 1
            n_steps += 1
            if not np.isfinite(total).all():
                raise NumericalError(
                    f"A loss became NaN or infinite at affinity step {n_steps}. Lower "
                    "lookahead_lr or affinity_lr, or look for extreme target values."
                )
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
