"""The plain estimator: how the tasks' gradients agree along a short joint training.

Source of the idea: Fifty et al., Efficiently Identifying Task Groupings for Multi-Task Learning,
NeurIPS 2021 (inter-task affinity along one training run); gradient cosines in place of the
lookahead loss as in Yu et al., Gradient Surgery for Multi-Task Learning, NeurIPS 2020, Def. 1.
"""

import logging
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.errors import NoGradientStepsError, NumericalError
from admet.model.chemprop.batches import LabelledBatch
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate
from admet.model.chemprop.task_affinity.parameters import select_encoder_parameters

log = logging.getLogger(__name__)


class GradientAffinity:
    """Averages the agreement of the tasks' encoder gradients over the steps of a joint training.

    With g_i(s) the gradient of task i's own loss at step s, and sums over the steps at which both
    tasks had labels:

    * `cosine`, normalised gradients: mean of g_i·g_j / (|g_i| |g_j|)
    * `cosine`, raw gradients: Σ g_i·g_j / Σ |g_i| |g_j| (steps with large gradients weigh more)
    * `dot_product`, normalised gradients: as the first
    * `dot_product`, raw gradients: Σ g_i·g_j / √(Σ |g_i|² Σ |g_j|²)

    All lie in [−1, 1] and are 1 for i = j.
    """

    def estimate(
        self,
        network: nn.Module,
        batches: Iterable[LabelledBatch],
        loss: TaskLoss,
        config: TaskAffinityConfig,
    ) -> AffinityEstimate:
        """Trains `network` for `affinity_epochs` and watches its gradients; see the protocol."""
        encoder = select_encoder_parameters(network, config.encoder_param_patterns)
        parameters = [p for p in network.parameters() if p.requires_grad]
        in_encoder = [any(p is q for q in encoder.values()) for p in parameters]
        optimizer = torch.optim.Adam(parameters, lr=config.affinity_lr)
        network.train()
        sums: _Sums | None = None
        for epoch in range(config.affinity_epochs):
            for batch in batches:
                if not batch.mask.any():
                    continue
                outputs = network(batch.graphs)  # (b, T)
                losses = loss.per_task(outputs, batch.targets, batch.mask)  # (T,)
                if sums is None:
                    sums = _Sums(len(losses), losses.device)
                tasks = torch.nonzero(batch.mask.any(dim=0)).flatten().tolist()
                gradients = _task_gradients(losses, tasks, parameters)
                sums.add(_flatten(gradients, in_encoder), tasks)
                # The joint step follows the mean of the tasks' losses; its gradient is the mean of
                # theirs, so no further backward pass is needed.
                for index, parameter in enumerate(parameters):
                    parameter.grad = torch.stack([g[index] for g in gradients]).mean(dim=0)
                optimizer.step()
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)
        if sums is None or not sums.n_steps:
            raise NoGradientStepsError(NO_STEPS)
        return sums.result(config)


NO_STEPS = (
    "No gradient steps were performed: no batch held a valid molecule with a label. Causes: all "
    "target values are missing, or no SMILES is valid. Check the target columns for values, "
    "validate the SMILES, and keep affinity_batch_size at or below the number of molecules."
)


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


class _Sums:
    """Running sums over steps; all matrices have shape (T, T), float64."""

    def __init__(self, n_tasks: int, device: torch.device) -> None:
        zeros = torch.zeros(n_tasks, n_tasks, dtype=torch.float64, device=device)
        self.cosine = zeros.clone()  # Σ g_i·g_j / (|g_i| |g_j|)
        self.dot = zeros.clone()  # Σ g_i·g_j
        self.norms = zeros.clone()  # Σ |g_i| |g_j|
        self.square = zeros.clone()  # [i, j]: Σ |g_i|² over the steps that j had labels too
        self.steps = zeros.clone()
        self.n_steps = 0

    def add(self, G: Tensor, tasks: list[int]) -> None:
        """Adds the gradients of one step, shape (n_tasks, n_parameters)."""
        products = (G @ G.T).double()  # (n_tasks, n_tasks)
        if not torch.isfinite(products).all():
            raise NumericalError(
                f"A gradient became NaN or infinite at affinity step {self.n_steps + 1}. Lower "
                "affinity_lr, or look for extreme target values."
            )
        square = products.diagonal()
        moving = square > 0  # a task that is fitted exactly has no direction
        index = torch.tensor(tasks, device=G.device)[moving]
        products, square = products[moving][:, moving], square[moving]
        norm = square.sqrt()
        outer = torch.outer(norm, norm)
        at = (index[:, None], index[None, :])
        self.cosine[at] += products / outer
        self.dot[at] += products
        self.norms[at] += outer
        self.square[at] += square[:, None].expand(len(index), len(index))
        self.steps[at] += 1
        self.n_steps += 1

    def result(self, config: TaskAffinityConfig) -> AffinityEstimate:
        """Divides the sums as the configuration says."""
        if config.normalize_gradients:
            matrix = self.cosine / self.steps
        elif config.affinity_type == "cosine":
            matrix = self.dot / self.norms
        else:
            matrix = self.dot / torch.sqrt(self.square * self.square.T)
        affinity = matrix.cpu().numpy()
        affinity = np.clip((affinity + affinity.T) / 2, -1.0, 1.0)
        known = self.steps.cpu().numpy()
        diagonal = np.arange(len(affinity))
        affinity[diagonal, diagonal] = np.where(known[diagonal, diagonal] > 0, 1.0, np.nan)
        return AffinityEstimate(affinity, known.astype(np.int64), self.n_steps)
