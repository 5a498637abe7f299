"""How gradients of all molecules and of two parts of them become a matrix with its doubt."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.stats import t as student_t
from torch import Tensor
from torch.nn import functional

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import FREEDOM, AffinityEstimate, Doubt
from admet.model.chemprop.task_affinity.estimators.sums import GradientSums
from admet.model.chemprop.task_affinity.problems.base import FOLDS

_TOO_FEW = 0.15  # reliability; a residual is mostly noise even where thousands were measured


class HalvedSums:
    """The sums over all looks, those of each run, and those of two parts of the molecules.

    The parts give two things. Their gradients' cosine, ρ, is that of two independent measurements
    of half the size; all molecules together have the reliability 2 ρ / (1 + ρ) (Spearman 1910,
    Brown 1910). And the affinity differs between them as far as it rests on which molecules were
    measured.
    """

    def __init__(self, n_tasks: int, device: torch.device, n_runs: int) -> None:
        self.whole = GradientSums(n_tasks, device)
        self.single = [GradientSums(n_tasks, device) for _ in range(n_runs)]
        self.parts = [[GradientSums(n_tasks, device) for _ in range(2)] for _ in range(n_runs)]
        self.shares = np.full((n_runs, 2), np.nan)  # of the folds
        self.agreement = np.zeros(n_tasks)  # Σ cosine of the two parts
        self.looks = np.zeros(n_tasks)

    def add(
        self, whole: Tensor, parts: Tensor, first: Sequence[int], tasks: list[int], run: int
    ) -> None:
        """Adds one look at one run.

        Args:
            whole: Gradients from heads of all molecules, shape (n_tasks, FOLDS, n_parameters).
            parts: Those from heads of each part, likewise.
            first: The folds of the first part.
            tasks: The tasks in the order of the rows.
            run: Which run.
        """
        total = whole.sum(dim=1)  # (n_tasks, n_parameters)
        for sums in (self.whole, self.single[run]):
            sums.add(total, tasks)
        chosen = torch.zeros(FOLDS, dtype=torch.bool, device=parts.device)
        chosen[list(first)] = True
        one, other = parts[:, chosen].sum(dim=1), parts[:, ~chosen].sum(dim=1)
        for sums, own in zip(self.parts[run], (one, other), strict=True):
            sums.add(own, tasks)
        self.shares[run] = len(first) / FOLDS, 1 - len(first) / FOLDS
        cosine = functional.cosine_similarity(one, other, dim=1).double().cpu().numpy()
        told = (one.any(dim=1) & other.any(dim=1)).cpu().numpy()
        known = np.array(tasks)[told]
        self.agreement[known] += cosine[told]
        self.looks[known] += 1

    @property
    def reliability(self) -> np.ndarray:
        """Share of each task's squared gradient that other molecules would show too, shape (T,)."""
        with np.errstate(invalid="ignore"):
            rho = np.clip(self.agreement / self.looks, 0.0, 1.0)
        return 2 * rho / (1 + rho)

    def result(self, config: TaskAffinityConfig, n_common: np.ndarray) -> AffinityEstimate:
        """Divides the sums; n_common, shape (T, T), counts what was measured of both tasks.

        Raises:
            NoGradientStepsError: If there was no look.
        """
        estimate = self.whole.result(config, n_common)
        runs = np.stack([sums.matrix(config) for sums in self.single])  # (R, T, T)
        n_runs = len(runs)
        # A part of a share s has 1 / s times the variance, and the two are independent.
        apart = []
        for sums, shares in zip(self.parts, self.shares, strict=True):
            first, second = (part.matrix(config) for part in sums)
            apart.append((first - second) / np.sqrt((1 / shares).sum()))
        components = np.stack(apart) / np.sqrt(n_runs)
        if n_runs > 1:
            spread = (runs - runs.mean(axis=0)) / np.sqrt(n_runs * (n_runs - 1))
            components = np.concatenate([components, spread])
        matrix = estimate.matrix
        half = student_t.ppf(0.975, FREEDOM) * np.sqrt((components**2).sum(axis=0))  # (T, T)
        doubt = Doubt(
            np.clip(matrix - half, -1.0, 1.0),
            np.clip(matrix + half, -1.0, 1.0),
            self.reliability,
            components,
            n_runs,
            _TOO_FEW,
        )
        return replace(estimate, doubt=doubt)
