"""The file that encoders start from, and the configuration that follows it."""

import logging
from typing import TypeVar

from admet.config import TrainConfig
from admet.model.chemprop.start import Start

log = logging.getLogger(__name__)

C = TypeVar("C", bound=TrainConfig)


def read_start(config: TrainConfig) -> Start | None:
    """Reads the file of `model.init_from`; None where none is named.

    Raises:
        ConfigError: If it cannot be used.
    """
    path = config.model.init_from
    return None if path is None else Start.read(path)


def following(config: C, start: Start | None) -> C:
    """Gives a configuration whose encoder has the shape of a file; says which keys follow it.

    Args:
        config: The configuration as the user gave it.
        start: The file; None changes nothing.

    Raises:
        ConfigError: If the user has set another shape.
    """
    if start is None:
        return config
    passing = config.model.message_passing
    followed = start.shape(passing)
    if not followed:
        return config
    shown = ", ".join(f"{key} {value}" for key, value in followed.items())
    log.info("The encoder follows %s: %s", start.path.name, shown)
    model = config.model.model_copy(update={"message_passing": passing.model_copy(update=followed)})
    return config.model_copy(update={"model": model})


def origin_of(start: Start | None) -> dict[str, dict[str, str]]:
    """Describes the file for `run.json`; empty where there is none."""
    if start is None:
        return {}
    return {"init_from": {"file": start.path.name, "sha256": start.sha256}}
