"""Heatmaps of the matrix, readable from two tasks to some hundreds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage
from scipy.spatial.distance import squareform

from admet.errors import ConfigError
from admet.model.chemprop.task_affinity.groups.stability import STABLE
from admet.model.chemprop.task_affinity.heatmap import (
    add_notes,
    drawable,
    finish,
    heatmap,
    literal,
    mark_uncertain,
    new_figure,
    outline,
)
from admet.model.chemprop.task_affinity.matrix import (
    check_matrix,
    distances,
    fill_unknown,
    real_numbers,
)


def plot_task_affinity_heatmap(
    affinity_matrix: np.ndarray,
    task_names: Sequence[str],
    *,
    title: str = "Task affinity",
    figsize: tuple[float, float] | None = None,
    cmap: str = "RdBu_r",
    save_path: str | Path | None = None,
    uncertain: np.ndarray | None = None,
    n_labels: Sequence[int] | None = None,
    notes: Sequence[str] = (),
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
        n_labels: Labels of each task, shape (T,), which stand behind the names of the rows.
        notes: What has to be said below, a line each, such as how stable the groups are.

    Returns:
        The figure.

    Raises:
        ConfigError: If the shape does not fit the names, or the picture cannot be saved.
    """
    matrix = check_matrix(affinity_matrix, task_names)
    hatched, counts = _marks(uncertain, matrix), _counts(n_labels, len(matrix))
    figure = new_figure(figsize, len(matrix))
    ax = figure.subplots()
    heatmap(ax, matrix, drawable(task_names), cmap, counts)
    said = [mark_uncertain(ax, hatched)] if hatched.any() else []
    add_notes(ax, [*said, *_always(matrix, counts), *notes], figure.get_figwidth())
    ax.set_title(literal(title), pad=14)
    return finish(figure, save_path)


def plot_task_affinity_clustermap(
    affinity_matrix: np.ndarray,
    task_names: Sequence[str],
    *,
    title: str = "Task affinity, clustered",
    figsize: tuple[float, float] | None = None,
    cmap: str = "RdBu_r",
    save_path: str | Path | None = None,
    groups: Sequence[Sequence[str]] | None = None,
    stability: Sequence[float] | None = None,
    uncertain: np.ndarray | None = None,
    n_labels: Sequence[int] | None = None,
    notes: Sequence[str] = (),
    strength: np.ndarray | None = None,
) -> Figure:
    """Draws the matrix in the order of its dendrogram (average linkage on 1 − affinity).

    A dendrogram can be drawn of noise, too: `uncertain` and `stability` say what is more.

    Args:
        affinity_matrix: Shape (T, T); NaN cells are grey and enter the dendrogram as the mean.
        task_names: T names.
        title: Title of the figure.
        figsize: Width and height in inches; None fits them to the number of tasks.
        cmap: A matplotlib colour map, centred on zero.
        save_path: Where to save; None saves nothing.
        groups: Groups to outline, where their tasks stand side by side.
        stability: How stable each group is, from 0 to 1, NaN where that is not known: only those
            with 0.9 or more are outlined. None outlines all.
        uncertain: Pairs to hatch; see `plot_task_affinity_heatmap`.
        n_labels: Labels of each task, likewise.
        notes: What has to be said below, likewise.
        strength: What the dendrogram goes by in place of the affinities, shape (T, T): their sizes
            where groups hold tasks of opposite sign. None takes the affinities.

    Returns:
        The figure.

    Raises:
        ConfigError: If a shape does not fit, a group holds other names or none, or the picture
            cannot be saved.
    """
    matrix = check_matrix(affinity_matrix, task_names)
    known = drawable(task_names)
    framed = _framed(groups or (), stability, known)
    if len(matrix) < 2:
        return plot_task_affinity_heatmap(
            matrix, task_names, title=title, figsize=figsize, cmap=cmap, save_path=save_path,
            uncertain=uncertain, n_labels=n_labels, notes=notes,
        )  # fmt: skip
    hatched, counts = _marks(uncertain, matrix), _counts(n_labels, len(matrix))
    near = matrix if strength is None else check_matrix(strength, task_names)
    tree = _tree(near)
    order = leaves_list(tree)
    figure = new_figure(figsize, len(matrix), taller=1.18)
    top, ax = figure.subplots(2, 1, height_ratios=[1, 6])
    dendrogram(
        tree,
        ax=top,
        no_labels=True,
        link_color_func=lambda _: "#444444",
    )
    unsigned = (near != matrix)[~np.isnan(matrix)].any()
    top.set_ylabel("1 − |affinity|" if unsigned else "1 − affinity", fontsize=8)
    top.tick_params(labelsize=7)
    for side in ("top", "right", "bottom"):
        top.spines[side].set_visible(False)
    top.set_title(literal(title), pad=10)
    names = [known[i] for i in order]
    own = None if counts is None else [counts[i] for i in order]
    square = np.ix_(order, order)
    heatmap(ax, matrix[square], names, cmap, own)
    said = [mark_uncertain(ax, hatched[square])] if hatched.any() else []
    outline(ax, names, framed)
    add_notes(ax, [*said, *_always(matrix, counts), *notes], figure.get_figwidth())
    return finish(figure, save_path, align=(top, ax))


