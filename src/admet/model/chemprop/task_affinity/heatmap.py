"""How a heatmap of the matrix is drawn: colours, names, doubt, notes, frames, sizes."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from admet.errors import ConfigError
from admet.figures import ShownFigure
from admet.files import PICTURES, atomic, check_output
from admet.model.chemprop.task_affinity.matrix import real_numbers

_ANNOTATE_UP_TO = 16  # tasks; beyond, the numbers would not fit their cells
_LABEL_WIDTH = 24  # characters of a line of a task's name
_UNKNOWN = "#b8b8b8"
_LARGEST = 200  # inches
_ROOMY_UP_TO = 40  # tasks; beyond, a cell has no room for hatches, a row for two lines
_TALL = 18  # inches; beyond, a figure holds so many names that the layout takes long
_DPI, _WIDEST = 300, 8000  # pixels an inch; pixels of a saved picture
_MOST_LABELS = 220  # on an axis; with more tasks every second, third, … is named
_MARGIN = 1.1  # of a saved picture around the figure, for labels that reach beyond it
_NOTE_WIDTH = 11  # small characters of a note an inch of the figure's width
_ROOM = 12  # inches of a figure from which its notes are written larger


def mark_uncertain(ax: Axes, cells: np.ndarray) -> str:
    """Hatches cells, shape (T, T), or fades them where they are small, and says what that means.

    Hatching thousands of cells takes minutes, and would not be seen.
    """
    cells = cells & ~np.eye(len(cells), dtype=bool)
    how = "hatched" if len(cells) <= _ROOMY_UP_TO else "faded"
    if how == "hatched":
        for i, j in np.argwhere(cells):
            ax.add_patch(
                Rectangle((j, i), 1, 1, fill=False, hatch="//", edgecolor="#a0a0a0", linewidth=0)
            )
    else:
        veil = np.ones((*cells.shape, 4))
        veil[..., 3] = np.where(cells, 0.6, 0.0)
        ax.pcolorfast((0, len(cells)), (0, len(cells)), veil)
    return f"{how}: the 95 % interval holds 0, the sign of the affinity is not known"


def heatmap(
    ax: Axes,
    matrix: np.ndarray,
    names: Sequence[str],
    cmap: str,
    n_labels: Sequence[int] | None = None,
) -> None:
    """Draws the cells, shape (T, T), and names rows and columns; rows with their labels, if given.

    Raises:
        ConfigError: If there is no such colour map.
    """
    if cmap not in colormaps:
        raise ConfigError(f"`cmap` must be a colour map of matplotlib; got {cmap!r}.")
    n_tasks = len(matrix)
    labels = [_label(str(name), n_tasks) for name in names]
    size = float(np.clip(130 / n_tasks, 6, 10))
    step = -(-n_tasks // _MOST_LABELS)  # names are drawn for every so many tasks
    ax.set_facecolor(_UNKNOWN)
    sns.heatmap(
        matrix,
        mask=np.isnan(matrix),
        ax=ax,
        cmap=cmap,
        vmin=-1,
        vmax=1,
        center=0,
        square=True,
        annot=n_tasks <= _ANNOTATE_UP_TO,
        fmt=".2f",
        annot_kws={"fontsize": size},
        linewidths=0.5 if n_tasks <= _ANNOTATE_UP_TO else 0,
        rasterized=n_tasks > _ANNOTATE_UP_TO,  # a drawing of lines holds many cells as an image
        cbar_kws={"label": "affinity", "shrink": 0.8},
        xticklabels=False,
        yticklabels=False,
    )
    places, labels = np.arange(0, n_tasks, step) + 0.5, labels[::step]
    ax.set_xticks(places)
    ax.set_yticks(places)
    tilt = 0 if n_tasks <= 4 and max(map(len, names)) < 12 else 90 if n_tasks > 25 else 45
    ax.set_xticklabels(
        labels,
        rotation=tilt,
        ha="right" if tilt == 45 else "center",
        rotation_mode="anchor" if tilt == 45 else "default",
        fontsize=size,
    )
    if n_labels is not None:
        counts = [f"{int(n):,}" for n in n_labels][::step]
        labels = [f"{label} ({n})" for label, n in zip(labels, counts, strict=True)]
    ax.set_yticklabels(labels, rotation=0, fontsize=size)


def add_notes(ax: Axes, notes: Sequence[str], inches: float) -> None:
    """Writes what has to be said below the picture, which has so many inches."""
    size = 8 if inches < _ROOM else 11
    width = int(_NOTE_WIDTH * inches * 8 / size)
    lines = [textwrap.fill(literal(note), width) for note in notes if note]
    ax.set_xlabel("\n".join(lines), fontsize=size, color="#444444", labelpad=8)


def _label(name: str, n_tasks: int) -> str:
    """Wraps a name, or cuts it where a row has room for one line alone."""
    if n_tasks <= _ROOMY_UP_TO:
        return textwrap.fill(literal(name), _LABEL_WIDTH)
    longest = 2 * _LABEL_WIDTH
    return literal(name if len(name) <= longest else f"{name[: longest - 1]}…")


def drawable(names: Sequence[str]) -> list[str]:
    """Gives names that a font can draw: what UTF-8 does not hold becomes a question mark."""
    return [str(name).encode("utf-8", "replace").decode("utf-8") for name in names]


def literal(text: str) -> str:
    """Keeps matplotlib from reading what stands between two dollar signs as mathematics."""
    return str(text).replace("$", r"\$")


def outline(ax: Axes, names: Sequence[str], groups: Sequence[Sequence[str]]) -> None:
    """Frames the groups whose tasks stand side by side."""
    for group in groups:
        if stand_together(names, group):
            start = min(names.index(name) for name in group)
            stop = start + len(group)
            edge = [start, stop, stop, start, start], [start, start, stop, stop, start]
            ax.plot(*edge, color="black", linewidth=1.8, clip_on=False)


def stand_together(names: Sequence[str], group: Sequence[str]) -> bool:
    """Tells whether the tasks of a group stand side by side, so that it can be framed."""
    places = [names.index(name) for name in group]
    return max(places) - min(places) + 1 == len(places)


def _size(n_tasks: int) -> tuple[float, float]:
    side = float(np.clip(3.2 + 0.62 * n_tasks, 5, 15))
    side = max(side, min(0.1 * n_tasks, 22.0))  # a row holds a name of the smallest letters
    return side + 1.2, side


def new_figure(size: tuple[float, float] | None, n_tasks: int, taller: float = 1.0) -> Figure:
    """Makes a figure that needs no display and no global state.

    Raises:
        ConfigError: If the size is not valid.
    """
    sides = _size(n_tasks) if size is None else real_numbers(size, "figsize")
    if np.shape(sides) != (2,) or not all(0 < side <= _LARGEST for side in sides):
        raise ConfigError(
            f"`figsize` must be a width and a height, above 0 and at most {_LARGEST} inches; got "
            f"{size!r}."
        )
    width, height = float(sides[0]), float(sides[1])
    return ShownFigure(width, height * taller)


def finish(
    figure: Figure, save_path: str | Path | None, align: tuple[Axes, Axes] | None = None
) -> Figure:
    """Settles the layout and saves the figure, if told where.

    Args:
        figure: The figure.
        save_path: Where to; None saves nothing.
        align: A dendrogram and its heatmap, which shall have the same columns.

    Raises:
        ConfigError: If the picture cannot be saved.
    """
    if figure.get_figheight() > _TALL:
        # Hundreds of names take seconds each time that they are laid out: once will do.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
    if align:
        # The colour bar narrows the heatmap only: settle the layout, then give the dendrogram the
        # heatmap's place, so that each leaf stands above its column.
        figure.draw_without_rendering()
        figure.set_layout_engine("none")
        top, heatmap = align[0].get_position(), align[1].get_position()
        align[0].set_position((heatmap.x0, top.y0, heatmap.width, top.height))
    if save_path is not None:
        path = Path(save_path)
        check_output(path, "save_path", PICTURES)
        with atomic(path) as partial:
            dpi = min(_DPI, _WIDEST / (_MARGIN * figure.get_figwidth()))
            figure.savefig(partial, dpi=dpi, bbox_inches="tight")
    return figure
