"""How pictures of a study look: rows, names as they are, files."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from admet.figures import ShownFigure, drawing
from admet.files import atomic

_DPI = 300
_LONGEST = 40  # characters of a name
_END = 13  # of these, those of its end where it is cut: names of a series differ there
_TALLEST = 40.0  # inches of rows
_ROW = 0.25  # inches
_SIGN = 0.068  # inches of a letter of 8 points


def save(figure: Figure, path: Path) -> None:
    """Writes a figure, whole or not at all.

    Args:
        figure: The figure.
        path: The file; its ending says the format.
    """
    with atomic(path) as partial, drawing():
        dated = {"Date": None} if path.suffix == ".svg" else {}
        figure.savefig(partial, dpi=_DPI, metadata=dated)


def plain(text: str) -> str:
    """Gives text that is drawn as it stands.

    What stands between two dollar signs is no mathematics, and what cannot be drawn or written to
    an SVG file becomes a question mark.
    """
    signs = (" " if sign.isspace() else sign if sign.isprintable() else "?" for sign in text)
    return "".join(signs).replace("$", r"\$")


def name_of(text: str, longest: int = _LONGEST) -> str:
    """Gives a name of at most so many characters; a longer one lacks its middle."""
    if len(text) > longest:
        text = f"{text[: longest - _END - 1]}…{text[-_END:]}"
    return plain(text)


def arm_of(name: str) -> str:
    """Gives an arm as it is said in a picture."""
    return name_of(name.replace("_", " "))


def rows_height(n: int) -> float:
    """Gives the height of n rows, in inches."""
    return min(_ROW * n, _TALLEST)


def font_of(n: int) -> float:
    """Gives the size of letters that stand in one of n rows, in points."""
    return min(8.0, 0.55 * 72 * rows_height(n) / n)


def names_width(names: list[str]) -> float:
    """Gives the width of the longest name beside rows, in inches."""
    return 0.2 + _SIGN * max(map(len, names))


def name_rows(ax: Axes, names: list[str]) -> None:
    """Names rows, the first one on top."""
    n = len(names)
    ax.set_yticks(range(n), names, fontsize=font_of(n))
    ax.set_ylim(n - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)


def bare(ax: Axes, *sides: str) -> None:
    """Takes away frames that say nothing."""
    for side in sides:
        ax.spines[side].set_visible(False)


def only_words(text: str) -> ShownFigure:
    """Gives a picture that says why there is nothing to draw."""
    page = ShownFigure(6, 1.2)
    ax = page.subplots()
    ax.set_axis_off()
    ax.text(0.5, 0.5, plain(text), ha="center", va="center", fontsize=9)
    return page
