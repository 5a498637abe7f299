"""What a kind of task knows: its labels, their scale, the loss, and the way back to their unit."""

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


class Kind(ABC):
    """A kind of task: an observation model, and what follows from it.

    It holds no data. Importing it does not import torch; only what computes a loss does.

    Attributes:
        name: As users and files write it.
        metric: Name of the metric that a comparison prints first.
        scaled: Whether targets are brought to mean 0 and variance 1.
        has_limits: Whether a label may be a limit: "more than 100".
    """

    name: ClassVar[str]
    metric: ClassVar[str]
    scaled: ClassVar[bool]
    has_limits: ClassVar[bool]

    def __repr__(self) -> str:
        return self.name

    @abstractmethod
    def foreign(self, values: np.ndarray) -> np.ndarray:
        """Gives those of some distinct label values, shape (m,), that such a task cannot have."""

    @property
    @abstractmethod
    def labels_rule(self) -> str:
        """Says what its labels must be, as in "must be 0 or 1"."""

    @abstractmethod
    def merge(self, mean: np.ndarray) -> np.ndarray:
        """Gives the labels of molecules with several records, from the means of these, shape (m,).

        NaN means that the records do not say.
        """

    @abstractmethod
    def describe_merge(self, mean: np.ndarray, spread: np.ndarray) -> str:
        """Describes for the log how labels were merged.

        Args:
            mean: Mean of each molecule's records, shape (m,), m at least 1.
            spread: Their standard deviation (n − 1), shape (m,).
        """

    @abstractmethod
    def loss(self, outputs: "Tensor", targets: "Tensor") -> "Tensor":
        """Gives the loss of each cell, any shape, the same for outputs and targets."""

    @abstractmethod
    def link(self, outputs: "Tensor") -> "Tensor":
        """Turns a network's outputs into scaled values or probabilities, any shape."""

    @abstractmethod
    def fit_head(
        self, ridge: "Tensor", centred: "Tensor", y: "Tensor", penalty: "Tensor"
    ) -> "Tensor":
        """Fits a linear head to fixed embeddings.

        Args:
            ridge: The weights that ridge regression on the targets gives, shape (d,).
            centred: Embeddings less their mean, shape (n, d), float64.
            y: Targets, shape (n,), float64.
            penalty: The penalty that ridge regression chose, a scalar.

        Returns:
            The weights, shape (d,).
        """

    @abstractmethod
    def residual(self, scores: "Tensor", y: "Tensor") -> "Tensor":
        """Gives what a head leaves unexplained: the targets less what it expects of them.

        Args:
            scores: Outputs of a head without its intercept, less their mean, shape (n,), float64.
            y: Targets, shape (n,), float64.

        Returns:
            Shape (n,); its sum is 0.
        """
