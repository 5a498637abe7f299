"""Which scale labels speak for: the choice of `auto`, and the warning where nobody chose."""

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
_EDGES = 0.05  # share of labels at 0 or at the whole above which a logit makes outliers of them
_PERCENTAGES = ("ppb", "bound", "binding", "bioavail", "inhib")  # what is given in percent
_LIKE_PERCENT = 50  # such labels go so high where they are
_LOGGED = 2.5  # percentages that are all below may be logarithms of percentages


def suggest(values: np.ndarray, task: Task) -> Transform:
    """Chooses the transform that labels speak for.

    Percentages (or fractions) by unit or name, within their bounds, take a logit, which is nearly a
    logarithm close to 0 and keeps predictions within the bounds; not where many lie on a bound.
    Positive labels over two decades or more take a logarithm where it is less skewed than they are.

    Args:
        values: Labels, shape (n,), NaN where absent.
        task: Whose they are; its unit and name tell a percentage.
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
    """Tells what share of what a task's labels are by its unit and name; None for no share."""
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
        rows: The molecules that decide, those of the training side, indices or a mask. A transform
            that labels of another side do not allow is not taken.

    Returns:
        The panel, without a transform that is undecided.
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
    """Finds tasks that are learnt as they stand although their labels speak for a transform.

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
