"""The mean of the weights that a training passes through."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from admet.config.averaging import AveragingConfig


class WeightAverage:
    """A mean of weights that follows a training and never acts on it.

    `ema`: after step t the mean a moves towards the weights w, a ← a + (1 − d)(w − a), with
    d = min(decay, (1 + t) / (10 + t)), so that it soon forgets the first, random weights (Polyak
    and Juditsky, SIAM J. Control Optim. 1992, 30, 838, for means of iterates).
    `swa`: a is the mean over the ends of the last epochs (Izmailov et al., UAI 2018), and w itself
    before. The rate follows its schedule; it is not held up, as it is there.

    Running statistics of a batch normalisation are averaged as weights are.

    Attributes:
        means: The mean of each tensor, by its name.
        count: Steps (ema) or epochs (swa) that are in it.
    """

    def __init__(
        self, tensors: Mapping[str, Tensor], config: AveragingConfig, n_epochs: int
    ) -> None:
        """Begins with the weights as they are.

        Args:
            tensors: The weights, which a training changes in place; each only once.
            config: Which mean.
            n_epochs: Epochs of the whole training.
        """
        self._own = dict(tensors)
        self._config = config
        self._first = config.swa_start * n_epochs  # epochs that swa leaves out
        self.means = {name: tensor.detach().clone() for name, tensor in self._own.items()}
        self.count = 0

    @classmethod
    def of(
        cls, network: nn.Module, config: AveragingConfig, n_epochs: int
    ) -> "WeightAverage | None":
        """Makes the mean that a configuration asks for; None where it asks for none."""
        if config.weight_averaging == "none":
            return None
        named = [*network.named_parameters(), *network.named_buffers()]
        return cls({n: t for n, t in named if t.is_floating_point()}, config, n_epochs)

    def after_step(self) -> None:
        """Takes the weights in after a step of the optimiser."""
        if self._config.weight_averaging == "ema":
            self.count += 1
            decay = min(self._config.ema_decay, (1 + self.count) / (10 + self.count))
            self._move(1 - decay)

    def after_epoch(self, epoch: int) -> None:
        """Takes the weights in at the end of an epoch, the first one being 1."""
        if self._config.weight_averaging != "swa":
            return
        if epoch > self._first:
            self.count += 1
        self._move(1 / max(self.count, 1))

    @torch.no_grad()
    def _move(self, share: float) -> None:
        for name, mean in self.means.items():
            mean.lerp_(self._own[name].detach(), share)

    @torch.no_grad()
    def put_back(self, means: Mapping[str, Tensor], count: int) -> None:
        """Goes on from a mean that was kept.

        Raises:
            LookupError: If a tensor is missing.
            RuntimeError: If one has another shape.
        """
        for name, mean in self.means.items():
            if mean.shape != means[name].shape:
                raise RuntimeError(f"the mean of {name} has shape {tuple(means[name].shape)}")
            mean.copy_(means[name])
        self.count = count

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges weights and mean, bit for bit; twice changes nothing."""
        for name, mean in self.means.items():
            own = self._own[name].detach()
            kept = own.clone()
            own.copy_(mean)
            mean.copy_(kept)


@contextmanager
def averaged(mean: WeightAverage | None) -> Iterator[None]:
    """Puts the mean in the place of the weights while the context lasts.

    Args:
        mean: The mean; None changes nothing.
    """
    if mean is None:
        yield
        return
    mean.swap()
    try:
        yield
    finally:
        mean.swap()
