"""The two ways to look at a network, whatever its examples are."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial

from torch import Tensor, nn

from admet.model.chemprop.task_affinity.problems.directions import (
    Directions,
    Reduction,
    label_directions,
    residual_directions,
    summed_folds,
    whole_folds,
)


class Looks(ABC):
    """Labelled examples that can be differentiated; see `LabelledExamples`."""

    def look(self, network: nn.Module, patterns: list[str]) -> Tensor:
        """Takes the gradients of all tasks at a network as it is; see the protocol."""
        return self._looks(network, patterns, label_directions, whole_folds)[0]

    def look_at_residuals(
        self, network: nn.Module, patterns: list[str], first: Sequence[int] | None
    ) -> list[Tensor]:
        """Takes those of the residuals, from heads of all examples and of parts of them."""
        directions = partial(residual_directions, first=first)
        return self._looks(network, patterns, directions, partial(summed_folds, first=first))

    @abstractmethod
    def _looks(
        self,
        network: nn.Module,
        patterns: list[str],
        directions: Directions,
        reduction: Reduction,
    ) -> list[Tensor]:
        """Gives what is kept of the gradients of each set of directions, (n_tasks, …)."""
