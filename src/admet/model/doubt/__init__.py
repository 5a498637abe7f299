"""The doubt of a prediction: intervals that hold, and what was measured close by."""

from admet.model.doubt.asked import Asked
from admet.model.doubt.calibration import Calibration, Evidence, TaskCalibration
from admet.model.doubt.doubt import Doubt
from admet.model.doubt.neighbours import Nearest, Neighbours

__all__ = [
    "Asked",
    "Calibration",
    "Doubt",
    "Evidence",
    "Nearest",
    "Neighbours",
    "TaskCalibration",
]
