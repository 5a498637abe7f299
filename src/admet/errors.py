"""Every error that `admet` raises on purpose.

    AdmetError                      the base: one readable message, exit code 2
    ├── ConfigError (ValueError)            a key, a flag or an argument breaks its rule
    ├── DataError (ValueError)              the table, a column, a label or a molecule
    │   └── DataFileNotFoundError (FileNotFoundError)
    ├── NoGradientStepsError (RuntimeError) the affinity phase found nothing to learn
    ├── RunDirectoryError (ValueError)      a run directory is absent, damaged, or in the way
    ├── OutputError (OSError)               a disk or a folder does not take what is written
    ├── DeviceError (RuntimeError)          the device asked for is not there
    ├── WorkerError (RuntimeError)          a process that reads molecules or does fits died
    └── NumericalError (ArithmeticError)    a loss or a gradient is not a number

Each class also subclasses the built-in that a caller would expect: `except ValueError` works too.
"""

import difflib
from collections.abc import Iterable, Sequence


class AdmetError(Exception):
    """Base of all errors that name a fault of the input and its remedy."""


class ConfigError(AdmetError, ValueError):
    """A configuration key, flag or argument breaks its rule."""


class DataError(AdmetError, ValueError):
    """The table, one of its columns, its labels or its molecules cannot be used."""


class DataFileNotFoundError(DataError, FileNotFoundError):
    """The named data file does not exist."""


class NoGradientStepsError(AdmetError, RuntimeError):
    """No batch of the affinity phase held a molecule with a label."""


class RunDirectoryError(AdmetError, ValueError):
    """A run directory is missing, incomplete, damaged, too new, or would be overwritten."""


class OutputError(AdmetError, OSError):
    """A disk is full, or a folder cannot be written to."""


class DeviceError(AdmetError, RuntimeError):
    """The compute device that was asked for is not available."""


class WorkerError(AdmetError, RuntimeError):
    """A process that reads molecules or does the fits of a study died, or a cluster is gone."""


class NumericalError(AdmetError, ArithmeticError):
    """A loss or a gradient became NaN or infinite."""


class AffinityWarning(UserWarning):
    """The affinity says less than was asked of it."""


_LISTED = 6


def listed(items: Sequence[str]) -> str:
    """Lists the first of many, for a message."""
    more = f", and {len(items) - _LISTED} more" * (len(items) > _LISTED)
    return ", ".join(items[:_LISTED]) + more


_NEAREST = 3


def near_names(name: str, known: Iterable[str]) -> str:
    """Says which known names come closest to a wrong one.

    Args:
        name: The name that was not found.
        known: All names that would have been right.

    Returns:
        A sentence that begins with "Nearest: ", or one that lists what exists.
    """
    choices: Sequence[str] = list(known)
    folded = {c.casefold(): c for c in choices}
    hits = difflib.get_close_matches(name.casefold(), list(folded), n=_NEAREST, cutoff=0.5)
    inside = [f for f in folded if name.casefold() in f and f not in hits]
    near = [folded[h] for h in (*hits, *inside)][:_NEAREST]
    if near:
        return "Nearest: " + ", ".join(repr(c) for c in near) + "."
    shown = ", ".join(repr(c) for c in choices[:20])
    more = f" and {len(choices) - 20} more" if len(choices) > 20 else ""
    return f"There are: {shown}{more}." if choices else "There are none."
