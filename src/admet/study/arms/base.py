"""What an arm is: a way to make predictions of a panel."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from admet.data import Split
from admet.study.material import Material


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a fit says of the molecules that it has not seen.

    Attributes:
        mean: Predictions of the m tested molecules, shape (m, T), in the unit of the labels.
        spread: Their standard deviation on the scale that is learnt, shape (m, T); None where the
            arm gives none.
        groups: The groups of tasks that were trained together; empty where the arm has none.
    """

    mean: np.ndarray
    spread: np.ndarray | None = None
    groups: list[list[str]] = field(default_factory=list)


class Arm(ABC):
    """A way of training.

    Attributes:
        name: What users call it.
        text: What it is, in a few words.
        inputs: Whether it learns from the frozen inputs of the study.
    """

    name: ClassVar[str]
    text: ClassVar[str]
    inputs: ClassVar[bool] = False

    def why_not(self, material: Material) -> str:  # noqa: ARG002
        """Says why it cannot run on a panel; "" where it can."""
        return ""

    @abstractmethod
    def fit(self, material: Material, split: Split, seed: int) -> Outcome:
        """Trains on a split and predicts its test side.

        Args:
            material: Panel, graphs and inputs.
            split: What is trained on, what chooses the best epoch, what is tested.
            seed: Seed of whatever is random.
        """
