"""The matrix as a table, in the log and on disk."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from admet.errors import ConfigError
from admet.files import atomic

if TYPE_CHECKING:
    from admet.model.chemprop.task_affinity.grouping import Grouping

log = logging.getLogger(__name__)


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
        ConfigError: If it is not square, does not fit the names, or a name stands twice.
    """
    matrix = np.asarray(affinity_matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape != (len(task_names), len(task_names)):
        raise ConfigError(
            f"`affinity_matrix` must have shape ({len(task_names)}, {len(task_names)}) for the "
            f"{len(task_names)} names in `task_names`; got {matrix.shape}."
        )
    if np.isinf(matrix).any():
        raise ConfigError("`affinity_matrix` must hold finite numbers or NaN; it holds infinity.")
    if len(set(task_names)) != len(task_names):
        raise ConfigError(f"`task_names` must differ from one another; got {list(task_names)}.")
    return matrix


def log_matrix(matrix: np.ndarray, names: Sequence[str]) -> None:
    """Logs the matrix, one line a task; prints it where nobody listens to the log."""
    lines = ["Task affinity matrix computed:"]
    for name, row in zip(names, matrix, strict=True):
        lines.append(f"  {name}: [{' '.join(f'{value:.3f}' for value in row)}]")
    for line in lines:
        log.info("%s", line)
    if not log.hasHandlers():  # a script or notebook that has not set up logging
        print("\n".join(lines))


def save_affinity(
    path: Path,
    matrix: np.ndarray,
    names: Sequence[str],
    grouping: "Grouping",
    pair_steps: np.ndarray,
) -> None:
    """Writes matrix, names and groups as .npz, and the matrix as .csv beside it.

    The .npz holds `affinity_matrix` (T, T), `task_names` (T,), `group` (T,), the index of the group
    that serves each task, `members` (G, T), which tasks each group holds, and `pair_steps` (T, T).
    None needs pickle to be read.
    """
    index = {name: i for i, group in enumerate(grouping.served()) for name in group}
    with atomic(path) as partial:
        np.savez(
            partial,
            affinity_matrix=matrix,
            task_names=np.array(list(names)),
            group=np.array([index[name] for name in names]),
            members=np.array([[name in group for name in names] for group in grouping.groups]),
            pair_steps=pair_steps,
        )
    with atomic(path.with_suffix(".csv")) as partial:
        affinity_matrix_to_dataframe(matrix, names).to_csv(partial)
