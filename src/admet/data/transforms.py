"""Transforms of labels: networks learn transformed values, users read the unit of the table."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np


class Transform(ABC):
    """An increasing function of a task's labels that can be undone.

    Attributes:
        name: As users and files write it.
        rule: What labels must be, as in "must be above 0"; empty where they may be anything.
    """

    name: ClassVar[str]
    rule: ClassVar[str] = ""

    @abstractmethod
    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the values that networks learn, any shape; NaN stays NaN."""

    @abstractmethod
    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the values in the unit of the table, any shape; NaN stays NaN.

        Whatever the input, the result is a value that a label could have.
        """

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Tells which values a label may have, any shape, bool; NaN may be."""
        return np.ones(np.shape(values), dtype=bool)

    def __repr__(self) -> str:
        return self.name


class NoTransform(Transform):
    """Leaves labels as they are."""

    name: ClassVar[str] = "none"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the values themselves."""
        return values

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the values themselves."""
        return values


class Undecided(NoTransform):
    """Leaves labels as they are until the training side has decided; see `scales.decided`."""

    name: ClassVar[str] = "auto"


class Log10(Transform):
    """The decimal logarithm, for amounts over decades: concentrations, clearances."""

    name: ClassVar[str] = "log10"
    rule: ClassVar[str] = "must be above 0"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the logarithm."""
        return np.asarray(np.log10(values))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the power; it is positive."""
        with np.errstate(over="ignore"):
            return np.asarray(np.maximum(10.0**values, _TINY))

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Allows what is positive."""
        return np.asarray(np.isnan(values) | (values > 0))


class Ln(Log10):
    """The natural logarithm."""

    name: ClassVar[str] = "ln"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the logarithm."""
        return np.asarray(np.log(values))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the power; it is positive."""
        with np.errstate(over="ignore"):
            return np.asarray(np.maximum(np.exp(values), _TINY))


class Log1p(Transform):
    """ln(1 + value), for amounts over decades that may be zero."""

    name: ClassVar[str] = "log1p"
    rule: ClassVar[str] = "must be at least 0"

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives ln(1 + value)."""
        return np.asarray(np.log1p(values))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the value; it is at least 0."""
        with np.errstate(over="ignore"):
            return np.asarray(np.maximum(np.expm1(values), 0.0))

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Allows what is not negative."""
        return np.asarray(np.isnan(values) | (values >= 0))


class Logit(Transform):
    """The logit of a percentage, ln(p / (100 − p)), for shares near their bounds, such as binding.

    The percentage is first mapped linearly from 0 … 100 to 0.01 … 99.99, so that 0 and 100 have a
    logit.
    """

    name: ClassVar[str] = "logit"
    rule: ClassVar[str] = "must be from 0 to 100"
    top: ClassVar[float] = 100.0

    def apply(self, values: np.ndarray) -> np.ndarray:
        """Gives the logit."""
        share = _EDGE + (1 - 2 * _EDGE) * (values / self.top)
        return np.asarray(np.log(share) - np.log1p(-share))

    def undo(self, values: np.ndarray) -> np.ndarray:
        """Gives the percentage; it is from 0 to 100."""
        share = 0.5 * (1 + np.tanh(0.5 * values))  # the logistic function, without overflow
        return np.asarray(self.top * np.clip((share - _EDGE) / (1 - 2 * _EDGE), 0.0, 1.0))

    def allows(self, values: np.ndarray) -> np.ndarray:
        """Allows what lies within the bounds."""
        return np.asarray(np.isnan(values) | ((values >= 0) & (values <= self.top)))


class LogitFraction(Logit):
    """The logit of a fraction of 1."""

    name: ClassVar[str] = "logit_fraction"
    rule: ClassVar[str] = "must be from 0 to 1"
    top: ClassVar[float] = 1.0


_EDGE = 0.0001  # of the whole
_TINY = np.finfo(np.float64).tiny

NO_TRANSFORM = NoTransform()
AUTO = Undecided()
LOG10, LN, LOG1P, LOGIT, LOGIT_FRACTION = Log10(), Ln(), Log1p(), Logit(), LogitFraction()
TRANSFORMS: dict[str, Transform] = {
    transform.name: transform
    for transform in (NO_TRANSFORM, AUTO, LOG10, LN, LOG1P, LOGIT, LOGIT_FRACTION)
}
"""Every transform by its name."""
