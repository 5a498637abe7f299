"""Squares of tasks: what two of them have in common."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.figure import Figure

from admet.figures import ShownFigure
from admet.study.pictures.style import name_of, names_width

_NUMBERS = 16  # tasks up to which a cell holds its number
_COLOURS = "Blues"
_MOST_NAMES = 70  # along an axis


def numbers(values: np.ndarray, names: Sequence[str], column: str) -> pd.DataFrame:
    """Gives one row per pair of tasks, each pair once, and per task with itself."""
    rows, columns = np.triu_indices(len(names))
    return pd.DataFrame(
        {
            "task": [names[i] for i in rows.tolist()],
            "other": [names[j] for j in columns.tolist()],
            column: values[rows, columns],
        }
    )


def draw(
    values: np.ndarray, names: Sequence[str], label: str, *, largest: float | None = None
) -> Figure:
    """Draws a square.

    Args:
        values: Shape (T, T), at least 0.
        names: T names.
        label: What the colours mean.
        largest: The value of the darkest colour; None takes the largest value off the diagonal.
    """
    n = len(names)
    shown = [name_of(str(name)) for name in names]
    side = float(np.clip(0.42 * n, 1.2, 7.0))
    margin = names_width(shown)
    page = ShownFigure(side + margin + 0.9, side + margin + 0.2)
    ax = page.subplots()
    off = values[~np.eye(n, dtype=bool)]
    end = largest or float(off.max(initial=0)) or 1.0
    image = ax.imshow(np.minimum(values, end), cmap=_COLOURS, vmin=0, vmax=end)
    step = -(-n // _MOST_NAMES)
    size = float(np.clip(0.62 * 72 * side / n * step, 3.5, 8.0))
    ax.set_xticks(range(0, n, step), shown[::step], rotation=90, fontsize=size)
    ax.set_yticks(range(0, n, step), shown[::step], fontsize=size)
    ax.tick_params(length=0)
    if n <= _NUMBERS:
        for (y, x), value in np.ndenumerate(values):
            red, green, blue, _ = colormaps[_COLOURS](min(value / end, 1.0))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            ax.text(
                x, y, f"{value:,.0f}" if end > 1 else f"{value:.2f}", ha="center", va="center",
                fontsize=6, color="white" if dark else "black",
            )  # fmt: skip
    bar = page.colorbar(image, ax=ax, shrink=min(1.0, 2.5 / side), aspect=14)
    bar.set_label(label, fontsize=7)
    bar.ax.tick_params(labelsize=6)
    return page
