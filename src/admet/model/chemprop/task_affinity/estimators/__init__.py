"""How an affinity is measured: a file for each estimator, and the table that names them."""

from admet.model.chemprop.task_affinity.estimators.base import AffinityEstimator
from admet.model.chemprop.task_affinity.estimators.estimate import (
    AffinityEstimate,
    Doubt,
    Intervals,
)
from admet.model.chemprop.task_affinity.estimators.table import ESTIMATORS

__all__ = ["ESTIMATORS", "AffinityEstimate", "AffinityEstimator", "Doubt", "Intervals"]
