"""Metrics with bootstrap intervals, and paired comparison of models."""

from admet.evaluation.comparison import Predicted, compare
from admet.evaluation.metrics import BY_KIND, LOWER_IS_BETTER, PRIMARY
from admet.evaluation.scores import score_tasks

__all__ = ["BY_KIND", "LOWER_IS_BETTER", "PRIMARY", "Predicted", "compare", "score_tasks"]
