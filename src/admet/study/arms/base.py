"""What an arm is: a way to make predictions of a panel."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from admet.data import Panel, Split
from admet.model.composite import Member, MemberSpec
from admet.study.material import Material


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training of an arm gives.

    Attributes:
        member: A model that predicts.
        spec: Its description.
        groups: The groups of tasks that were trained together; empty where the arm has none.
    """

    member: Member
    spec: MemberSpec
    groups: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a fit says of the molecules that it has not seen.

    Attributes:
        mean: Predictions of the m tested molecules, shape (m, T), in the unit of the labels.
        groups: The groups of tasks that were trained together; empty where the arm has none.
    """

    mean: np.ndarray
    groups: list[list[str]] = field(default_factory=list)


class Arm(ABC):
    """A way of training.

    Attributes:
        name: What users call it.
        text: What it is, in a few words.
        inputs: Whether it learns from the frozen inputs of the study.
        alone: Whether no endpoint learns from another.
    """

    name: ClassVar[str]
    text: ClassVar[str]
    inputs: ClassVar[bool] = False
    alone: ClassVar[bool] = False

    def why_not(self, material: Material) -> str:  # noqa: ARG002
        """Says why it cannot run on a panel; "" where it can."""
        return ""

    def validates(self, panel: Panel) -> bool:  # noqa: ARG002
        """Says whether the validation side chooses its best epoch; if not, it is trained on."""
        return False

    @abstractmethod
    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Trains on a split; the test side is not looked at.

        Args:
            material: Panel, graphs and inputs.
            split: What is trained on, and what chooses the best epoch.
            seed: Seed of whatever is random.
        """

    def fit(self, material: Material, split: Split, seed: int) -> Outcome:
        """Trains on a split and predicts its test side; see `train`."""
        trained = self.train(material, split, seed)
        return Outcome(trained.member.predict(material.molecules(split.test)), trained.groups)
