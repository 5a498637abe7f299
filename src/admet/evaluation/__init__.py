"""Metrics with bootstrap intervals, and paired comparison of models, each as one tidy table."""

from admet.evaluation.comparison import Comparison, compare
from admet.evaluation.differences import Difference
from admet.evaluation.evaluation import Evaluation, RejectedRow
from admet.evaluation.metrics import BY_KIND, METRICS, OVERALL, PRIMARY, Metric
from admet.evaluation.predicted import Predicted
from admet.evaluation.remarks import remarks
from admet.evaluation.scores import MACRO, Scores, TaskScores, Value
from admet.evaluation.scoring import score_tasks

__all__ = [
    "BY_KIND",
    "MACRO",
    "METRICS",
    "OVERALL",
    "PRIMARY",
    "Comparison",
    "Difference",
    "Evaluation",
    "Metric",
    "Predicted",
    "RejectedRow",
    "Scores",
    "TaskScores",
    "Value",
    "compare",
    "remarks",
    "score_tasks",
]
