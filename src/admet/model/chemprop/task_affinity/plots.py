"""Heatmaps of the matrix, readable from two tasks to some hundreds."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import seaborn as sns
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage
from scipy.spatial.distance import squareform

from admet.errors import ConfigError
from admet.figures import ShownFigure
from admet.files import PICTURES, atomic, check_output
from admet.model.chemprop.task_affinity.matrix import (
    check_matrix,
    distances,
    fill_unknown,
    real_numbers,
)

_ANNOTATE_UP_TO = 16  # tasks; beyond, the numbers would not fit their cells
_LABEL_WIDTH = 24  # characters of a line of a task's name
_UNKNOWN = "#b8b8b8"
_LARGEST = 200  # inches
_ROOMY_UP_TO = 40  # tasks; beyond, a cell has no room for hatches, a row for two lines
_TALL = 18  # inches; beyond, a figure holds so many names that the layout takes long
_DPI, _WIDEST = 150, 4000  # pixels an inch; pixels of a saved picture
_MOST_LABELS = 220  # on an axis; with more tasks every second, third, … is named
_MARGIN = 1.1  # of a saved picture around the figure, for labels that reach beyond it


def plot_task_affinity_heatmap(
    affinity_matrix: np.ndarray,
    task_names: Sequence[str],
    *,
    title: str = "Task affinity",
    figsize: tuple[float, float] | None = None,
    cmap: str = "RdBu_r",
    save_path: str | Path | None = None,
    uncertain: np.ndarray | None = None,
) -> Figure:
    """Draws the matrix in the order of the tasks.

    Args:
        affinity_matrix: Shape (T, T); NaN cells are grey.
        task_names: T names; long ones are wrapped.
        title: Title of the figure.
        figsize: Width and height in inches; None fits them to the number of tasks.
        cmap: A matplotlib colour map, centred on zero.
        save_path: Where to save (format by its ending); missing folders are made. None saves
            nothing.
        uncertain: Pairs to hatch, shape (T, T), such as those whose interval holds 0; with more
            than 40 tasks their cells are faded instead.

    Returns:
        The figure.

    Raises:
        ConfigError: If the shape does not fit the names, or the picture cannot be saved.
    """
    matrix = check_matrix(affinity_matrix, task_names)
    names = _names(task_names)
    hatched = np.zeros(matrix.shape, dtype=bool) if uncertain is None else np.asarray(uncertain)
    if hatched.shape != matrix.shape:
        raise ConfigError(
            f"`uncertain` must have the shape of the matrix, {matrix.shape}; got {hatched.shape}."
        )
    figure = _figure(figsize, len(matrix))
    ax = figure.subplots()
    _heatmap(ax, matrix, names, cmap)
    if hatched.any():
        _mark_uncertain(ax, hatched.astype(bool))
    ax.set_title(_literal(title), pad=14)
    return _finish(figure, save_path)


def plot_task_affinity_clustermap(
    affinity_matrix: np.ndarray,
    task_names: Sequence[str],
    *,
    title: str = "Task affinity, clustered",
    figsize: tuple[float, float] | None = None,
    cmap: str = "RdBu_r",
    save_path: str | Path | None = None,
    groups: Sequence[Sequence[str]] | None = None,
) -> Figure:
    """Draws the matrix in the order of its dendrogram (average linkage on 1 − affinity).

    Args:
        affinity_matrix: Shape (T, T); NaN cells are grey and enter the dendrogram as the mean.
        task_names: T names.
        title: Title of the figure.
        figsize: Width and height in inches; None fits them to the number of tasks.
        cmap: A matplotlib colour map, centred on zero.
        save_path: Where to save; None saves nothing.
        groups: Groups to outline, where their tasks stand side by side.

    Returns:
        The figure.

    Raises:
        ConfigError: If the shape does not fit the names, a group holds other names or none, or the
            picture cannot be saved.
    """
    matrix = check_matrix(affinity_matrix, task_names)
    if len(matrix) < 2:
        return plot_task_affinity_heatmap(
            matrix, task_names, title=title, figsize=figsize, cmap=cmap, save_path=save_path
        )
    filled = fill_unknown((matrix + matrix.T) / 2)
    tree = linkage(squareform(distances(filled), checks=False), method="average")
    order = leaves_list(tree)
    known = _names(task_names)
    for group in groups or ():
        if not len(group) or set(_names(group)) - set(known):
            raise ConfigError(
                f"`groups` must hold names of `task_names`, at least one each; got {list(group)}."
            )
    figure = _figure(figsize, len(matrix), taller=1.18)
    top, ax = figure.subplots(2, 1, height_ratios=[1, 6])
    dendrogram(
        tree,
        ax=top,
        no_labels=True,
        link_color_func=lambda _: "#444444",
    )
    top.set_ylabel("1 − affinity", fontsize=8)
    top.tick_params(labelsize=7)
    for side in ("top", "right", "bottom"):
        top.spines[side].set_visible(False)
    top.set_title(_literal(title), pad=10)
    names = [known[i] for i in order]
    _heatmap(ax, matrix[np.ix_(order, order)], names, cmap)
    _outline(ax, names, [_names(group) for group in groups or ()])
    return _finish(figure, save_path, align=(top, ax))


plot_clustered_heatmap = plot_task_affinity_clustermap
"""The same function by its first name."""


def _mark_uncertain(ax: Axes, cells: np.ndarray) -> None:
    """Hatches cells, shape (T, T), and says below what that means; fades them where they are small.

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
    ax.text(
        1.0, 1.01, f"{how}: the 95 % interval holds 0", transform=ax.transAxes,
        ha="right", va="bottom", fontsize=7, color="#555555",
    )  # fmt: skip


