"""A row per endpoint, narrow enough for a phone: names stand above their rows."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from admet.figures import BLUE, GREY, ORANGE, ShownFigure
from admet.study.pictures.style import bare, name_of, name_rows, names_width, rows_height

LOOKS = ((BLUE, "o"), (ORANGE, "s"), (GREY, "^"))
"""Colour and sign of each mark of a row."""
_WIDTH = 3.9  # inches, as a phone shows them
_ROW, _LINE = 0.3, 0.16  # inches of a row with its name, and of each further mark in it
_LONGEST = 52  # characters of a name above its row
_MOST = 60  # rows up to which names stand above them


def rows(names: Sequence[str], n_marks: int = 1) -> tuple[ShownFigure, Axes, list[list[float]]]:
    """Makes a page with a place for each mark of each row, the first row on top.

    Args:
        names: Of the rows; beyond 60 they stand beside rows that grow thinner.
        n_marks: Marks in a row, one below the other.

    Returns:
        The page, its axes, and for each row the height of its marks in the units of the axes.
    """
    n = len(names)
    above = n <= _MOST
    shown = [name_of(str(name), _LONGEST if above else 40) for name in names]
    height = n * (_ROW + n_marks * _LINE) if above else rows_height(n)
    page = ShownFigure(_WIDTH if above else _WIDTH + names_width(shown), 1.0 + height)
    ax = page.subplots()
    name_rows(ax, shown)
    step = _LINE / (_ROW + n_marks * _LINE) if above else 0.8 / n_marks
    first = 0.5 - n_marks * step if above else -0.4 + step / 2
    if above:
        for y, name in enumerate(shown):
            ax.text(
                0.0, y - 0.5 + 0.06, name, transform=ax.get_yaxis_transform(), fontsize=8,
                va="top", clip_on=False,
            )  # fmt: skip
        ax.set_yticks([])
    for y in range(1, n):
        ax.axhline(y - 0.5, color=GREY, linewidth=0.3, alpha=0.5)
    ax.tick_params(axis="x", labelsize=7)
    bare(ax, "top", "right", "left")
    return page, ax, [[y + first + mark * step for mark in range(n_marks)] for y in range(n)]
