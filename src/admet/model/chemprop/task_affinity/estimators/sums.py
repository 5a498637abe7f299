"""How the gradients of many steps become one matrix."""

from dataclasses import replace

import numpy as np
import torch
from scipy.stats import t as student_t
from torch import Tensor

from admet.config import TaskAffinityConfig
from admet.errors import NoGradientStepsError, NumericalError
from admet.model.chemprop.task_affinity.estimators.estimate import FREEDOM, AffinityEstimate, Doubt

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
        self.square = zeros.clone()  # [i, j]: Σ |g_i|² over the steps where j had labels, too
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
        moving = square > 0  # a task that is fitted exactly gives no direction
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

    def result(self, config: TaskAffinityConfig, n_common: np.ndarray) -> AffinityEstimate:
        """Divides the sums as the configuration says; n_common is passed on.

        Raises:
            NoGradientStepsError: If there was no step.
        """
        if not self.n_steps:
            raise NoGradientStepsError(NO_STEPS)
        steps = self.steps.cpu().numpy().astype(np.int64)
        return AffinityEstimate(self.matrix(config), steps, self.n_steps, n_common)

    def matrix(self, config: TaskAffinityConfig) -> np.ndarray:
        """Gives the matrix so far, shape (T, T), float64, NaN where unknown."""
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
        return np.asarray(affinity)


class ResampledSums:
    """The sums over all looks, and those of each resample: a fold left out, or one run alone."""

    def __init__(self, n_tasks: int, device: torch.device, n_folds: int, n_runs: int) -> None:
        self.whole = GradientSums(n_tasks, device)
        self.without = [GradientSums(n_tasks, device) for _ in range(n_folds)]
        self.single = [GradientSums(n_tasks, device) for _ in range(n_runs)]
        self.signal = np.zeros(n_tasks)  # Σ of |g|² less what noise adds to it
        self.square = np.zeros(n_tasks)  # Σ |g|²

    def add(self, G: Tensor, tasks: list[int], run: int) -> None:
        """Adds the gradients of one look at one run, shape (n_tasks, n_folds, n_parameters)."""
        total = G.sum(dim=1)  # (n_tasks, n_parameters)
        for sums in (self.whole, self.single[run]):
            sums.add(total, tasks)
        for fold, sums in enumerate(self.without):
            sums.add(total - G[:, fold], tasks)
        # The noise of two folds is independent, so its expectation is zero in products between
        # folds. F (F − 1) of the F² products are such.
        n_folds = G.shape[1]
        square = total.square().sum(dim=1).double().cpu().numpy()
        within = G.square().sum(dim=(1, 2)).double().cpu().numpy()
        self.square[tasks] += square
        self.signal[tasks] += (square - within) * n_folds / (n_folds - 1)

    def result(self, config: TaskAffinityConfig, n_common: np.ndarray) -> AffinityEstimate:
        """Divides the sums; n_common, shape (T, T), counts what was measured of both tasks.

        Raises:
            NoGradientStepsError: If there was no look.
        """
        estimate = self.whole.result(config, n_common)
        left_out = np.stack([sums.matrix(config) for sums in self.without])  # (F, T, T)
        runs = np.stack([sums.matrix(config) for sums in self.single])  # (R, T, T)
        n_folds, n_runs = len(left_out), len(runs)
        components = (left_out - left_out.mean(axis=0)) * np.sqrt((n_folds - 1) / n_folds)
        if n_runs > 1:
            apart = (runs - runs.mean(axis=0)) / np.sqrt(n_runs * (n_runs - 1))
            components = np.concatenate([components, apart])
        variance = (components**2).sum(axis=0)
        half = student_t.ppf(0.975, FREEDOM) * np.sqrt(variance)  # (T, T)
        with np.errstate(invalid="ignore", divide="ignore"):
            reliability = np.clip(self.signal / self.square, 0.0, 1.0)
        doubt = Doubt(
            np.clip(estimate.matrix - half, -1.0, 1.0),
            np.clip(estimate.matrix + half, -1.0, 1.0),
            reliability,
            components,
            n_runs,
        )
        return replace(estimate, doubt=doubt)
