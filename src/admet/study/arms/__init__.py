"""Ways of training, one kind a file."""

from admet.study.arms.base import Arm, Outcome, Trained
from admet.study.arms.table import ARMS, inputs_of

__all__ = ["ARMS", "Arm", "Outcome", "Trained", "inputs_of"]
