"""What every affinity estimator does."""

from typing import Protocol

from admet.config import TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.problems import AffinityProblem


class AffinityEstimator(Protocol):
    """Measures the affinity of the tasks of a problem."""

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it.

        Args:
            problem: The labelled examples and the network.
            config: The `task_affinity` section; its seed has been set for torch already.

        Returns:
            The estimate.

        Raises:
            NoGradientStepsError: If there was no label to learn from.
        """
        ...
