"""How gradients of all molecules and of parts of them become a matrix with its doubt."""

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
    """The sums over all looks, those of each run, and those with a fold left out.

    Two parts of the molecules give the reliability: their gradients' cosine, ρ, is that of two
    independent measurements of half the size; all molecules together have 2 ρ / (1 + ρ) (Spearman
    1910, Brown 1910).
    """

    def __init__(self, n_tasks: int, device: torch.device, n_runs: int) -> None:
        self.whole = GradientSums(n_tasks, device)
        self.single = [GradientSums(n_tasks, device) for _ in range(n_runs)]
        self.without = [GradientSums(n_tasks, device) for _ in range(FOLDS)]
        self.agreement = np.zeros(n_tasks)  # Σ cosine of the two parts
        self.looks = np.zeros(n_tasks)

    def add(
        self, G: Sequence[Tensor], first: Sequence[int] | None, tasks: list[int], run: int
    ) -> None:
        """Adds one look at one run.

        Args:
            G: Gradients from heads of all molecules; with parts also those of the first and the
                second, and for each fold those of all others; each of shape (n_tasks,
                n_parameters).
            first: Folds of the first part; None where there are no parts.
            tasks: The tasks in the order of the rows.
            run: Which run.
        """
        total = G[0]
        for sums in (self.whole, self.single[run]):
            sums.add(total, tasks)
        if first is None:
            return
        _, one, other, *without = G
        for sums, own in zip(self.without, without, strict=True):
            sums.add(own, tasks)
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
        return np.asarray(2 * rho / (1 + rho))

    def result(self, config: TaskAffinityConfig, n_common: np.ndarray) -> AffinityEstimate:
        """Divides the sums; n_common, shape (T, T), counts what was measured of both tasks.

        Raises:
            NoGradientStepsError: If there was no look.
        """
        estimate = self.whole.result(config, n_common)
        runs = np.stack([sums.matrix(config) for sums in self.single])  # (R, T, T)
        n_runs = len(runs)
        left_out = np.stack([sums.matrix(config) for sums in self.without])  # (F, T, T)
        components = (left_out - left_out.mean(axis=0)) * np.sqrt((FOLDS - 1) / FOLDS)
        if n_runs > 1:
            spread = (runs - runs.mean(axis=0)) / np.sqrt(n_runs * (n_runs - 1))
            components = np.concatenate([components, spread])
        half = student_t.ppf(0.975, FREEDOM) * np.sqrt((components**2).sum(axis=0))  # (T, T)
        doubt = Doubt(
            np.clip(estimate.matrix - half, -1.0, 1.0),
            np.clip(estimate.matrix + half, -1.0, 1.0),
            self.reliability,
            components,
            n_runs,
            _TOO_FEW,
        )
        return replace(estimate, doubt=doubt)
