"""Targets on a common scale: per task, from the training split only."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from admet.data.transforms import NO_TRANSFORM, Transform
from admet.kinds import Kind


@dataclass(frozen=True)
class TargetScaler:
    """Mean and standard deviation of each task whose kind is scaled; 0 and 1 for the others.

    Attributes:
        mean: Shape (T,), float64, of the transformed labels.
        scale: Shape (T,), float64, of the transformed labels.
        kinds: T kinds.
        transforms: T transforms of the labels, which come before mean and scale.
    """

    mean: np.ndarray
    scale: np.ndarray
    kinds: tuple[Kind, ...]
    transforms: tuple[Transform, ...]

    @classmethod
    def fit(
        cls,
        labels: np.ndarray,
        kinds: Sequence[Kind],
        transforms: Sequence[Transform] | None = None,
    ) -> "TargetScaler":
        """Fits on training labels.

        A task that is constant or absent there gets scale 1.

        Args:
            labels: Shape (n, T), in the unit of the table, NaN where absent.
            kinds: T kinds.
            transforms: T transforms; None leaves all labels as they are.
        """
        transforms = [NO_TRANSFORM] * len(kinds) if transforms is None else transforms
        labels = _transformed(labels, transforms)
        present = ~np.isnan(labels)
        count = np.maximum(present.sum(axis=0), 1)
        mean = np.where(present, labels, 0.0).sum(axis=0) / count
        centred = np.where(present, labels - mean, 0.0)
        largest = np.abs(centred).max(axis=0, initial=0.0)  # squares of tiny numbers are 0
        largest = np.where(largest > 0, largest, 1.0)
        scale = largest * np.sqrt(((centred / largest) ** 2).sum(axis=0) / count)
        raw = np.array([not kind.scaled for kind in kinds])
        mean = np.where(raw, 0.0, mean)
        scale = np.where(raw | (scale <= 0) | ~np.isfinite(scale), 1.0, scale)
        return cls(mean, scale, tuple(kinds), tuple(transforms))

    def scale_labels(self, labels: np.ndarray) -> np.ndarray:
        """Scales labels, shape (n, T); NaN stays NaN."""
        return np.asarray((_transformed(labels, self.transforms) - self.mean) / self.scale)

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
        found = np.asarray(linked.numpy() * self.scale + self.mean)
        for column, transform in enumerate(self.transforms):
            if transform is not NO_TRANSFORM:
                found[:, column] = transform.undo(found[:, column])
        return found


def _transformed(labels: np.ndarray, transforms: Sequence[Transform]) -> np.ndarray:
    """Transforms labels, shape (n, T); the caller's array is not changed."""
    if all(transform is NO_TRANSFORM for transform in transforms):
        return labels
    columns = [t.apply(column) for t, column in zip(transforms, labels.T, strict=True)]
    return np.stack(columns, axis=1)
