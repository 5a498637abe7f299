"""Figures that a notebook shows, without display or global state."""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from admet.names import short_names

# Okabe and Ito, Color Universal Design, 2008: told apart by all eyes.
BLACK, BLUE, GREEN, ORANGE, VERMILLION = "#000000", "#0072B2", "#009E73", "#E69F00", "#D55E00"
GREY, PALE = "#767676", "#e6e6e6"

_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, "#CC79A7", "#56B4E9")
_SIGNS = ("o", "s", "^", "D", "v", "P")
_DPI = 100  # of a figure in a notebook
_NAME = 40  # letters of a name
_WIDTH, _ROW, _TALLEST = 7.0, 0.3, 60.0  # inches


class ShownFigure(Figure):
    """A figure that a notebook shows where it is the last value of a cell."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(self)

    def _repr_png_(self) -> bytes:
        content = io.BytesIO()
        with drawing():
            self.savefig(content, format="png", dpi=_DPI)
        return content.getvalue()


@contextmanager
def drawing() -> Iterator[None]:
    """Draws a sign that no font has as a box, without a word, and the same file each time."""
    with warnings.catch_warnings(), rc_context({"svg.hashsalt": "admet"}):
        warnings.filterwarnings("ignore", r"Glyph \d+ .*missing from")
        yield


@dataclass(frozen=True)
class Mark:
    """A value in a row of a picture, with its interval.

    Attributes:
        row: Name of the row.
        series: Which colour it has.
        value: The value; NaN draws nothing.
        low: Lower end of the interval; NaN where there is none.
        high: Upper end.
    """

    row: str
    series: str
    value: float
    low: float
    high: float


def intervals(marks: Sequence[Mark], title: str, axis: str, zero: float | None = None) -> Figure:
    """Draws values with their intervals, a row for each name, from above.

    Args:
        marks: What is drawn.
        title: What it shows.
        axis: What the numbers are.
        zero: Where a line marks no difference; None draws none.

    Returns:
        The figure, which a notebook shows.
    """
    rows = list(dict.fromkeys(mark.row for mark in marks))
    series = list(dict.fromkeys(mark.series for mark in marks))
    figure = ShownFigure(_WIDTH, min(1.4 + _ROW * len(rows) * max(len(series) / 2, 1), _TALLEST))
    ax = figure.subplots()
    spread = 0.6 / max(len(series), 1)
    for index, name in enumerate(series):
        own = [mark for mark in marks if mark.series == name]
        y = [rows.index(mark.row) + spread * (index - (len(series) - 1) / 2) for mark in own]
        x = np.array([mark.value for mark in own])
        ends = np.array([[mark.value - mark.low, mark.high - mark.value] for mark in own]).T
        colour, sign = _COLOURS[index % len(_COLOURS)], _SIGNS[index % len(_SIGNS)]
        ax.errorbar(
            x, y, xerr=np.clip(np.nan_to_num(ends), 0, None), fmt=sign, color=colour, capsize=2,
            markersize=4, linestyle="none", label=name,
        )  # fmt: skip
    if zero is not None:
        ax.axvline(zero, color=GREY, linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(rows)), short_names(rows, _NAME), fontsize=8)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlabel(axis)
    ax.set_title(title, loc="left", fontsize=10)
    ax.grid(axis="x", color=PALE)
    ax.set_axisbelow(True)
    if len(series) > 1:
        legend = ax.legend(fontsize=8, loc="best")
        for text in legend.get_texts():
            text.set_parse_math(False)
    for text in (*ax.get_yticklabels(), ax.title):
        text.set_parse_math(False)  # a name may hold dollar signs
    return figure


def squares(
    matrix: np.ndarray, names: Sequence[str], title: str, bar: str, low: float, high: float
) -> Figure:
    """Draws a square matrix in colours.

    Args:
        matrix: Shape (T, T).
        names: T names.
        title: What it shows.
        bar: What the colours are.
        low: The number at one end of the colours.
        high: The number at the other.

    Returns:
        The figure, which a notebook shows.
    """
    side = min(2.5 + _ROW * len(names), _TALLEST)
    figure = ShownFigure(side + 1.5, side)
    ax = figure.subplots()
    image = ax.imshow(matrix, vmin=low, vmax=high, cmap="viridis", interpolation="none")
    short = short_names(list(names), _NAME)
    ax.set_xticks(range(len(names)), short, rotation=90, fontsize=8)
    ax.set_yticks(range(len(names)), short, fontsize=8)
    ax.set_title(title, loc="left", fontsize=10)
    figure.colorbar(image, ax=ax, label=bar, shrink=0.8)
    for text in (*ax.get_xticklabels(), *ax.get_yticklabels()):
        text.set_parse_math(False)
    return figure
