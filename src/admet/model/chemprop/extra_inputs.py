"""Frozen inputs beside the embedding: their scale, which is stored with the weights."""

import torch
from torch import Tensor, nn

from admet.model.frozen.scaling import FURTHEST, InputScaler


class ScaledInputs(nn.Module):
    """Scales extra inputs by mean and deviation of the training side, as `InputScaler` does.

    Both are buffers: they are stored with the weights and not trained.
    """

    def __init__(self, width: int) -> None:
        """Makes a scale that changes nothing; `take` gives it the one of a training side.

        Args:
            width: Numbers per molecule.
        """
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    def take(self, scaler: InputScaler) -> None:
        """Takes over mean and scale, shape (width,) each."""
        self.get_buffer("mean").copy_(torch.from_numpy(scaler.mean))
        self.get_buffer("scale").copy_(torch.from_numpy(scaler.scale))

    def forward(self, inputs: Tensor) -> Tensor:
        """Scales inputs, shape (n, width), float32; what is not defined becomes the mean."""
        scaled = (inputs - self.get_buffer("mean")) / self.get_buffer("scale")
        return scaled.clamp(-FURTHEST, FURTHEST).nan_to_num(nan=0.0)
