"""From a configuration to a run directory, and its middle part: a fit in memory."""

from admet.training.arms import plan_of
from admet.training.fit_model import fit_model
from admet.training.outputs import read_test
from admet.training.pipeline import train
from admet.training.repeat import as_before

__all__ = ["as_before", "fit_model", "plan_of", "read_test", "train"]
