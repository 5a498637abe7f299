"""How far each arm is behind the best one of each endpoint."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from admet.figures import BLACK, GREY, PALE, VERMILLION, ShownFigure
from admet.study.pictures.style import arm_of, font_of, name_of, name_rows, names_width, rows_height

if TYPE_CHECKING:
    from admet.study import Study

_COLUMN = 0.62  # inches
_SMALLEST = 4.5  # points of a number that can be read
_LEAST, _MOST = 5.0, 100.0  # percent at which the colours end, whatever the numbers are
_COLOURS = "Blues"


def numbers(study: "Study") -> pd.DataFrame:
    """Gives one row per endpoint, and for all, and arm; `behind_best` is a share of the best's."""
    rows = []
    for task in [verdict.task for verdict in study.verdicts]:
        found = study.all_pairs(task)
        best = np.nanmin(found.means) if np.isfinite(found.means).any() else np.nan
        for arm, mean in zip(found.arms, found.means.tolist(), strict=True):
            behind = 0.0 if mean == best else mean / best - 1 if best > 0 else np.inf
            rows.append((task, arm, mean, behind if np.isfinite(mean) else np.nan, mean == best))
    return pd.DataFrame(rows, columns=["task", "arm", "loss", "behind_best", "best"])


def pages(table: pd.DataFrame) -> list[Figure]:
    """Draws a row per endpoint and a column per arm."""
    tasks, arms = list(table["task"].unique()), list(table["arm"].unique())
    values = table.pivot_table("behind_best", "task", "arm", dropna=False, sort=False)
    cells = 100 * values.loc[tasks, arms].to_numpy(float)  # (T, A)
    names = [name_of(task) for task in tasks]
    width = max(1.7 + names_width(names) + _COLUMN * len(arms), 4)
    page = ShownFigure(width, max(1.4 + rows_height(len(tasks)), 2.3))
    ax = page.subplots()
    end = _end(cells)
    ax.set_facecolor(PALE)
    image = ax.imshow(
        np.ma.masked_invalid(np.minimum(cells, 10 * end)),
        cmap=_COLOURS, vmin=0, vmax=end, aspect="auto", interpolation="nearest",
    )  # fmt: skip
    name_rows(ax, names)
    ax.get_yticklabels()[-1].set_fontweight("bold")
    ax.xaxis.tick_top()
    ax.set_xticks(
        range(len(arms)), [arm_of(arm) for arm in arms], rotation=40, ha="left",
        rotation_mode="anchor", fontsize=8,
    )  # fmt: skip
    ax.tick_params(axis="x", length=0)
    ax.axhline(len(tasks) - 1.5, color=BLACK, linewidth=1)
    _fill(ax, cells, end)
    beyond = np.nanmax(cells, initial=0) > end
    bar = page.colorbar(image, ax=ax, shrink=min(1, 3 / page.get_figheight()), aspect=12,
                        extend="max" if beyond else "neither")  # fmt: skip
    bar.set_label("loss above\nthe best arm's, %", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    return [page]


def _end(cells: np.ndarray) -> float:
    """Gives the percentage of the darkest colour: one bad arm must not make all others white."""
    known = cells[np.isfinite(cells)]
    usual = float(np.quantile(known, 0.9)) if known.size else 0.0
    return float(np.clip(usual, _LEAST, _MOST))


def _fill(ax: Axes, cells: np.ndarray, end: float) -> None:
    """Writes numbers where they can be read, and frames the best arm of each endpoint."""
    size = min(7.0, font_of(len(cells)))
    for (y, x), value in np.ndenumerate(cells):
        if value == 0:
            ax.add_patch(
                Rectangle(
                    (x - 0.47, y - 0.44), 0.94, 0.88, fill=False, edgecolor=VERMILLION, lw=1.4
                )
            )
        if size >= _SMALLEST:
            ax.text(x, y, _text(value), ha="center", va="center", fontsize=size,
                    color=_ink(value, end), fontweight="bold" if value == 0 else None)  # fmt: skip


def _text(value: float) -> str:
    if np.isnan(value):
        return "–"
    if value == 0:
        return "best"
    if value >= 1000:
        return ">999"
    return f"+{value:.0f}" if value >= 9.95 else f"+{value:.1f}"


def _ink(value: float, end: float) -> str:
    """Gives the letters a colour that stands out from their cell."""
    if np.isnan(value):
        return GREY
    red, green, blue, _ = colormaps[_COLOURS](min(value / end, 1.0))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.5 else "black"
