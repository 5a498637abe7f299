"""How the gradients of many steps become one matrix."""

import numpy as np
import torch
from torch import Tensor

from admet.config import TaskAffinityConfig
from admet.errors import NoGradientStepsError, NumericalError
from admet.model.chemprop.task_affinity.estimator import AffinityEstimate

NO_STEPS = (
    "No gradient steps were performed: no batch held a valid molecule with a label. Causes: all "
    "target values are missing, or no SMILES is valid. Check the target columns for values, "
    "validate the SMILES, and keep affinity_batch_size at or below the number of molecules."
)


class GradientSums:
    """Running sums over steps; all matrices have shape (T, T), float64.

    With g_i(s) the gradient of task i's own loss at step s, and sums over the steps at which both
    tasks had labels, the matrix is:

    * `cosine`, normalised gradients: mean of g_i·g_j / (|g_i| |g_j|)
    * `cosine`, raw gradients: Σ g_i·g_j / Σ |g_i| |g_j| (steps with large gradients weigh more)
    * `dot_product`, normalised gradients: as the first
    * `dot_product`, raw gradients: Σ g_i·g_j / √(Σ |g_i|² Σ |g_j|²)

    All lie in [−1, 1] and are 1 for i = j.
    """

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
        """Divides the sums as the configuration says.

        Raises:
            NoGradientStepsError: If there was no step.
        """
        if not self.n_steps:
            raise NoGradientStepsError(NO_STEPS)
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
