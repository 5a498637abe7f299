"""Several ways of training as one experiment: the same folds, one table, a verdict per endpoint."""

from admet.study.results import Study
from admet.study.run import run

__all__ = ["Study", "run"]
