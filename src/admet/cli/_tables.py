"""Result tables for the console."""

from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table

from admet.evaluation import BY_KIND, PRIMARY

_WIDE = 160  # columns where the output is no terminal, so that nothing is cut in a file


def print_metrics(result: dict[str, Any] | None, title: str) -> None:
    """Prints one table a kind of task: every metric, the first with its 95 % interval."""
    if not result:
        return
    for kind, macro in result["macro"].items():
        names = list(BY_KIND[kind])
        table = Table(title=f"{title}: {kind}, [95 % interval]", title_justify="left")
        table.add_column("task", overflow="fold", min_width=12)
        table.add_column("n", justify="right")
        for name in names:
            table.add_column(name, justify="right")
        for task, scores in result["tasks"].items():
            if scores["kind"] == kind:
                cells = [_with_interval(scores[name], name == names[0]) for name in names]
                table.add_row(task, str(scores["n"]), *cells)
        table.add_section()
        table.add_row("macro mean", "", *[_number(macro[name]) for name in names])
        _console().print(table)


def print_comparison(table: pd.DataFrame) -> None:
    """Prints the primary metric of each task: value, paired difference to the first, interval."""
    shown = table[table["metric"].isin(PRIMARY.values())]
    reference = table["model"].iloc[0]
    output = Table(
        title=f"Difference to {reference}, same molecules, [95 % interval]", title_justify="left"
    )
    for name, side in (
        ("task", "left"), ("metric", "left"), ("model", "left"), ("n", "right"),
        ("value", "right"), ("difference", "right"), ("better", "left"),
    ):  # fmt: skip
        output.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    last = None
    for row in shown.to_dict("records"):
        if last not in (None, (row["task"], row["metric"])):
            output.add_section()
        first_line = last != (row["task"], row["metric"])
        last = (row["task"], row["metric"])
        difference = _difference(row)
        output.add_row(
            str(row["task"]) if first_line else "",
            str(row["metric"]) if first_line else "",
            str(row["model"]),
            str(row["n"]) if first_line else "",
            _number(row["value"]),
            difference,
            str(row["better"]),
        )
    _console().print(output)


def _difference(row: dict[Any, Any]) -> str:
    if pd.isna(row["difference"]):
        return ""
    return f"{row['difference']:+.3f} [{_signed(row['low'])}, {_signed(row['high'])}]"


def _signed(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:+.3f}"


def _with_interval(cell: dict[str, float | None], interval: bool) -> str:
    text = _number(cell["value"])
    if interval and cell["low"] is not None:
        text += f" [{_number(cell['low'])}, {_number(cell['high'])}]"
    return text


def _number(value: float | None) -> str:
    return "–" if value is None or pd.isna(value) else f"{value:.3f}"


def _console() -> Console:
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(width=_WIDE, highlight=False, markup=False)
