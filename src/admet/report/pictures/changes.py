"""What is served against the baselines: the picture of a verdict."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from admet.figures import BLACK, GREY, PALE
from admet.report.pictures.rows import LOOKS, rows
from admet.study.pictures.differences import ends
from admet.study.pictures.style import arm_of

MOST = 24
"""Endpoints that are drawn; of more, those with the largest changes."""
_UNCLEAR = "unclear"


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Gives the rows that are drawn: all, or those of the endpoints that change most, and of all.

    Args:
        table: The numbers of the picture `differences` of a study.
    """
    tasks = list(table["task"].unique())
    if len(tasks) <= MOST:
        return table
    first = table[table["baseline"] == table["baseline"].iloc[0]]
    order = first.iloc[:-1].set_index("task")["change"].sort_values(kind="stable").index
    kept = {*order[: MOST // 2], *order[-(MOST // 2 - 1) :], tasks[-1]}
    return table[table["task"].isin(kept)]


def draw(table: pd.DataFrame) -> Figure:
    """Draws a row per endpoint, and in it a mark with its interval per baseline.

    A mark is filled where it is told whether what is served is better, worse or the same.
    """
    tasks, bases = list(table["task"].unique()), list(table["baseline"].unique())
    page, ax, places = rows(tasks, len(bases))
    low_end, high_end = ends(table)
    share = 100 * float(table["equivalence"].iloc[0])
    ax.axvspan(-share, share, color=PALE, zorder=0, linewidth=0)
    ax.axvline(0, color=BLACK, linewidth=0.8, zorder=1)
    for mark, base in enumerate(bases):
        own = table[table["baseline"] == base].set_index("task").loc[tasks]
        for row, task in enumerate(tasks):
            _mark(ax, own.loc[task], places[row][mark], mark, (low_end, high_end))
    ax.set_xlim(low_end, high_end)
    ax.set_xlabel("change of loss, % (left: better)", fontsize=8)
    signs = [
        Line2D([], [], color=LOOKS[mark][0], marker=LOOKS[mark][1], markersize=5,
               label=f"against {arm_of(base)}")
        for mark, base in enumerate(bases)
    ]  # fmt: skip
    signs.append(Line2D([], [], color=PALE, linewidth=7, label=f"within {share:g} %: none"))
    page.legend(
        handles=signs, loc="outside lower center", ncols=2, fontsize=7, frameon=False,
        title="with 95 % intervals; hollow: not enough evidence", title_fontsize=7,
    )  # fmt: skip
    return page


def _mark(ax: Axes, row: pd.Series, y: float, mark: int, reach: tuple[float, float]) -> None:
    """Draws a change; what goes beyond the axis ends in an arrow."""
    colour, sign = LOOKS[mark]
    change, low, high = (100 * float(row[key]) for key in ("change", "low", "high"))
    if change != change:  # noqa: PLR0124 - NaN
        ax.text(0, y, "not known", ha="center", va="center", fontsize=6, color=GREY)
        return
    ax.plot([max(low, reach[0]), min(high, reach[1])], [y, y], color=colour, linewidth=1.4)
    for beyond, place, arrow in zip((low < reach[0], high > reach[1]), reach, "<>", strict=True):
        if beyond:
            ax.plot(place, y, arrow, color=colour, markersize=4, clip_on=False)
    face = "white" if row["verdict"] == _UNCLEAR else colour
    ax.plot(change, y, sign, color=colour, markerfacecolor=face, markersize=5, zorder=3)
