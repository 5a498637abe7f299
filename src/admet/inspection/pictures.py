"""One page of pictures of a table: its labels, its molecules, how the tasks go together."""

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from admet.inspection.columns import ColumnFacts
from admet.inspection.inspect import Inspection

_MOST_HISTOGRAMS = 40
_PER_ROW = 5
_MOST_NUMBERS = 20  # tasks up to which a cell holds its number
_MOST_NAMES = 60  # names along an axis
_BINS = 40
_DPI = 110


def draw(inspection: Inspection, path: Path) -> None:
    """Draws the page: a histogram a task, molecules in common, correlation of the labels on them.

    Args:
        inspection: What was found.
        path: A picture that matplotlib can write, at most 4,000 pixels wide.
    """
    columns = inspection.columns[:_MOST_HISTOGRAMS]
    n_rows = math.ceil(len(columns) / _PER_ROW)
    square = 6.0 if len(inspection.columns) <= _MOST_NUMBERS else 8.0
    figure = Figure(figsize=(2 * square + 3, 2.2 * n_rows + square + 1), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_plain(_title(inspection)))
    parts = figure.subfigures(2, 1, squeeze=False, height_ratios=[2.2 * n_rows, square + 0.5])
    above, below = parts[:, 0]
    axes = np.ravel(above.subplots(n_rows, _PER_ROW, squeeze=False))
    for index, ax in enumerate(axes):
        if index < len(columns):
            _histogram(ax, inspection.panel.labels.values[:, index], columns[index])
        else:
            ax.set_axis_off()
    left, right = below.subplots(1, 2)
    names = [facts.name for facts in inspection.columns]
    shared = inspection.shared
    own = np.maximum(np.diag(shared), 1)
    _matrix(
        left,
        shared / np.minimum.outer(own, own),
        names,
        "Molecules in common (number; colour: share of the smaller task)",
        "viridis",
        (0, 1),
        shared,
    )
    found = inspection.correlations
    _matrix(right, found, names, "Rank correlation of labels on them", "RdBu_r", (-1, 1), found)
    figure.savefig(path, dpi=_DPI)


def _title(inspection: Inspection) -> str:
    n, t = len(inspection.panel), len(inspection.columns)
    more = f"; the first {_MOST_HISTOGRAMS} are shown" * (t > _MOST_HISTOGRAMS)
    return f"{inspection.path.name}: {n:,} molecules, {t} tasks{more}"


def _histogram(ax: Axes, values: np.ndarray, facts: ColumnFacts) -> None:
    """Draws the labels of a task, on a logarithmic axis where they span decades; piles in red."""
    known = values[~np.isnan(values)]
    logged = facts.suggested == "log10"
    if not facts.kind.scaled:
        ax.bar(["0", "1"], [(known == 0).sum(), (known == 1).sum()], color="tab:blue")
    elif len(known):
        low, high = known.min(), known.max()
        edges = np.geomspace(low, high, _BINS) if logged else np.linspace(low, high, _BINS)
        ax.hist(known, bins=edges.tolist(), color="tab:blue")
        for pile in facts.piles:
            ax.axvline(pile.value, color="tab:red", linewidth=1.5)
        if logged:
            ax.set_xscale("log")
    unit = f" [{facts.unit}]" if facts.unit else ""
    ax.set_title(_plain(f"{_short(facts.name)}{unit}, n = {facts.n:,}"), fontsize=8)
    ax.tick_params(labelsize=7)


def _matrix(
    ax: Axes,
    colours: np.ndarray,
    names: Sequence[str],
    title: str,
    cmap: str,
    limits: tuple[float, float],
    numbers: np.ndarray,
) -> None:
    """Draws a square of tasks; grey where nothing is known."""
    n = len(names)
    ax.set_facecolor("0.85")
    image = ax.imshow(np.ma.masked_invalid(colours), cmap=cmap, vmin=limits[0], vmax=limits[1])
    step = math.ceil(n / _MOST_NAMES)
    size = 8 if n <= _MOST_NUMBERS else 6
    labels = [_plain(_short(name)) for name in names[::step]]
    ax.set_xticks(range(0, n, step), labels, rotation=90, fontsize=size)
    ax.set_yticks(range(0, n, step), labels, fontsize=size)
    ax.set_title(title, fontsize=9)
    if n <= _MOST_NUMBERS:
        middle, scale = sum(limits) / 2, limits[1] - limits[0]
        for row, column in zip(*np.nonzero(~np.isnan(colours)), strict=True):
            value = numbers[row, column]
            text = f"{value:,}" if numbers.dtype.kind == "i" else f"{value:.2f}"
            dark = colours[row, column] < middle if limits[0] == 0 else abs(value) > 0.6 * scale / 2
            ax.text(
                column, row, text, ha="center", va="center", fontsize=6,
                color="white" if dark else "black",
            )  # fmt: skip
    ax.figure.colorbar(image, ax=ax, shrink=0.7)


def _short(name: str) -> str:
    name = name.encode("utf-8", "replace").decode("utf-8")
    return name if len(name) <= 28 else f"{name[:27]}…"


def _plain(text: str) -> str:
    """Keeps matplotlib from reading what stands between two dollar signs as mathematics."""
    return text.replace("$", r"\$")
