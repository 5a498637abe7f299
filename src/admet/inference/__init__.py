"""Predictions, evaluations and comparisons from run directories.

Each name is imported when it is first used: a prediction does not wait for what only evaluations
need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from admet.inference.compare import compare_results, compare_runs
    from admet.inference.evaluate import evaluate_run
    from admet.inference.predict import predict_table

__all__ = ["compare_results", "compare_runs", "evaluate_run", "predict_table"]

_HOMES = {
    "compare_results": "admet.inference.compare",
    "compare_runs": "admet.inference.compare",
    "evaluate_run": "admet.inference.evaluate",
    "predict_table": "admet.inference.predict",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
