"""Result tables for the console: 80 columns where it is no terminal, else as wide as that is.

What does not fit is left out by name, never cut: all of it stands in the files.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from admet.data.splits import SIDES
from admet.evaluation import BY_KIND, MACRO, OVERALL, PRIMARY, Comparison, Difference, Scores, Value
from admet.names import number, short_names

if TYPE_CHECKING:
    from admet.inspection import Inspection
    from admet.inspection.columns import ColumnFacts

_WIDTH = 80
_NAME, _LEAST = 22, 10  # cells of a name that metrics make room for, and that every table has
_MODEL = 16  # cells of the name of a model
_SELDOM = ("RMSE", "Pearson", "Accuracy", "Kendall", "AUPRC", "R2")
"""Metrics that make room for names, the first one first."""

Side = Literal["left", "right"]


def print_metrics(scores: Scores, title: str) -> None:
    """Prints one table per kind of task: its metrics, the primary one with its 95 % interval."""
    console = _console()
    for kind, means in scores.macro.items():
        tasks = scores.of_kind(kind)
        whole = [*tasks, MACRO, *(f"  on {t.scale}" for t in tasks.values() if t.scale)]
        wanted = min(max(map(cell_len, whole)), _NAME)
        shown = list(means)
        for seldom in (None, *_SELDOM):
            if seldom in shown:
                shown.remove(seldom)
            heads, rows = _metric_cells(scores, kind, shown)
            room = _room(console, heads, rows)
            if room >= wanted:
                break
        names = iter(short_names(list(tasks), max(room, _LEAST)))
        table = _table(f"{title}: {kind}", [("task", "left"), *((h, "right") for h in heads)])
        for row in rows[:-1]:
            table.add_row(row[0] or next(names), *row[1:])
        table.add_section()
        table.add_row(*rows[-1])
        console.print(table)
        left = [metric for metric in means if metric not in shown]
        _note(console, f"Not shown for want of room: {', '.join(left)}" if left else "")
        _note(console, _without_mean(scores, kind))


def _metric_cells(
    scores: Scores, kind: str, shown: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Gives heads and rows of a table of metrics; a task's own row has no name yet."""
    first = PRIMARY[kind]
    heads = ["n"]
    for metric in shown:
        heads += [metric, "[95 % interval]"] if metric == first else [metric]

    def cells(values: Mapping[str, Value]) -> list[str]:
        found = []
        for metric in shown:
            value = values.get(metric, Value())
            found += [number(value.value)] + [_interval(value)] * (metric == first)
        return found

    rows = []
    for task in scores.of_kind(kind).values():
        rows.append(["", str(task.n), *cells(task.values)])
        if task.scale:
            rows.append([f"  on {task.scale}", "", *cells(task.learnt)])
    means = scores.macro[kind]
    rows.append([MACRO, "", *cells({metric: Value(means[metric]) for metric in shown})])
    return heads, rows


def _without_mean(scores: Scores, kind: str) -> str:
    """Says which metrics have no mean over tasks, though they have values; empty where all have."""
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
        return ""
    return f"No {MACRO} of {', '.join(named)}: the units of the tasks differ or are not known."


def print_comparison(comparison: Comparison) -> None:
    """Prints the primary metric of each task: value, paired difference from the first, interval."""
    console = _console()
    rows = [
        row
        for row in comparison.rows
        if row.metric in (OVERALL if row.task == MACRO else PRIMARY).values()
    ]
    every = list(dict.fromkeys(row.model for row in rows))
    models = dict(zip(every, short_names(every, _MODEL), strict=True))
    heads = ["metric", "model", "n", "value", "difference", "better"]
    cells = [
        [
            row.metric,
            models[row.model],
            str(row.n),
            number(row.value),
            _difference(row),
            row.better,
        ]
        for row in rows
    ]
    room = _room(console, heads, [["", *own] for own in cells])
    tasks = list(dict.fromkeys(row.task for row in rows))
    names = dict(zip(tasks, short_names(tasks, max(room, _LEAST)), strict=True))
    title = f"Difference to {comparison.reference}, same molecules, [95 % interval]"
    sides: list[Side] = ["left", "left", "right", "right", "right", "left"]
    table = _table(title, [("task", "left"), *zip(heads, sides, strict=True)])
    last = None
    for row, (metric, model, n, *rest) in zip(rows, cells, strict=True):
        if last not in (None, (row.task, row.metric)):
            table.add_section()
        new = last != (row.task, row.metric)
        last = (row.task, row.metric)
        first = [names[row.task], metric] if new else ["", ""]
        table.add_row(*first, model, n if new else "", *rest)
    console.print(table)


def _difference(row: Difference) -> str:
    if row.difference is None:
        return ""
    return f"{_signed(row.difference)} [{_signed(row.low)},{_signed(row.high)}]"


def _signed(value: float | None) -> str:
    text = number(value)
    return text if value is None or text.startswith("-") or text == "–" else f"+{text}"


def _interval(value: Value) -> str:
    return "" if value.low is None else f"[{number(value.low)},{number(value.high)}]"


def print_columns(found: "Inspection") -> None:
    """Prints one row per column of labels, and below the table what there is to look at."""
    console = _console()
    heads: list[tuple[str, Side]] = [
        ("kind", "left"), ("n", "right"), ("range (median)", "right"), ("transform", "left"),
        ("train/val/test", "right"),
    ]  # fmt: skip
    cells = [
        [
            facts.kind.name,
            f"{facts.n:,}",
            f"{facts.low:.3g} to {facts.high:.3g} ({facts.median:.3g})",
            facts.suggested,
            "/".join(str(row[f"n_{side}"]) for side in SIDES) if found.split else "",
        ]
        for facts, row in zip(found.columns, found.rows, strict=True)
    ]
    room = _room(console, [head for head, _ in heads], [["", *own] for own in cells])
    names = short_names([facts.name for facts in found.columns], max(room, _LEAST))
    table = _table(f"{found.path.name}: columns of labels", [("column", "left"), *heads])
    for name, own in zip(names, cells, strict=True):
        table.add_row(name, *own)
    console.print(table)
    for facts, row in zip(found.columns, found.rows, strict=True):
        said = _more(facts, str(row["piles"]))
        _note(console, f"{facts.name}: {said}" if said else "")


def _more(facts: "ColumnFacts", piles: str) -> str:
    """Says what of a column has no place in the table."""
    decades = "" if math.isnan(facts.decades) else f"{facts.decades:.1f} decades"
    repeated = f"{facts.n_repeated} measured repeatedly, spread {facts.spread:.3g}"
    found = [
        f"in {facts.unit}" if facts.unit else "",
        f"{facts.n_limits:,} limits" if facts.n_limits else "",
        decades,
        piles,
        repeated if facts.n_repeated else "",
        *facts.remarks,
    ]
    return "; ".join(filter(None, found))


def _table(title: str, columns: Sequence[tuple[str, Side]]) -> Table:
    table = Table(box=box.SIMPLE, padding=0, title=Text(title), title_justify="left")
    for name, side in columns:
        table.add_column(Text(name), justify=side, overflow="fold")
    return table


def _room(console: Console, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Gives the cells that a table leaves for names, which stand in its first column."""
    columns = zip(heads, *(row[1:] for row in rows), strict=True)
    return console.width - 2 - sum(max(map(cell_len, column)) + 1 for column in columns)


def _note(console: Console, text: str) -> None:
    if text:
        console.print(text, overflow="fold")


def _console() -> Console:
    console = Console(highlight=False, markup=False, emoji=False)
    if console.is_terminal:
        return console
    return Console(width=_WIDTH, highlight=False, markup=False, emoji=False)
