"""Which scale labels suggest: the choice of `auto`, and the warning where nobody chose."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from admet.config.quoting import quoted
from admet.data.labels import Labels, Task
from admet.data.transforms import (
    AUTO,
    LOG10,
    LOGIT,
    LOGIT_FRACTION,
    NO_TRANSFORM,
    Logit,
    Transform,
)

if TYPE_CHECKING:
    from admet.data.panel import Panel

log = logging.getLogger(__name__)

DECADES = 2.0
"""Span of positive labels from which their logarithm is considered."""
_LEAST = 5  # distinct labels
_EDGES = 0.05  # share of labels at 0 or at the whole from which on a logit makes them outliers
_PERCENTAGES = ("ppb", "bound", "binding", "bioavail", "inhib")  # what is often given in percent
_LIKE_PERCENT = 50  # labels of such a name are percentages if they go above this
_LOGGED = 2.5  # percentages that are all at or below this may be logarithms of percentages


def suggest(values: np.ndarray, task: Task) -> Transform:
    """Chooses the transform that labels suggest.

    Labels that are percentages or fractions by unit or name, and lie within their bounds, take a
    logit. It is nearly a logarithm close to 0 and keeps predictions within the bounds. It is not
    taken where many labels lie on a bound, or where all are so small that they may be logarithms of
    percentages. Other positive labels over two decades or more take a logarithm where that makes
    them less skewed.

    Args:
        values: Labels, shape (n,), NaN where absent.
        task: Their task; its unit and name tell whether they are percentages.
    """
    known = values[~np.isnan(values)]
    if not task.kind.scaled or len(np.unique(known)) < _LEAST:
        return NO_TRANSFORM
    share = _share_of(task, known.max())
    if share is not None and share.allows(known).all() and known.max() > _LOGGED * share.top / 100:
        return share if np.isin(known, (0.0, share.top)).mean() < _EDGES else NO_TRANSFORM
    spans = known.min() > 0 and decades(known.min(), known.max()) >= DECADES
    return LOG10 if spans and _skew(LOG10.apply(known)) < _skew(known) else NO_TRANSFORM


def _share_of(task: Task, largest: float) -> Logit | None:
    """Tells by unit and name whether a task's labels are percentages or fractions; else None."""
    said = f"{task.name} {task.unit}".casefold()
    if any(word in said for word in ("%", "percent", "pct")):
        return LOGIT
    if largest > _LIKE_PERCENT and any(word in said for word in _PERCENTAGES):
        return LOGIT
    return LOGIT_FRACTION if "fraction" in said else None


def decades(low: float, high: float) -> float:
    """Gives the powers of ten from a positive number to a larger one."""
    return float(np.log10(high) - np.log10(low))


def _skew(values: np.ndarray) -> float:
    """Gives the size of the skewness."""
    centred = values - values.mean()
    scale = np.abs(centred).max()
    if scale == 0:
        return 0.0
    z = centred / scale
    return float(abs((z**3).mean()) / (z**2).mean() ** 1.5)


def decided(panel: "Panel", rows: np.ndarray) -> "Panel":
    """Chooses the transforms that were left to the labels (`auto`).

    Args:
        panel: The panel.
        rows: The molecules that decide, which are those of the training side; indices or a mask. A
            transform that labels of another side do not allow is not taken.

    Returns:
        The panel; none of its transforms is undecided.
    """
    tasks = list(panel.tasks)
    for index, task in enumerate(tasks):
        if task.transform is not AUTO:
            continue
        column = panel.labels.values[:, index]
        chosen = suggest(column[rows], task)
        if not chosen.allows(column).all():
            log.warning(
                "%s: auto leaves the labels as they stand, since those of another side do not "
                "allow %s, which %s",
                task.name,
                chosen,
                chosen.rule,
            )
            chosen = NO_TRANSFORM
        if task.kind.scaled:
            log.info("%s: auto takes the transform %s", task.name, chosen)
        tasks[index] = replace(task, transform=chosen)
    return replace(panel, tasks=tuple(tasks))


def describe_raw_scales(labels: Labels, tasks: Sequence[Task]) -> dict[str, str]:
    """Finds tasks that are learnt as they stand although their labels suggest a transform.

    Args:
        labels: Labels of T tasks.
        tasks: T tasks.

    Returns:
        Task → what to tell the user.
    """
    found = {}
    for task, values in zip(tasks, labels.values.T, strict=True):
        if task.transform is not NO_TRANSFORM:
            continue
        better = suggest(values, task)
        if better is NO_TRANSFORM:
            continue
        low, high = np.nanmin(values), np.nanmax(values)
        why = (
            f"labels from {low:.3g} to {high:.3g}, over {decades(low, high):.1f} decades, are "
            "learnt as they stand: the largest rule the loss, and predictions can be negative"
            if not isinstance(better, Logit)
            else f"labels within 0 and {better.top:g} are learnt as they stand: "
            "predictions can leave that range"
        )
        found[task.name] = (
            f"{task.name}: {why}. Set data.transforms: {{{quoted(task.name)}: {better}}}, or none "
            "if that is meant"
        )
    return found
