"""Evaluations and comparisons as tables and pictures in a notebook."""

import math
from typing import TYPE_CHECKING

from admet.evaluation.differences import Difference
from admet.evaluation.metrics import OVERALL, PRIMARY
from admet.evaluation.scores import MACRO, Scores
from admet.names import short_number
from admet.notebook import table_html, with_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from admet.evaluation.comparison import Comparison

_BETTER = {"yes": "better", "worse": "worse", "unclear": "not clear"}


def scores_html(scores: Scores, caption: str = "") -> str:
    """Writes scores as tables, one for each kind of task."""
    parts = []
    for kind, means in scores.macro.items():
        rows: list[dict[str, object]] = []
        for name, task in scores.of_kind(kind).items():
            cells = {
                metric: with_interval(value.value, value.low, value.high)
                for metric, value in task.values.items()
            }
            rows.append({"task": name, "n": task.n, **cells})
        rows.append(
            {"task": MACRO, "n": "", **{m: short_number(mean) for m, mean in means.items()}}
        )
        title = f"{caption}: {kind}" if caption else kind
        parts.append(table_html(rows, f"{title}, [95 % interval]"))
    return "".join(parts)


def scores_plot(scores: Scores, title: str, metric: str | None = None) -> "Figure":
    """Draws a metric of each task with its interval.

    Args:
        scores: The scores.
        title: What they are of.
        metric: The metric; None takes RAE, or AUROC where there are only classes.
    """
    from admet.figures import Mark, intervals  # noqa: PLC0415 - matplotlib takes a second

    if metric is None:
        kinds = list(scores.macro)
        metric = OVERALL[kinds[0]]
    marks = [
        Mark(name, metric, *(math.nan if v is None else v for v in (c.value, c.low, c.high)))
        for name, task in scores.tasks.items()
        if (c := task.values.get(metric)) is not None
    ]
    return intervals(marks, title, metric)


def comparison_html(comparison: "Comparison") -> str:
    """Writes the primary metric of each task: values, and differences from the reference."""
    rows = [
        {
            "task": row.task,
            "metric": row.metric,
            "model": row.model,
            "n": row.n,
            "value": short_number(row.value),
            "difference": with_interval(row.difference, row.low, row.high)
            if row.difference is not None
            else None,
            "better": _BETTER.get(row.better, row.better),
        }
        for row in _primary(comparison)
    ]
    return table_html(
        rows, f"Difference to {comparison.reference}, same molecules, [95 % interval]"
    )


def comparison_plot(comparison: "Comparison") -> "Figure":
    """Draws the differences of the primary metric, each relative to the reference's value."""
    from admet.figures import Mark, intervals  # noqa: PLC0415 - matplotlib takes a second

    base = {(r.task, r.metric): r.value for r in _primary(comparison) if r.difference is None}
    marks = []
    for row in _primary(comparison):
        value = base.get((row.task, row.metric))
        if row.difference is None or not value:
            continue
        numbers = (row.difference, row.low, row.high)
        relative = [math.nan if x is None else 100 * x / abs(value) for x in numbers]
        marks.append(Mark(f"{row.task} ({row.metric})", row.model, *relative))
    title = f"Change from {comparison.reference}, same molecules"
    return intervals(marks, title, "change of the metric, %", zero=0.0)


def _primary(comparison: "Comparison") -> list[Difference]:
    return [
        row
        for row in comparison.rows
        if row.metric in (OVERALL if row.task == MACRO else PRIMARY).values()
    ]
