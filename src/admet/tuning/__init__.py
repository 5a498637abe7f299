"""A search for better settings of a training, judged out of fold."""

from admet.tuning.run import tune
from admet.tuning.trials import Trial, Tuning

__all__ = ["Trial", "Tuning", "tune"]
