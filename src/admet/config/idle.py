"""Keys that were set but have no effect: the user is told."""

import logging
from collections.abc import Mapping

log = logging.getLogger(__name__)


def warn_of_idle_keys(idle: Mapping[str, str]) -> None:
    """Logs one warning per reason.

    Args:
        idle: What `Section.idle_keys` found: keys, each with why it has no effect.
    """
    for why in dict.fromkeys(idle.values()):
        keys = [key for key in idle if idle[key] == why]
        log.warning("%s, so these do nothing: %s", why, ", ".join(keys))
