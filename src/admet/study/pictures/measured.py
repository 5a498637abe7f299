"""What is served against what was measured, of molecules that no fit had seen."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from sklearn.metrics import roc_curve

from admet.evaluation.scoring import score_task
from admet.figures import BLACK, BLUE, GREY, VERMILLION, ShownFigure
from admet.study.pictures.style import arm_of, bare, name_of

if TYPE_CHECKING:
    from admet.study import Study

_A_PAGE, _A_ROW = 12, 3
_SIDE = 2.9  # inches of a panel
_MANY = 300  # points; beyond, a drawing of lines holds them as an image
_AXES = {"log10": "log", "ln": "log", "log1p": "symlog"}
_DECADE = 10.0
_SIGNS = {0: ("o", "measured"), 1: (">", "above a limit"), -1: ("<", "below a limit")}


def numbers(study: "Study") -> pd.DataFrame:
    """Gives one row per tested label, with what is served for it out of fold (in the first round).

    `limit` is 1 where the true value is above the label, −1 where it is below, else 0; `scale` is
    the transform that is learnt.
    """
    arm = study.verdicts[-1].served
    predicted = study.out_of_fold[arm, *study.done_rounds[0]]
    labels, parts = study.panel.labels, []
    for index, task in enumerate(study.scaled.tasks):
        rows = np.flatnonzero(labels.present[:, index] & study.tested)
        part = {
            "task": task.name, "kind": task.kind.name, "unit": task.unit,
            "scale": task.transform.name, "arm": arm, "SMILES": study.panel.smiles[rows],
            "label": labels.values[rows, index],
            "limit": 0 if labels.limits is None else labels.limits[rows, index],
            "prediction": predicted[rows, index],
        }  # fmt: skip
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def pages(table: pd.DataFrame) -> list[Figure]:
    """Draws a panel per endpoint, at most twelve on a page."""
    parts = [part for _, part in table.groupby("task", sort=False)]
    return [_page(parts[i : i + _A_PAGE]) for i in range(0, len(parts), _A_PAGE)]


def one(part: pd.DataFrame, many: int = _MANY) -> ShownFigure:
    """Draws one endpoint.

    Args:
        part: Its rows of the table, to which `low` and `high` may have been added: the ends of
            intervals, which are drawn as lines.
        many: Points beyond which a drawing of lines holds them as an image.
    """
    page = ShownFigure(_SIDE + 0.3, _SIDE + 0.55)
    ax = page.subplots()
    ax.tick_params(labelsize=6)
    bare(ax, "top", "right")
    _panel(ax, part, many)
    if many < _MANY:
        ax.minorticks_off()
    return page


def _page(parts: list[pd.DataFrame]) -> ShownFigure:
    n_columns = min(_A_ROW, len(parts))
    n_rows = -(-len(parts) // n_columns)
    page = ShownFigure(max(_SIDE * n_columns, 4.5) + 0.2, (_SIDE + 0.35) * n_rows + 0.5)
    arm = arm_of(str(parts[0]["arm"].iloc[0]))
    page.suptitle(f"{arm}: molecules that no fit had seen", fontsize=9)
    axes = page.subplots(n_rows, n_columns, squeeze=False).ravel()
    for ax in axes[len(parts) :]:
        ax.set_axis_off()
    for ax, part in zip(axes, parts, strict=False):
        ax.tick_params(labelsize=6)
        bare(ax, "top", "right")
        _panel(ax, part)
    return page


def _panel(ax: Axes, part: pd.DataFrame, many: int = _MANY) -> None:
    first = part.iloc[0]
    y, p = part["label"].to_numpy(float), part["prediction"].to_numpy(float)
    limits = part["limit"].to_numpy(np.int8)
    known = np.isfinite(p)
    y, p, limits = y[known], p[known], limits[known]
    scores = score_task(y, p, first["kind"], 0, np.random.default_rng(0), limits).values
    said = {name: "–" if s.value is None else f"{s.value:.3g}" for name, s in scores.items()}
    if first["kind"] == "binary":
        _roc(ax, y, p)
        said_of = f"AUROC {said['AUROC']}, {int((y == 1).sum()):,} of {len(y):,} positive"
    else:
        _scatter(ax, y, p, limits, first["scale"], many)
        if "low" in part:
            low, high = (part[end].to_numpy(float)[known] for end in ("low", "high"))
            _intervals(ax, y, low, high, many)
        said_of = f"MAE {said['MAE']}, ρ {said['Spearman']}, n = {len(y):,}"
    unit = f" [{first['unit']}]" if first["unit"] else ""
    ax.set_title(f"{name_of(first['task'] + unit)}\n{said_of}", fontsize=7)


def _scatter(
    ax: Axes, y: np.ndarray, p: np.ndarray, limits: np.ndarray, scale: str, many: int
) -> None:
    """Draws points around the line on which predictions are right; limits are triangles."""
    ax.set_xlabel("measured", fontsize=7)
    ax.set_ylabel("predicted", fontsize=7)
    if not len(y):
        ax.text(0.5, 0.5, "no prediction", ha="center", transform=ax.transAxes, fontsize=7)
        return
    low, high = float(min(y.min(), p.min())), float(max(y.max(), p.max()))
    kind = _axis(scale, low, high)
    alpha = float(np.clip(300 / len(y), 0.15, 0.7))
    for sign, (marker, word) in _SIGNS.items():
        own = limits == sign
        if own.any():
            ax.scatter(
                y[own], p[own], s=14 if sign else 7, marker=marker, alpha=alpha,
                color=VERMILLION if sign else BLUE, linewidths=0, label=word,
                rasterized=len(y) > many,
            )  # fmt: skip
    ax.set_xscale(kind)
    ax.set_yscale(kind)
    if kind == "log":
        room = (high / low) ** 0.05
        ends = low / room, high * room
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        room = 0.05 * ((high - low) or abs(high) or 1.0)
        ends = low - room, high + room
    ax.plot(ends, ends, color=BLACK, linewidth=0.8, linestyle="--")
    ax.set_xlim(ends)
    ax.set_ylim(ends)
    ax.set_box_aspect(1)
    if limits.any():
        ax.legend(fontsize=5.5, frameon=False, loc="upper left", handletextpad=0)


def _intervals(ax: Axes, y: np.ndarray, low: np.ndarray, high: np.ndarray, many: int) -> None:
    """Draws the intervals behind the points, as far as the axis reaches."""
    told = np.isfinite(low) & np.isfinite(high)
    y, low, high = y[told], low[told], high[told]
    if len(y) > many:  # where they lie close they are darker
        alpha = float(np.clip(40 / len(y), 0.06, 0.4))
        ax.vlines(y, low, high, color=GREY, alpha=alpha, lw=0.7, zorder=0, rasterized=True)
        return
    gap = np.full(len(y), np.nan)  # one line with gaps is a short path
    places, ends = (np.stack(parts, axis=1).ravel() for parts in ((y, y, gap), (low, high, gap)))
    ax.plot(places, ends, color=GREY, alpha=0.35, linewidth=0.7, zorder=0)


def _axis(scale: str, low: float, high: float) -> str:
    """Chooses a logarithmic axis where labels are learnt so, and there is a decade to show."""
    kind = _AXES.get(scale, "linear")
    if kind == "log" and (low <= 0 or high / low < _DECADE):
        return "linear"
    return kind


def _roc(ax: Axes, y: np.ndarray, p: np.ndarray) -> None:
    """Draws the ROC curve, and the line of chance."""
    ax.set_xlabel("false positive rate", fontsize=7)
    ax.set_ylabel("true positive rate", fontsize=7)
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle="--")
    if len(np.unique(y)) == 2:
        wrong, right, _ = roc_curve(y, p)
        ax.plot(wrong, right, color=BLUE, linewidth=1.3)
    else:
        ax.text(0.5, 0.5, "one class only", ha="center", transform=ax.transAxes, fontsize=7)
    ax.set_xlim(-0.02, 1.02)
    ax.set_ylim(-0.02, 1.02)
    ax.set_box_aspect(1)
