"""Tells when a pretrained input may know the labels of a panel."""

import logging
from dataclasses import dataclass

import numpy as np
from scipy import stats

from admet.evaluation.metrics import auroc
from admet.model.inputs.admet_ai import output_names
from admet.study.material import Material

log = logging.getLogger(__name__)

INPUT = "admet_ai"  # the one input whose numbers are predictions of public endpoints
_SUSPICIOUS = 0.7
_FEWEST = 30  # labels; fewer are ranked well by chance


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


def seen_labels(material: Material) -> list[Seen]:
    """Finds the tasks whose labels an output of ADMET-AI ranks at 0.7 or better.

    Either its training held these labels, or the endpoint is one that it predicts well.

    Args:
        material: Panel and inputs.

    Returns:
        At most one entry a task; none where that input is not used.
    """
    panel, outputs = material.panel, material.inputs.get(INPUT)
    if outputs is None:
        return []
    found = []
    for task, y in zip(panel.tasks, panel.labels.values.T, strict=True):
        known = ~np.isnan(y)
        if known.sum() < _FEWEST:
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


def warn_of_seen_labels(material: Material) -> None:
    """Logs a line for each such task, and what to do."""
    found = seen_labels(material)
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
            "nothing: leave both out of study.inputs and model.extra_inputs",
            INPUT,
            INPUT,
        )
