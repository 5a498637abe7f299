"""How many labels lay in their intervals."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from admet.report.pictures.rows import LOOKS, rows


def draw(table: pd.DataFrame) -> Figure:
    """Draws a row per task: the share of labels in intervals of each level, and the level."""
    tasks = list(table["task"].unique())
    levels = sorted(float(level) for level in table["level"].unique())
    page, ax, places = rows(tasks, len(levels))
    signs = []
    for mark, level in enumerate(levels):
        colour, sign = LOOKS[mark % len(LOOKS)]
        part = table[table["level"] == level]
        ax.axvline(100 * level, color=colour, linewidth=1, linestyle="--")
        heights = [places[tasks.index(task)][mark] for task in part["task"]]
        ax.plot(100 * part["coverage"], heights, sign, color=colour, markersize=5)
        said = f"intervals for {100 * level:g} %"
        signs.append(Line2D([], [], color=colour, marker=sign, linestyle="--", label=said))
    low = 100 * float(np.nanmin(table["coverage"])) if len(table) else 50.0
    ax.set_xlim(max(0.0, min(low - 5, 70.0)), 101)
    ax.set_xlabel("labels in their intervals, %", fontsize=8)
    page.legend(handles=signs, loc="outside lower center", ncols=2, fontsize=7, frameon=False)
    return page
