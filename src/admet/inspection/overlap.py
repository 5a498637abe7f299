"""What the tasks of a panel share: molecules, and how their labels go together there."""

import numpy as np

from admet.data import Panel
from admet.evaluation.metrics import spearman

LEAST_SHARED = 10
"""Molecules with labels of both tasks from which a correlation is given."""


def shared_molecules(panel: Panel) -> np.ndarray:
    """Counts molecules with labels of both tasks, shape (T, T); a task's own on the diagonal."""
    present = panel.labels.present.astype(np.float64)
    return np.asarray((present.T @ present).astype(np.int64))


def label_correlations(panel: Panel) -> np.ndarray:
    """Correlates the ranks of the labels of two tasks on the molecules that have both.

    Source: Spearman, Am. J. Psychol. 1904, 15, 72.

    Returns:
        Shape (T, T), 1 on the diagonal; NaN where fewer than `LEAST_SHARED` molecules have both, or
        a label does not vary there.
    """
    values = panel.labels.values
    n_tasks = values.shape[1]
    found = np.full((n_tasks, n_tasks), np.nan)
    np.fill_diagonal(found, 1.0)
    present = panel.labels.present
    for i in range(n_tasks):
        for j in range(i):
            both = present[:, i] & present[:, j]
            if both.sum() >= LEAST_SHARED:
                found[i, j] = found[j, i] = spearman(values[None, both, i], values[None, both, j])[
                    0
                ]
    return found
