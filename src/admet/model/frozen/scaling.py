"""Inputs on a common scale: per column, from the training side only."""

from dataclasses import dataclass

import numpy as np

FURTHEST = 5.0
"""Standard deviations; descriptors have tails that would rule a product."""


@dataclass(frozen=True, eq=False)
class InputScaler:
    """Mean and scale of each column of frozen inputs.

    Attributes:
        mean: Shape (d,), float32.
        scale: Shape (d,), float32; 1 where a column is constant.
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, inputs: np.ndarray) -> "InputScaler":
        """Fits on training molecules, shape (n, d), NaN where an input is not defined."""
        present = ~np.isnan(inputs)
        count = np.maximum(present.sum(axis=0), 1)
        filled = np.where(present, inputs, 0).astype(np.float64)
        mean = filled.sum(axis=0) / count
        centred = np.where(present, filled - mean, 0)
        scale = np.sqrt((centred**2).sum(axis=0) / count)
        constant = scale <= 1e-6 * np.maximum(np.abs(mean), 1e-6)
        return cls(mean.astype(np.float32), np.where(constant, 1, scale).astype(np.float32))

    def scale_inputs(self, inputs: np.ndarray) -> np.ndarray:
        """Scales inputs, shape (n, d), float32; what is not defined becomes the mean.

        Values further than five deviations from the mean are drawn to that distance.
        """
        scaled = (inputs - self.mean) / self.scale
        near = np.clip(scaled, -FURTHEST, FURTHEST)
        return np.asarray(np.nan_to_num(near, nan=0.0), dtype=np.float32)
