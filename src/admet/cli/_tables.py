"""Result tables for the console."""

import math
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from admet.data.splits import SIDES
from admet.evaluation import BY_KIND, MACRO, OVERALL, PRIMARY, Comparison, Difference, Scores, Value

if TYPE_CHECKING:
    from admet.inspection import Inspection

_WIDE = 160  # columns where the output is no terminal, so that nothing is cut in a file


def print_metrics(scores: Scores, title: str) -> None:
    """Prints one table per kind of task: every metric, the primary one with its 95 % interval."""
    for kind, means in scores.macro.items():
        table = Table(title=f"{title}: {kind}, [95 % interval]", title_justify="left")
        table.add_column("task", overflow="fold", min_width=12)
        table.add_column("n", justify="right")
        for metric in means:
            table.add_column(metric, justify="right")
        for name, task in scores.of_kind(kind).items():
            cells = [_cell(task.values[metric], metric == PRIMARY[kind]) for metric in means]
            table.add_row(name, str(task.n), *cells)
            if task.scale:
                table.add_row(
                    f"  on {task.scale}",
                    "",
                    *[_cell(task.learnt.get(m, Value()), m == PRIMARY[kind]) for m in means],
                )
        table.add_section()
        table.add_row(MACRO, "", *[_number(mean) for mean in means.values()])
        table.caption = _without_mean(scores, kind)
        _console().print(table)


def _without_mean(scores: Scores, kind: str) -> str | None:
    """Says which metrics have no mean over tasks, though they have values; None where all have."""
    tasks = scores.of_kind(kind).values()
    named = [
        name
        for name, mean in scores.macro[kind].items()
        if mean is None
        and BY_KIND[kind].get(name)
        and BY_KIND[kind][name].in_unit
        and any(task.values[name].value is not None for task in tasks)
    ]
    if not named:
        return None
    return f"No {MACRO} of {', '.join(named)}: the units of the tasks differ or are not known."


def print_comparison(comparison: Comparison) -> None:
    """Prints the primary metric of each task: value, paired difference from the first, interval."""
    output = Table(
        title=f"Difference to {comparison.reference}, same molecules, [95 % interval]",
        title_justify="left",
    )
    for name, side in (
        ("task", "left"), ("metric", "left"), ("model", "left"), ("n", "right"),
        ("value", "right"), ("difference", "right"), ("better", "left"),
    ):  # fmt: skip
        output.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    last = None
    for row in comparison.rows:
        if row.metric not in (OVERALL if row.task == MACRO else PRIMARY).values():
            continue
        if last not in (None, (row.task, row.metric)):
            output.add_section()
        first_line = last != (row.task, row.metric)
        last = (row.task, row.metric)
        output.add_row(
            row.task if first_line else "",
            row.metric if first_line else "",
            row.model,
            str(row.n) if first_line else "",
            _number(row.value),
            _difference(row),
            row.better,
        )
    _console().print(output)


def _difference(row: Difference) -> str:
    if row.difference is None:
        return ""
    return f"{row.difference:+.3f} [{_signed(row.low)}, {_signed(row.high)}]"


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.3f}"


def _cell(value: Value, interval: bool) -> str:
    text = _number(value.value)
    if interval and value.low is not None:
        text += f" [{_number(value.low)}, {_number(value.high)}]"
    return text


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _console() -> Console:
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(width=_WIDE, highlight=False, markup=False)


def print_columns(found: "Inspection") -> None:
    """Prints one row per column of labels, with its remarks."""
    output = Table(title=f"{found.path.name}: columns of labels", title_justify="left")
    for name, side in (
        ("column", "left"), ("kind", "left"), ("n", "right"), ("limits", "right"),
        ("range (median)", "right"), ("decades", "right"), ("piles", "left"),
        ("repeated, spread", "right"), ("transform", "left"), ("train/val/test", "right"),
        ("remarks", "left"),
    ):  # fmt: skip
        output.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for facts, row in zip(found.columns, found.rows, strict=True):
        repeated = f"{facts.n_repeated}, {facts.spread:.3g}" if facts.n_repeated else ""
        unit = f" {facts.unit}" if facts.unit else ""
        output.add_row(
            Text(facts.name),
            facts.kind.name,
            f"{facts.n:,}",
            str(facts.n_limits or ""),
            f"{facts.low:.3g} to {facts.high:.3g} ({facts.median:.3g}){unit}",
            "" if math.isnan(facts.decades) else f"{facts.decades:.1f}",
            str(row["piles"]),
            repeated,
            facts.suggested,
            "/".join(str(row[f"n_{side}"]) for side in SIDES) if found.split else "",
            "; ".join(facts.remarks),
        )
    _console().print(output)
