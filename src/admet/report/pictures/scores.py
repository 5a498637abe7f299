"""How far the test errors are from those of a model that knows nothing."""

import pandas as pd
from matplotlib.figure import Figure

from admet.evaluation import Scores
from admet.figures import BLUE, GREY, ORANGE, PALE
from admet.report.pictures.rows import rows

# Metric → what a model that knows nothing has, and what the axis says.
_METRICS = {
    "RAE": (1.0, "error relative to always predicting the mean (left: better)"),
    "AUROC": (0.5, "AUROC (right: better)"),
}


def numbers(scores: Scores, metric: str) -> pd.DataFrame:
    """Gives one row per task that has the metric: task, n, value, low, high."""
    found = [
        (name, task.n, cell.value, cell.low, cell.high)
        for name, task in scores.tasks.items()
        if (cell := task.values.get(metric)) is not None and cell.value is not None
    ]
    return pd.DataFrame(found, columns=["task", "n", "value", "low", "high"])


def draw(table: pd.DataFrame, metric: str) -> Figure:
    """Draws a row per task: a point with its interval; what holds the limit is a diamond."""
    limit, words = _METRICS[metric]
    page, ax, places = rows(list(table["task"]))
    ax.axvline(limit, color=GREY, linewidth=1.2, linestyle="--")
    columns = (table[key].astype(float).tolist() for key in ("value", "low", "high"))
    for (y,), (value, low, high) in zip(places, zip(*columns, strict=True), strict=True):
        sure = high < limit or low > limit  # False where there is no interval
        colour, sign = (BLUE, "o") if sure else (ORANGE, "D")
        ax.plot([low, high], [y, y], color=colour, linewidth=1.5)
        ax.plot(value, y, sign, color=colour, markersize=5)
    if metric == "RAE":
        ax.axvspan(limit, max(ax.get_xlim()[1], 1.05), color=PALE, zorder=0, linewidth=0)
    ax.set_xlabel(words, fontsize=8)
    page.supxlabel(
        "dashed: knows nothing; diamond: the interval reaches it", fontsize=7, color=GREY
    )
    return page
