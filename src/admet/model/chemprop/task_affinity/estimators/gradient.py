"""The plain estimator: how the tasks' gradients agree along a short joint training.

Source of the idea: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning,
NeurIPS 2021 (inter-task affinity along one training run); gradient cosines in place of the
lookahead loss as in Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020, Def. 1.
"""

import torch
from torch import Tensor

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.joint import JointTraining
from admet.model.chemprop.task_affinity.estimators.sums import GradientSums
from admet.model.chemprop.task_affinity.problems import AffinityProblem
from admet.model.chemprop.task_affinity.problems.parameters import select_encoder_parameters


class GradientAffinity:
    """Averages the agreement of the tasks' encoder gradients over the steps of a joint training.

    The network is as wide as the one to be trained, its heads are random at the start, and every
    batch is a step; `GradientSums` says how the steps are averaged.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Trains a network for `affinity_epochs` and watches its gradients; see the protocol."""
        network = problem.network()
        encoder = select_encoder_parameters(network, config.encoder_param_patterns, problem.encoder)
        training = JointTraining(network, problem, config, fill=True)
        in_encoder = [any(p is q for q in encoder.values()) for p in training.parameters]
        sums = GradientSums(len(problem.kinds), problem.device)
        for step in training.steps():
            sums.add(_flatten(step.gradients, in_encoder), step.tasks)
        return sums.result(config, problem.n_common())


def _flatten(gradients: list[list[Tensor | None]], chosen: list[bool]) -> Tensor:
    """Joins the chosen parameters' gradients, shape (n_tasks, n_parameters)."""
    rows = [
        torch.cat(
            [
                g.flatten()
                for g, take in zip(parts, chosen, strict=True)
                if take and g is not None  # they are filled
            ]
        )
        for parts in gradients
    ]
    return torch.stack(rows)
