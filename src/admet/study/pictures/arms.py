"""All arms beside one another, over all endpoints."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from admet.figures import BLUE, GREY, ORANGE, PALE, ShownFigure
from admet.study.pictures.style import arm_of, bare, name_rows, rows_height
from admet.study.statistics import LEVEL

if TYPE_CHECKING:
    from admet.study import Study

_ALIKE, _OTHERS = "cannot be told from the best", "worse than the best"


def numbers(study: "Study") -> pd.DataFrame:
    """Gives one row per arm, the best one first.

    `low` and `high` are such that two arms whose intervals do not overlap differ (Tukey's HSD);
    `behind_best` is a share of the loss of the best.
    """
    found = study.all_pairs()
    order = np.argsort(found.means, kind="stable")
    best = found.arms[order[0]]
    half = found.reach / 2
    rows = []
    for index in order:
        arm, mean = found.arms[index], float(found.means[index])
        pair = found.pair(arm, best)
        p = pair.p if arm != best else float("nan")
        rows.append((arm, mean, mean - half, mean + half, pair.relative, p, found.n))
    names = ["arm", "loss", "low", "high", "behind_best", "p_as_best", "blocks"]
    return pd.DataFrame(rows, columns=names)


def pages(table: pd.DataFrame) -> list[Figure]:
    """Draws a row per arm."""
    n = len(table)
    page = ShownFigure(7, 1.7 + rows_height(n) * 1.15)
    ax = page.subplots()
    known = bool(table["low"].notna().all())
    if known:
        best = table.iloc[0]
        ax.axvspan(best["low"], best["high"], color=PALE, zorder=0, linewidth=0)
    columns = (table[key].to_list() for key in ("loss", "low", "high", "p_as_best"))
    for y, (loss, low, high, p) in enumerate(zip(*columns, strict=True)):
        colour, sign = _look(y, p, known)
        if known:
            ax.plot([low, high], [y, y], color=colour, linewidth=1.6)
        ax.plot(loss, y, sign, color=colour, markersize=5.5)
    name_rows(ax, [arm_of(arm) for arm in table["arm"]])
    ax.get_yticklabels()[0].set_fontweight("bold")
    ax.set_xlabel(
        "loss relative to always predicting the mean, mean over endpoints (left: better)",
        fontsize=8,
    )
    ax.tick_params(axis="x", labelsize=7)
    bare(ax, "top", "right", "left")
    _legend(page, table, known)
    return [page]


def _look(place: int, p: float, known: bool) -> tuple[str, str]:
    if not known:
        return (BLUE if place == 0 else GREY), "o"
    return (BLUE, "o") if place == 0 or p > 1 - LEVEL else (ORANGE, "D")


def _legend(page: ShownFigure, table: pd.DataFrame, known: bool) -> None:
    n = int(table["blocks"].iloc[0])
    if not known:
        page.supxlabel("too few arms or folds to say how sure this is", fontsize=8)
        return
    signs = [
        Line2D([], [], color=BLUE, marker="o", markersize=5, label=_ALIKE),
        Line2D([], [], color=ORANGE, marker="D", markersize=5, label=_OTHERS),
    ]
    page.legend(
        handles=signs, loc="outside lower center", ncols=2, fontsize=7, frameon=False,
        title=f"Two arms whose intervals do not overlap differ (Tukey's HSD, 95 %, {n} folds)",
        title_fontsize=8,
    )  # fmt: skip
