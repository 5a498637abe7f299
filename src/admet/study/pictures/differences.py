"""What is served against single-task and multi-task, endpoint by endpoint."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from admet.figures import BLACK, BLUE, GREEN, GREY, PALE, VERMILLION, ShownFigure
from admet.study.pictures.style import (
    arm_of,
    bare,
    name_of,
    name_rows,
    names_width,
    only_words,
    rows_height,
)

if TYPE_CHECKING:
    from admet.study import Study

_WORDS = {
    "better": (BLUE, "o", "better"),
    "worse": (VERMILLION, "X", "worse"),
    "same": (GREEN, "s", "no difference"),
    "unclear": (GREY, "D", "not enough evidence"),
}
"""Verdict → colour, sign, and what the legend says."""


def numbers(study: "Study") -> pd.DataFrame:
    """Gives one row per endpoint, and one for all, and baseline; changes are shares of its loss."""
    rows = [
        {
            "task": verdict.task,
            "labels": verdict.n,
            "served": verdict.served,
            "baseline": base,
            "change": gain.mean,
            "low": gain.low,
            "high": gain.high,
            "p_better": gain.better,
            "p_same": gain.same,
            "p_worse": gain.worse,
            "verdict": gain.verdict,
            "equivalence": study.config.study.equivalence,
        }
        for verdict in study.verdicts
        for base, gain in verdict.gains.items()
    ]
    return pd.DataFrame(rows)


def pages(table: pd.DataFrame) -> list[Figure]:
    """Draws a row per endpoint and a column per baseline."""
    if table.empty:
        return [
            only_words("Neither single_task nor multi_task was compared: there is no baseline.")
        ]
    tasks = list(table["task"].unique())
    bases = list(table["baseline"].unique())
    names = [name_of(task) for task in tasks]
    page = ShownFigure(
        max(0.8 + names_width(names) + 3 * len(bases), 6), 1.7 + rows_height(len(tasks))
    )
    axes = page.subplots(1, len(bases), sharex=True, sharey=True, squeeze=False)[0]
    reach = ends(table)
    for ax, base in zip(axes, bases, strict=True):
        own = table[table["baseline"] == base].set_index("task").loc[tasks]
        _column(ax, own, reach)
        ax.set_title(f"change to {arm_of(base)}", fontsize=9)
        ax.set_xlabel("change of loss, % (left: better)", fontsize=8)
        name_rows(ax, names)
    axes[0].get_yticklabels()[-1].set_fontweight("bold")
    _legend(page, table)
    return [page]


def _column(ax: Axes, rows: pd.DataFrame, ends: tuple[float, float]) -> None:
    """Draws the changes to one baseline; what reaches beyond the axis ends in an arrow."""
    share = 100 * float(rows["equivalence"].iloc[0])
    change, low, high = (100 * rows[key].to_numpy(float) for key in ("change", "low", "high"))
    ax.axvspan(-share, share, color=PALE, zorder=0, linewidth=0)
    ax.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
    ax.axhline(len(rows) - 1.5, color=GREY, linewidth=0.6)
    for y, (x, start, stop, word) in enumerate(
        zip(change, low, high, rows["verdict"], strict=True)
    ):
        if not np.isfinite(x):
            ax.text(
                0, y, "not known", ha="center", va="center", fontsize=6, color=GREY,
                bbox={"color": "white", "pad": 1},
            )  # fmt: skip
            continue
        colour, sign, _ = _WORDS[word]
        reached = [max(start, ends[0]), min(stop, ends[1])]
        ax.plot(reached, [y, y], color=colour, linewidth=1.4, zorder=2)
        for beyond, place, arrow in zip((start < ends[0], stop > ends[1]), ends, "<>", strict=True):
            if beyond:
                ax.plot(place, y, arrow, color=colour, markersize=4, clip_on=False)
        ax.plot(x, y, sign, color=colour, markersize=4.5, zorder=3)
    ax.set_xlim(*ends)
    ax.tick_params(axis="x", labelsize=7)
    bare(ax, "top", "right", "left")


def ends(table: pd.DataFrame) -> tuple[float, float]:
    """Gives where the axes end, in percent: one wide interval must not make all others dots."""
    change, low, high = (100 * table[key].to_numpy(float) for key in ("change", "low", "high"))
    least = max(200 * float(table["equivalence"].iloc[0]), 1.0)
    return -_end(-change, -low, least), _end(change, high, least)


def _end(change: np.ndarray, ends: np.ndarray, least: float) -> float:
    """Gives the end of the side on which numbers are positive."""
    change, ends = change[np.isfinite(change)], ends[np.isfinite(ends)]
    if not ends.size:
        return least
    usual = 2.5 * float(np.median(np.abs(ends)))
    needed = 1.15 * float(change.max())  # each mean stands on the axis
    return max(min(1.05 * float(ends.max()), max(usual, needed)), least)


def _legend(page: ShownFigure, table: pd.DataFrame) -> None:
    found = [word for word in _WORDS if (table["verdict"] == word).any()]
    signs = [
        Line2D([], [], color=_WORDS[w][0], marker=_WORDS[w][1], markersize=4.5, label=_WORDS[w][2])
        for w in found
    ]
    share = f"{100 * float(table['equivalence'].iloc[0]):g}"
    signs.append(Line2D([], [], color=PALE, linewidth=7, label=f"within {share} %: no difference"))
    served = arm_of(str(table["served"].iloc[0]))
    page.legend(
        handles=signs, loc="outside lower center", ncols=len(signs), fontsize=7, frameon=False,
        title=f"{served}, with 95 % intervals; a word where it has a probability of 90 %",
        title_fontsize=8,
    )  # fmt: skip
