"""From a configuration to a run directory."""

from admet.training.outputs import read_test
from admet.training.pipeline import train
from admet.training.repeat import as_before

__all__ = ["as_before", "read_test", "train"]
