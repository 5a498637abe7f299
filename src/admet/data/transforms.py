"""Transforms of labels: networks learn what they give, users read the unit of the table."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class Transform(ABC):
    """A monotonic function of a task's labels that can be undone.

    Attributes:
        name: As users and files write it.
    """

    name: ClassVar[str]

    @abstractmethod
    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the values that networks learn, any shape; NaN stays NaN."""

    @abstractmethod
    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the values in the unit of the table, any shape; NaN stays NaN."""


class NoTransform(Transform):
    """Leaves labels as they are."""

    name: ClassVar[str] = "none"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the values themselves."""
        return values

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the values themselves."""
        return values


NO_TRANSFORM = NoTransform()
