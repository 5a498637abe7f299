"""Tells when the outputs of a pretrained input may know the labels of a panel."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from admet.data import Panel
from admet.evaluation.metrics import auroc
from admet.model.inputs.admet_ai import output_names

log = logging.getLogger(__name__)

INPUT = "admet_ai"
"""The one input whose numbers are predictions of public endpoints."""
_SUSPICIOUS = 0.7
FEWEST = 30
"""Labels; fewer are ranked well by chance."""
_A_TASK, _MOST = 200, 2000  # molecules of a sample


@dataclass(frozen=True)
class Seen:
    """An output of an input that ranks labels of a task well without any training.

    Attributes:
        task: The task.
        output: The output.
        rank: Spearman's correlation with the labels; 2 AUROC − 1 for a binary task.
    """

    task: str
    output: str
    rank: float


def seen_in(panel: Panel, outputs: np.ndarray) -> list[Seen]:
    """Finds the tasks whose labels an output of ADMET-AI ranks at 0.7 or better.

    Either its training held these labels, or the endpoint is one that it predicts well.

    Args:
        panel: n molecules and their labels.
        outputs: The input of them, shape (n, 41).

    Returns:
        At most one entry a task, for tasks with 30 labels or more.
    """
    found = []
    for task, y in zip(panel.tasks, panel.labels.values.T, strict=True):
        known = ~np.isnan(y)
        if known.sum() < FEWEST or (y[known] == y[known][0]).all():
            continue
        labels, given = y[known], outputs[known].T.astype(float)  # (41, m)
        if task.kind.scaled:
            ranks = [float(stats.spearmanr(labels, column).statistic) for column in given]
        else:
            ranks = (2 * auroc(np.broadcast_to(labels, given.shape), given) - 1).tolist()
        best = int(np.nanargmax(np.abs(ranks)))
        if abs(ranks[best]) >= _SUSPICIOUS:
            found.append(Seen(task.name, output_names()[best], ranks[best]))
    return found


def sample_of(panel: Panel, seed: int = 0) -> np.ndarray:
    """Chooses molecules with some 200 labels of each task, at most 2,000 in all, increasing.

    Tasks with few labels come first, and molecules that are chosen already count for the others.
    """
    present = panel.labels.present
    chosen = np.zeros(len(panel), dtype=bool)
    order = np.random.default_rng(seed).permutation(len(panel))
    for task in np.argsort(present.sum(axis=0), kind="stable"):
        wanted = _A_TASK - int((chosen & present[:, task]).sum())
        left = order[present[order, task] & ~chosen[order]]
        chosen[left[: max(0, min(wanted, _MOST - int(chosen.sum())))]] = True
    return np.flatnonzero(chosen)


def warn_of(found: Sequence[Seen], remedy: str) -> None:
    """Logs a line for each such task, and what to do."""
    for entry in found:
        log.warning(
            "%s: the output %s of %s ranks its labels at %.2f before any training",
            entry.task,
            entry.output,
            INPUT,
            entry.rank,
        )
    if found:
        log.warning(
            "If these labels were in the training of ADMET-AI, results with %s and %s_hidden prove "
            "nothing: %s",
            INPUT,
            INPUT,
            remedy,
        )
