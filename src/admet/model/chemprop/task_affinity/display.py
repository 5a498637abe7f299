"""Affinities and groupings as tables and pictures in a notebook."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from admet.names import short_number
from admet.notebook import table_html, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
    from admet.model.chemprop.task_affinity.groups.grouping import Grouping


def names_of(estimate: "AffinityEstimate") -> list[str]:
    """Gives the names of the tasks; their places where nobody named them."""
    return list(estimate.names) or [f"task {i}" for i in range(len(estimate.matrix))]


def pairs_of(estimate: "AffinityEstimate") -> pd.DataFrame:
    """Gives one row per ordered pair: source, target, affinity, its interval, common molecules."""
    names, matrix, doubt = names_of(estimate), estimate.matrix, estimate.doubt
    sources, targets = np.nonzero(~np.eye(len(names), dtype=bool))
    columns = {
        "source": [names[i] for i in sources],
        "target": [names[j] for j in targets],
        "affinity": matrix[sources, targets],
        "low": np.full(len(sources), np.nan) if doubt is None else doubt.low[sources, targets],
        "high": np.full(len(sources), np.nan) if doubt is None else doubt.high[sources, targets],
        "molecules_in_common": estimate.n_common[sources, targets],
    }
    return pd.DataFrame(columns)


def estimate_html(estimate: "AffinityEstimate") -> str:
    """Writes the matrix as a table; a pair whose interval holds 0 is in brackets."""
    names, doubt = names_of(estimate), estimate.doubt
    unsure = np.zeros(estimate.matrix.shape, dtype=bool) if doubt is None else doubt.holds_zero
    rows = [
        {"source": name, "labels": int(estimate.n_common[i, i])}
        | {
            other: f"({short_number(value)})" if unsure[i, j] and i != j else short_number(value)
            for j, (other, value) in enumerate(zip(names, estimate.matrix[i], strict=True))
        }
        for i, name in enumerate(names)
    ]
    notes = [] if doubt is None else ["In brackets: the 95 % interval holds 0."]
    return table_html(rows, "Task affinity", notes)


def estimate_plot(estimate: "AffinityEstimate") -> "Figure":
    """Draws the heatmap; pairs whose interval holds 0 are hatched."""
    from admet.model.chemprop.task_affinity.plots import (  # noqa: PLC0415 - seaborn takes a second
        plot_task_affinity_heatmap,
    )

    unsure = None if estimate.doubt is None else estimate.doubt.holds_zero
    return plot_task_affinity_heatmap(estimate.matrix, names_of(estimate), uncertain=unsure)


def grouping_frame(grouping: "Grouping") -> pd.DataFrame:
    """Gives one row per group and task of it: group, from 1; task; serves; stability."""
    rows = [
        (number, name, name in group.serves, stability)
        for number, (group, stability) in enumerate(
            zip(grouping.groups, grouping.stability, strict=True), start=1
        )
        for name in group.tasks
    ]
    return pd.DataFrame(rows, columns=["group", "task", "serves", "stability"])


def grouping_html(grouping: "Grouping") -> str:
    """Writes one row per group."""
    rows = [
        {
            "group": number,
            "tasks": ", ".join(group.tasks),
            "serves": "all" if group.serves == group.tasks else ", ".join(group.serves),
            "stability": short_number(stability),
        }
        for number, (group, stability) in enumerate(
            zip(grouping.groups, grouping.stability, strict=True), start=1
        )
    ]
    return table_html(rows, "Groups of tasks", _said(grouping))


def grouping_plot(grouping: "Grouping") -> "Figure":
    """Draws how often two tasks came to one group over draws of the affinity, group by group.

    Where there were no draws, it draws which tasks share a group.
    """
    from admet.figures import squares  # noqa: PLC0415 - matplotlib takes a second

    order = [name for group in grouping.groups for name in group.serves]
    rows = [grouping.names.index(name) for name in order]
    together = grouping.co_assignment
    if together is None:
        members = grouping.members.astype(float)
        together = (members.T @ members > 0).astype(float)
        return squares(together[np.ix_(rows, rows)], order, "Groups", "share a group", 0, 1)
    title = "How often two tasks come to one group"
    return squares(together[np.ix_(rows, rows)], order, title, "share of the draws", 0, 1)


def _said(grouping: "Grouping") -> Sequence[str]:
    """Says how far the grouping can be trusted."""
    notes = []
    if not math.isnan(grouping.agreement):
        notes.append(
            f"Agreement of two measurements: {short_number(grouping.agreement)} (1: the same)."
        )
    if not math.isnan(grouping.chance):
        told = "told" if grouping.is_told_from_chance else "not told"
        share = with_interval(100 * grouping.chance, None, None)
        notes.append(f"Chance gives groups as distinct in {share} %: {told} from chance.")
    return notes
