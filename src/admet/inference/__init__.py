"""Predictions, evaluations and comparisons from run directories."""

from admet.inference.compare import compare_results, compare_runs
from admet.inference.evaluate import evaluate_run
from admet.inference.predict import predict_table
from admet.run_directory import TrainedModel

__all__ = ["TrainedModel", "compare_results", "compare_runs", "evaluate_run", "predict_table"]
