"""The estimators by name."""

from collections.abc import Callable

from admet.model.chemprop.task_affinity.estimators.aligned import AlignedAffinity
from admet.model.chemprop.task_affinity.estimators.base import AffinityEstimator
from admet.model.chemprop.task_affinity.estimators.coregionalization import (
    CoregionalizationAffinity,
)
from admet.model.chemprop.task_affinity.estimators.gradient import GradientAffinity
from admet.model.chemprop.task_affinity.estimators.lookahead import LookaheadAffinity
from admet.model.chemprop.task_affinity.estimators.measured import MeasuredAffinity
from admet.model.chemprop.task_affinity.estimators.residual import ResidualAffinity

ESTIMATORS: dict[str, Callable[[], AffinityEstimator]] = {
    "coregionalization": CoregionalizationAffinity,
    "residual": ResidualAffinity,
    "measured": MeasuredAffinity,
    "aligned": AlignedAffinity,
    "gradient": GradientAffinity,
    "lookahead": LookaheadAffinity,
}
"""Every estimator, as `task_affinity.estimator` names it."""
