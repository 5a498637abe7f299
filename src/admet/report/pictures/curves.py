"""Losses of each epoch of a training."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from admet.figures import BLACK, BLUE, GREY, ORANGE, ShownFigure
from admet.study.pictures.style import bare, name_of

_EACH = 12  # networks up to which each has a panel of its own
_A_ROW = 2


def draw(history: pd.DataFrame) -> Figure:
    """Draws training and validation loss, a panel per network; of many networks in one panel."""
    parts = list(history.groupby("network", sort=False))
    if len(parts) > _EACH:
        return _together([part for _, part in parts])
    n_columns = min(_A_ROW, len(parts))
    n_rows = -(-len(parts) // n_columns)
    page = ShownFigure(max(2.9 * n_columns, 4.2), 0.4 + 2.2 * n_rows)
    axes = page.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[len(parts) :]:
        ax.set_axis_off()
    for ax, (name, part) in zip(axes, parts, strict=False):
        _dress(ax)
        ax.set_title(name_of(str(name)), fontsize=8)
        ax.plot(part["epoch"], part["train_loss"], color=BLUE, linewidth=1.2, label="training")
        if part["val_loss"].notna().any():
            best = part.iloc[int(part["val_loss"].argmin())]
            ax.plot(
                part["epoch"], part["val_loss"], color=ORANGE, linewidth=1.2, linestyle="--",
                label="validation",
            )  # fmt: skip
            ax.plot(
                best["epoch"], best["val_loss"], "D", color=BLACK, markersize=4, label="best epoch"
            )
        ax.legend(fontsize=6, frameon=False)
    return page


def _together(parts: list[pd.DataFrame]) -> Figure:
    page = ShownFigure(4.6, 3.0)
    ax = page.subplots()
    _dress(ax)
    ax.set_title(f"Validation loss of {len(parts)} networks", fontsize=8)
    for part in parts:
        known = part["val_loss"] if part["val_loss"].notna().any() else part["train_loss"]
        ax.plot(part["epoch"], known, color=GREY, linewidth=0.6, alpha=0.5)
    return page


def _dress(ax: Axes) -> None:
    ax.set_xlabel("epoch", fontsize=7)
    ax.set_ylabel("loss", fontsize=7)
    ax.tick_params(labelsize=6)
    bare(ax, "top", "right")
