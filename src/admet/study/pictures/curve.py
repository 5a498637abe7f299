"""The loss of a cheap arm against the number of labels that it learns from."""

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from admet.figures import BLUE, GREY, ShownFigure
from admet.study.pictures.style import arm_of, bare, name_of

if TYPE_CHECKING:
    from admet.study import Study

_A_PAGE, _A_ROW = 12, 3
_SIDE = 2.3  # inches of a panel


def numbers(study: "Study") -> pd.DataFrame:
    """Gives the table of the curve."""
    return study.curve


def pages(table: pd.DataFrame) -> list[Figure]:
    """Draws a panel per endpoint and one for all, at most twelve on a page."""
    parts = [part for _, part in table.groupby("task", sort=False)]
    return [_page(parts[i : i + _A_PAGE]) for i in range(0, len(parts), _A_PAGE)]


def _page(parts: list[pd.DataFrame]) -> ShownFigure:
    n_columns = min(_A_ROW, len(parts))
    n_rows = -(-len(parts) // n_columns)
    page = ShownFigure(max(_SIDE * n_columns, 4.5) + 0.2, _SIDE * n_rows + 0.6)
    arm = arm_of(str(parts[0]["arm"].iloc[0]))
    page.suptitle(f"{arm}: loss on tested folds (grey) and their mean (blue)", fontsize=9)
    axes = page.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[len(parts) :]:
        ax.set_axis_off()
    for ax, part in zip(axes, parts, strict=False):
        _panel(ax, part)
    return page


def _panel(ax: Axes, part: pd.DataFrame) -> None:
    for _, fold in part.groupby("fold"):
        ax.plot(fold["labels"], fold["loss"], color=GREY, linewidth=0.7, marker=".", markersize=3)
    mean = part.groupby("share")[["labels", "loss"]].mean()
    ax.plot(mean["labels"], mean["loss"], color=BLUE, linewidth=1.6, marker="o", markersize=4)
    ax.set_xscale("log")
    ax.set_xticks(mean["labels"].round().to_list())
    ax.xaxis.set_major_formatter(ScalarFormatter())
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_title(name_of(str(part["task"].iloc[0]), 30), fontsize=7)
    ax.set_xlabel("labels learnt from", fontsize=7)
    ax.set_ylabel("loss", fontsize=7)
    ax.tick_params(labelsize=6)
    bare(ax, "top", "right")
