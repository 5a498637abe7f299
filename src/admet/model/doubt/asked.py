"""What a user asks to be told beside the predictions."""

from dataclasses import dataclass

from admet.errors import ConfigError


@dataclass(frozen=True)
class Asked:
    """What is wanted beside the predictions.

    Attributes:
        intervals: The share of new labels that an interval shall hold; None for no intervals.
        nearest: Whether the nearest training molecule of each task is wanted.
    """

    intervals: float | None = None
    nearest: bool = False

    def __post_init__(self) -> None:
        level = self.intervals
        if level is not None and not (
            isinstance(level, int | float) and not isinstance(level, bool) and 0 < level < 1
        ):
            raise ConfigError(
                f"`intervals` must be a share between 0 and 1, as 0.8; got {level!r}."
            )

    def __bool__(self) -> bool:
        return self.intervals is not None or self.nearest


NOTHING = Asked()
"""Predictions alone."""