plot_clustered_heatmap = plot_task_affinity_clustermap
"""The same function by its first name."""


def in_order_of_tree(strength: np.ndarray, task_names: Sequence[str]) -> list[str]:
    """Gives the names in the order in which the clustered heatmap shows them."""
    if len(task_names) < 2:
        return list(task_names)
    return [task_names[i] for i in leaves_list(_tree(strength))]


def _tree(strength: np.ndarray) -> np.ndarray:
    """Gives the dendrogram of affinities, shape (T − 1, 4), by average linkage."""
    filled = fill_unknown((strength + strength.T) / 2, quiet=True)
    tree: np.ndarray = linkage(squareform(distances(filled), checks=False), method="average")
    return tree


def _marks(uncertain: Any, matrix: np.ndarray) -> np.ndarray:
    """Gives the cells to hatch, shape (T, T), bool.

    Raises:
        ConfigError: If they have another shape.
    """
    found = np.zeros(matrix.shape, dtype=bool) if uncertain is None else np.asarray(uncertain)
    if found.shape != matrix.shape:
        raise ConfigError(
            f"`uncertain` must have the shape of the matrix, {matrix.shape}; got {found.shape}."
        )
    return found.astype(bool)


def _counts(n_labels: Sequence[int] | None, n_tasks: int) -> list[int] | None:
    """Gives the numbers of labels.

    Raises:
        ConfigError: If they are not T numbers from 0.
    """
    if n_labels is None:
        return None
    found = real_numbers(n_labels, "n_labels")
    if found.shape != (n_tasks,) or not np.isfinite(found).all() or (found < 0).any():
        raise ConfigError(
            f"`n_labels` must hold a number from 0 for each of the {n_tasks} tasks; got "
            f"{found.tolist()}."
        )
    return [int(n) for n in found]


def _always(matrix: np.ndarray, counts: list[int] | None) -> list[str]:
    """Says what grey cells and numbers behind names mean, where there are any."""
    grey = "grey: unknown, the labels do not tell" if np.isnan(matrix).any() else ""
    return [grey, "" if counts is None else "behind the names: molecules with a label"]


def _framed(
    groups: Sequence[Sequence[str]], stability: Sequence[float] | None, known: Sequence[str]
) -> list[list[str]]:
    """Gives the groups to outline.

    Raises:
        ConfigError: If a group holds other names or none, or there is no stability for each.
    """
    for group in groups:
        if not len(group) or set(drawable(group)) - set(known):
            raise ConfigError(
                f"`groups` must hold names of `task_names`, at least one each; got {list(group)}."
            )
    if stability is None:
        return [drawable(group) for group in groups]
    if len(stability) != len(groups):
        raise ConfigError(
            f"`stability` must hold a number for each of the {len(groups)} groups; got "
            f"{list(stability)}."
        )
    pairs = zip(groups, stability, strict=True)
    return [drawable(group) for group, share in pairs if share >= STABLE]
