"""Targets on a common scale: per task, from the training split only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from admet.kinds import Kind


@dataclass(frozen=True)
class TargetScaler:
    """Mean and standard deviation of each task whose kind is scaled; 0 and 1 for another.

    Attributes:
        mean: Shape (T,), float64, in the unit of the labels.
        scale: Shape (T,), float64, in the unit of the labels.
        kinds: T kinds.
    """

    mean: np.ndarray
    scale: np.ndarray
    kinds: tuple[Kind, ...]

    @classmethod
    def fit(cls, labels: np.ndarray, kinds: Sequence[Kind]) -> "TargetScaler":
        """Fits on training labels, shape (n, T), NaN where absent.

        A task that is constant or absent there gets scale 1.
        """
        present = ~np.isnan(labels)
        count = np.maximum(present.sum(axis=0), 1)
        mean = np.where(present, labels, 0.0).sum(axis=0) / count
        centred = np.where(present, labels - mean, 0.0)
        largest = np.abs(centred).max(axis=0, initial=0.0)  # squares of small numbers vanish
        largest = np.where(largest > 0, largest, 1.0)
        scale = largest * np.sqrt(((centred / largest) ** 2).sum(axis=0) / count)
        raw = np.array([not kind.scaled for kind in kinds])
        mean = np.where(raw, 0.0, mean)
        scale = np.where(raw | (scale <= 0) | ~np.isfinite(scale), 1.0, scale)
        return cls(mean, scale, tuple(kinds))

    def scale_labels(self, labels: np.ndarray) -> np.ndarray:
        """Scales labels, shape (n, T); NaN stays NaN."""
        return np.asarray((labels - self.mean) / self.scale)

    def to_units(self, outputs: Tensor) -> np.ndarray:
        """Turns network outputs into labels' units and probabilities.

        Args:
            outputs: Scaled values and logits, shape (n, T).

        Returns:
            Shape (n, T), float64.
        """
        values = outputs.detach().to("cpu", torch.float64)
        linked = values
        for kind in set(self.kinds):
            own = torch.tensor([other is kind for other in self.kinds])
            linked = torch.where(own, kind.link(values), linked)
        return np.asarray(linked.numpy() * self.scale + self.mean)
