"""The matrix: what it must be, its distances, and the matrix as a table."""

import logging
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from admet.errors import ConfigError

log = logging.getLogger(__name__)

_LARGEST = 1e100  # sums of larger numbers leave the range of floats


def affinity_matrix_to_dataframe(
    affinity_matrix: np.ndarray, task_names: Sequence[str]
) -> pd.DataFrame:
    """Labels the rows (sources) and columns (targets) of a matrix.

    Args:
        affinity_matrix: Shape (T, T).
        task_names: T names.

    Returns:
        A T × T frame.

    Raises:
        ConfigError: If the shape does not fit the names.
    """
    matrix = check_matrix(affinity_matrix, task_names)
    return pd.DataFrame(matrix, index=list(task_names), columns=list(task_names))


def check_matrix(affinity_matrix: np.ndarray, task_names: Sequence[str]) -> np.ndarray:
    """Gives the matrix as float64, shape (T, T).

    Raises:
        ConfigError: If it does not hold real numbers, is empty or not square, does not fit the
            names, or a name stands twice.
    """
    matrix = real_numbers(affinity_matrix, "affinity_matrix")
    if not len(task_names):
        raise ConfigError("`task_names` must hold at least one task; got none.")
    if matrix.ndim != 2 or matrix.shape != (len(task_names), len(task_names)):
        raise ConfigError(
            f"`affinity_matrix` must have shape ({len(task_names)}, {len(task_names)}) for the "
            f"{len(task_names)} names in `task_names`; got {matrix.shape}."
        )
    if (np.abs(matrix) > _LARGEST).any():
        raise ConfigError(
            f"`affinity_matrix` must hold NaN or finite numbers, at most {_LARGEST:g} in size; it "
            f"holds {np.nanmax(np.abs(matrix)):g}."
        )
    if not all(isinstance(name, Hashable) for name in task_names):
        raise ConfigError(f"`task_names` must hold names; got {list(task_names)}.")
    if len({str(name) for name in task_names}) != len(task_names):
        raise ConfigError(f"`task_names` must differ from one another; got {list(task_names)}.")
    return matrix


def real_numbers(values: Any, name: str) -> np.ndarray:
    """Gives an argument as float64.

    Raises:
        ConfigError: If it does not hold real numbers, in rows of one length.
    """
    try:
        if np.iscomplexobj(values):
            raise TypeError("complex numbers")
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ConfigError(
            f"`{name}` must be an array of real numbers; got {type(values).__name__} ({error})."
        ) from None


def distances(affinity: np.ndarray) -> np.ndarray:
    """Turns affinities, shape (T, T), into distances 1 − affinity with a zero diagonal."""
    distance: np.ndarray = np.maximum(1 - affinity, 0.0)
    np.fill_diagonal(distance, 0.0)
    return distance


def drawn_unknown(affinity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Replaces NaN off the diagonal by affinities of known pairs, drawn at random.

    A pair of which nothing was seen may be like any other: groups that rest on it are not stable.
    """
    drawn = affinity.copy()
    known = drawn[~np.eye(len(drawn), dtype=bool) & ~np.isnan(drawn)]
    if known.size:
        i, j = np.nonzero(np.triu(np.isnan(drawn) | np.isnan(drawn.T), k=1))
        drawn[i, j] = drawn[j, i] = rng.choice(known, len(i))
    return fill_unknown(drawn, quiet=True)


def fill_unknown(affinity: np.ndarray, quiet: bool = False) -> np.ndarray:
    """Replaces NaN off the diagonal by the mean of the known pairs (0 if none is known)."""
    filled = affinity.copy()
    np.fill_diagonal(filled, 1.0)
    unknown = np.isnan(filled)
    if unknown.any():
        off_diagonal = ~np.eye(len(filled), dtype=bool)
        known = filled[off_diagonal & ~unknown]
        neutral = float(known.mean()) if known.size else 0.0
        filled[unknown] = neutral
        if not quiet:
            log.warning(
                "%d unknown pair(s) enter the grouping with the mean affinity of the known ones, "
                "%.3f",
                int(np.triu(unknown | unknown.T).sum()),
                neutral,
            )
    return filled