def _heatmap(ax: Axes, matrix: np.ndarray, names: Sequence[str], cmap: str) -> None:
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
    ax.set_yticklabels(labels, rotation=0, fontsize=size)
    if np.isnan(matrix).any():
        ax.set_xlabel("grey: never labelled in one batch, unknown", fontsize=8)


def _label(name: str, n_tasks: int) -> str:
    """Wraps a name, or cuts it where a row has room for one line alone."""
    if n_tasks <= _ROOMY_UP_TO:
        return textwrap.fill(_literal(name), _LABEL_WIDTH)
    longest = 2 * _LABEL_WIDTH
    return _literal(name if len(name) <= longest else f"{name[: longest - 1]}…")


def _names(names: Sequence[str]) -> list[str]:
    """Gives names that a font can draw: what UTF-8 does not hold becomes a question mark."""
    return [str(name).encode("utf-8", "replace").decode("utf-8") for name in names]


def _literal(text: str) -> str:
    """Keeps matplotlib from reading what stands between two dollar signs as mathematics."""
    return str(text).replace("$", r"\$")


def _outline(ax: Axes, names: Sequence[str], groups: Sequence[Sequence[str]]) -> None:
    """Frames the groups whose tasks stand side by side."""
    for group in groups:
        places = sorted(names.index(name) for name in group)
        start, stop = places[0], places[-1] + 1
        if stop - start == len(places):
            edge = [start, stop, stop, start, start], [start, start, stop, stop, start]
            ax.plot(*edge, color="black", linewidth=1.8, clip_on=False)


def _size(n_tasks: int) -> tuple[float, float]:
    side = float(np.clip(3.2 + 0.62 * n_tasks, 5, 15))
    side = max(side, min(0.1 * n_tasks, 22.0))  # a row holds a name of the smallest letters
    return side + 1.2, side


def _figure(size: tuple[float, float] | None, n_tasks: int, taller: float = 1.0) -> Figure:
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


def _finish(
    figure: Figure, save_path: str | Path | None, align: tuple[Axes, Axes] | None = None
) -> Figure:
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
