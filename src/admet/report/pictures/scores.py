"""How far the test errors are from those of a model that knows nothing."""

import pandas as pd
from matplotlib.figure import Figure

from admet.evaluation import Scores
from admet.evaluation.metrics import KNOWS_NOTHING
from admet.figures import BLUE, GREY, ORANGE, PALE
from admet.report.pictures.rows import rows

_AXES = {
    "RAE": "error relative to always predicting the mean (left: better)",
    "AUROC": "AUROC (right: better)",
}


def numbers(scores: Scores, metric: str) -> pd.DataFrame:
    """Gives one row per task that has the metric: task, n, value, low, high (NaN: not known)."""
    found = [
        (name, task.n, cell.value, cell.low, cell.high)
        for name, task in scores.tasks.items()
        if (cell := task.values.get(metric)) is not None and cell.value is not None
    ]
    numbers = pd.DataFrame(found, columns=["task", "n", "value", "low", "high"])
    return numbers.astype(dict.fromkeys(("value", "low", "high"), float))


def draw(table: pd.DataFrame, metric: str) -> Figure:
    """Draws a row per task: a point with its interval; what holds the limit is a diamond."""
    limit, lower = KNOWS_NOTHING[metric]
    page, ax, places = rows(list(table["task"]))
    ax.axvline(limit, color=GREY, linewidth=1.2, linestyle="--")
    columns = (table[key].tolist() for key in ("value", "low", "high"))
    for (y,), (value, low, high) in zip(places, zip(*columns, strict=True), strict=True):
        sure = high < limit or low > limit  # False where there is no interval
        colour, sign = (BLUE, "o") if sure else (ORANGE, "D")
        ax.plot([low, high], [y, y], color=colour, linewidth=1.5)
        ax.plot(value, y, sign, color=colour, markersize=5)
    if lower:
        ax.axvspan(limit, max(ax.get_xlim()[1], 1.05), color=PALE, zorder=0, linewidth=0)
    ax.set_xlabel(_AXES[metric], fontsize=8)
    page.supxlabel(
        "dashed: knows nothing; diamond: the interval reaches it", fontsize=7, color=GREY
    )
    return page
