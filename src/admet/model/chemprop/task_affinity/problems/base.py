"""What an estimator compares tasks on: a network, batches, and the labelled examples of each task.

`molecules` does it for the project's own network and packed graphs, `any_network` for any other.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from admet.data import Panel
from admet.kinds import Kind


class Batch(NamedTuple):
    """b labelled examples.

    Attributes:
        inputs: As the network takes them.
        targets: Shape (b, T); scaled for regression tasks, 0 and 1 for binary ones.
        mask: Shape (b, T), true where there is a label.
        limits: Which targets are limits, shape (b, T), int8, as in `Labels`; None where none is.
    """

    inputs: Any
    targets: Tensor
    mask: Tensor
    limits: Tensor | None = None


Triple = tuple[Any, Tensor, Tensor]
"""Inputs, targets and mask as in `Batch`: what a user's loader gives."""


FOLDS = 5
"""Parts of the examples, each left out once."""


class LabelledExamples(Protocol):
    """The labelled examples of each task, the same ones at every look."""

    @property
    def tasks(self) -> list[int]:
        """Tasks with two labels at least, in the order of a look's rows."""
        ...

    def look(self, network: nn.Module, patterns: list[str]) -> Tensor:
        """Fits each task's head to a network's embeddings and takes its encoder gradient.

        Args:
            network: The network as it is; it is put into evaluation mode.
            patterns: As `encoder_param_patterns`.

        Returns:
            Each fold's part of each task's gradient, shape (n_tasks, FOLDS, n_parameters).

        Raises:
            ConfigError: If the patterns select nothing, or a parameter outside the encoder.
            NumericalError: If an embedding is not finite.
        """
        ...

    def look_at_residuals(
        self, network: nn.Module, patterns: list[str], first: Sequence[int] | None, /
    ) -> list[Tensor]:
        """Takes the encoder gradients of what fitted heads leave unexplained.

        Args:
            network: The network as it is; it is put into evaluation mode.
            patterns: As `encoder_param_patterns`.
            first: Folds of the first of two parts of the examples; None makes no parts.

        Returns:
            Each task's gradients, shape (n_tasks, n_parameters) each: from heads of all examples;
            with parts also those of the first and of the second, from heads of its own, and for
            each fold those of all others.

        Raises:
            ConfigError: If the patterns select nothing, or a parameter outside the encoder.
            NumericalError: If an embedding is not finite.
        """
        ...


class AffinityProblem(Protocol):
    """Labelled examples whose tasks are to be compared, and the networks to compare them on."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """T kinds."""
        ...

    @property
    def device(self) -> torch.device:
        """Where to compute."""
        ...

    @property
    def encoder(self) -> str:
        """Name of the network's submodule that holds the shared parameters."""
        ...

    @property
    def panel(self) -> Panel | None:
        """The molecules and their labels, where there are any."""
        ...

    @property
    def cache(self) -> Path | None:
        """Folder that keeps what is computed of molecules; None keeps nothing."""
        ...

    def n_common(self) -> np.ndarray:
        """Counts the examples with labels of both tasks, shape (T, T)."""
        ...

    def network(self) -> nn.Module:
        """Makes a network with T outputs, its weights from torch's random state."""
        ...

    def batches(self, network: nn.Module, batch_size: int, seed: int, /) -> Iterable[Batch]:
        """Gives batches for training, in a new order at every pass."""
        ...

    def labelled(self, max_labels: int, seed: int) -> LabelledExamples:
        """Picks up to so many labelled examples of each task."""
        ...

    def narrow(self, width: int, /) -> "AffinityProblem":
        """Gives the problem on a smaller network, without dropout, where there is one."""
        ...

    def without_dropout(self) -> Self:
        """Gives the problem on a network without dropout, so that only a step changes a loss."""
        ...


def count_common(present: np.ndarray) -> np.ndarray:
    """Counts examples with labels of both tasks.

    Args:
        present: Whether there is a label, shape (n, T).

    Returns:
        Shape (T, T), int64; a task's own labels on the diagonal.
    """
    as_float = present.astype(np.float64)  # exact, and much faster than integers
    return np.asarray((as_float.T @ as_float).astype(np.int64))
