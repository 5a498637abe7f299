"""The kinds by name, and which kind labels suggest."""

import numpy as np

from admet.errors import ConfigError
from admet.kinds.base import Kind
from admet.kinds.binary import BINARY
from admet.kinds.regression import REGRESSION

KINDS: dict[str, Kind] = {kind.name: kind for kind in (REGRESSION, BINARY)}
"""Every kind, in the order in which a message lists them."""


def kind_of(name: str) -> Kind:
    """Finds a kind.

    Args:
        name: Its name.

    Returns:
        The kind.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in KINDS:
        known = " or ".join(repr(known) for known in KINDS)
        raise ConfigError(f"A task's kind must be {known}; got {name!r}. Correct it.")
    return KINDS[name]


def infer_kind(values: np.ndarray) -> Kind:
    """Decides what a task is: binary where all labels are 0 or 1, else regression.

    Args:
        values: Its distinct labels, shape (m,).

    Returns:
        The kind.
    """
    return REGRESSION if BINARY.foreign(values).size else BINARY
