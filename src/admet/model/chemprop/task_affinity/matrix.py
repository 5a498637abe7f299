"""The matrix as a table, in the log and on disk."""

import logging
from collections.abc import Hashable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from admet.errors import ConfigError
from admet.files import atomic
from admet.model.chemprop.task_affinity.partition import transfer_scores
from admet.table_files import open_table

if TYPE_CHECKING:
    from admet.model.chemprop.task_affinity.estimator import AffinityEstimate, Doubt
    from admet.model.chemprop.task_affinity.stability import Grouping

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


def log_matrix(matrix: np.ndarray, names: Sequence[str]) -> None:
    """Logs the matrix, one line a task; prints it where nobody listens to the log."""
    lines = ["Task affinity matrix computed:"]
    for name, row in zip(names, matrix, strict=True):
        lines.append(f"  {name}: [{' '.join(f'{value:.3f}' for value in row)}]")
    for line in lines:
        log.info("%s", line)
    if not log.hasHandlers():  # a script or notebook that has not set up logging
        print("\n".join(lines))


def log_doubt(estimate: "AffinityEstimate", names: Sequence[str], shown: int = 10) -> None:
    """Logs what the matrix does not say for sure: tasks with too few labels, pairs around zero."""
    matrix, doubt, n_common = estimate.matrix, estimate.doubt, estimate.n_common
    if doubt is None:
        return
    for index in np.flatnonzero(doubt.too_few_labels()).tolist():
        log.warning(
            "%s: too few labels to say (%d; %.0f %% of its gradient is noise)",
            names[index],
            n_common[index, index],
            100 * (1 - np.nan_to_num(doubt.reliability[index])),
        )
    pairs = np.argwhere(np.triu(uncertain_pairs(doubt), k=1))
    if len(pairs):
        log.info("Pairs whose 95 %% interval holds 0: %d of %d", len(pairs), _n_pairs(len(names)))
    for i, j in pairs[:shown].tolist():
        log.info(
            "  %s – %s: %.3f [%.3f, %.3f], %d molecules in common",
            names[i],
            names[j],
            matrix[i, j],
            doubt.low[i, j],
            doubt.high[i, j],
            n_common[i, j],
        )
    if len(pairs) > shown:
        log.info("  and %d more", len(pairs) - shown)


def uncertain_pairs(doubt: "Doubt") -> np.ndarray:
    """Tells which pairs have an interval that holds 0, shape (T, T)."""
    return np.asarray((doubt.low <= 0) & (doubt.high >= 0))


def _n_pairs(n_tasks: int) -> int:
    return n_tasks * (n_tasks - 1) // 2


def pair_table(estimate: "AffinityEstimate", names: Sequence[str]) -> pd.DataFrame:
    """Lists every ordered pair of tasks.

    Args:
        estimate: The affinity of T tasks.
        names: T names.

    Returns:
        The columns source, target, affinity, low and high (empty without doubt), transfer (see
        `partition.transfer_scores`), n_common, and n_labels of the target.
    """
    off_diagonal = np.argwhere(~np.eye(len(names), dtype=bool))
    rows, columns = off_diagonal[:, 0], off_diagonal[:, 1]
    matrix, n_common, doubt = estimate.matrix, estimate.n_common, estimate.doubt
    transfer = transfer_scores(matrix, n_common.diagonal())
    return pd.DataFrame(
        {
            "source": [names[i] for i in rows.tolist()],
            "target": [names[j] for j in columns.tolist()],
            "affinity": matrix[rows, columns],
            "low": np.nan if doubt is None else doubt.low[rows, columns],
            "high": np.nan if doubt is None else doubt.high[rows, columns],
            "transfer": transfer[rows, columns],
            "n_common": n_common[rows, columns],
            "n_labels": n_common[columns, columns],
        }
    )


def beside(path: Path) -> list[Path]:
    """Gives the tables that are written beside an archive: the matrix and the pairs."""
    return [path.with_suffix(".csv"), path.with_name(f"{path.stem}_pairs.csv")]


def save_affinity(
    path: Path, estimate: "AffinityEstimate", names: Sequence[str], grouping: "Grouping"
) -> None:
    """Writes an affinity and its groups as .npz, the matrix as .csv and the pairs as a second .csv.

    The .npz holds `affinity_matrix` (T, T), `task_names` (T,), `group` (T,), the index of the group
    that serves each task, `members` (G, T), which tasks each group holds, `pair_steps`, `n_common`
    and `transfer` (T, T); with doubt, `low` and `high` (T, T) and `reliability` (T,); where the
    groups' stability is known, `co_assignment` (T, T), `stability` (G,) and `agreement`, a scalar.
    None needs pickle to be read.
    """
    matrix = estimate.matrix
    more: dict[str, np.ndarray] = {}
    if estimate.doubt is not None:
        doubt = estimate.doubt
        more |= {
            "low": doubt.low,
            "high": doubt.high,
            "reliability": doubt.reliability,
        }
    if grouping.co_assignment is not None:
        more["co_assignment"] = grouping.co_assignment
        more["stability"] = np.array(grouping.stability(names))
        more["agreement"] = np.array(grouping.agreement)
    index = {name: i for i, group in enumerate(grouping.groups) for name in group.serves}
    with ExitStack() as stack:  # the three take their names together, once all are written
        table, pairs = (stack.enter_context(open_table(p)) for p in beside(path))
        archive = stack.enter_context(atomic(path))
        np.savez(
            archive,
            affinity_matrix=matrix,
            task_names=np.array(list(names)),
            group=np.array([index[name] for name in names]),
            members=np.array([[name in g.tasks for name in names] for g in grouping.groups]),
            pair_steps=estimate.pair_steps,
            n_common=estimate.n_common,
            transfer=transfer_scores(matrix, estimate.n_common.diagonal()),
            allow_pickle=False,
            **more,
        )
        table.write(affinity_matrix_to_dataframe(matrix, names).reset_index(names=""))
        pairs.write(pair_table(estimate, names))
