"""What the log says of a measurement."""

import logging
import warnings
from collections.abc import Sequence

import numpy as np

from admet.errors import AffinityWarning
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate

log = logging.getLogger(__name__)

_SHOWN = 10  # pairs


def log_matrix(matrix: np.ndarray, names: Sequence[str]) -> None:
    """Logs the matrix, one line per task; prints it where nobody listens to the log."""
    lines = ["Task affinity matrix computed:"]
    for name, row in zip(names, matrix, strict=True):
        lines.append(f"  {name}: [{' '.join(f'{value:.3f}' for value in row)}]")
    for line in lines:
        log.info("%s", line)
    if not log.hasHandlers():  # a script or notebook that has not set up logging
        print("\n".join(lines))


def log_doubt(estimate: AffinityEstimate, names: Sequence[str]) -> None:
    """Logs what the matrix does not say for sure: tasks with too few labels, pairs around zero."""
    matrix, doubt, n_common = estimate.matrix, estimate.doubt, estimate.n_common
    if doubt is None:
        return
    for index in np.flatnonzero(doubt.too_few_labels()).tolist():
        log.warning(
            "%s: too few labels to say (%d; %.0f %% of what was measured is noise)",
            names[index],
            n_common[index, index],
            100 * (1 - np.nan_to_num(doubt.reliability[index])),
        )
    pairs = np.argwhere(np.triu(doubt.holds_zero, k=1))
    if len(pairs):
        log.info("Pairs whose 95 %% interval holds 0: %d of %d", len(pairs), _n_pairs(len(names)))
    for i, j in pairs[:_SHOWN].tolist():
        log.info(
            "  %s – %s: %.3f [%.3f, %.3f], %d molecules in common",
            names[i],
            names[j],
            matrix[i, j],
            doubt.low[i, j],
            doubt.high[i, j],
            n_common[i, j],
        )
    if len(pairs) > _SHOWN:
        log.info("  and %d more", len(pairs) - _SHOWN)


def _n_pairs(n_tasks: int) -> int:
    return n_tasks * (n_tasks - 1) // 2


def warn_of_unknown(estimate: AffinityEstimate, names: Sequence[str]) -> None:
    """Warns (`AffinityWarning`) of pairs whose affinity is unknown, and says why."""
    unseen = (estimate.pair_steps == 0) | (estimate.pair_steps == 0).T
    unknown = np.argwhere(np.triu(unseen, k=1))
    if not len(unknown):
        return
    shown = "; ".join(f"{names[i]} – {names[j]}" for i, j in unknown[:5])
    more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
    warnings.warn(
        f"The affinity of {len(unknown)} pair(s) of tasks is unknown (NaN): {shown}{more}. "
        f"{estimate.unknown}",
        AffinityWarning,
        stacklevel=4,  # the caller of `compute`
    )
