"""The outcome of a search for the console, in 80 columns."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from admet.tuning import Trial, Tuning

_WIDTH = 80
_SHOWN = 5  # trials


def print_trials(found: "Tuning") -> None:
    """Prints the best trials beside the configuration as it was given, and what is new in the best.

    Args:
        found: The search.
    """
    console = Console(width=_WIDTH, highlight=False)
    complete = sorted((t for t in found.trials if t.state == "complete"), key=lambda t: t.loss)
    first = found.trials[0]
    shown = complete[:_SHOWN] + ([] if first in complete[:_SHOWN] else [first])
    table = Table(box=box.SIMPLE, title="Trials", title_justify="left", padding=(0, 1, 0, 0))
    for name in ("trial", "loss", "to the first", "folds better", "seconds"):
        table.add_column(name, justify="right", no_wrap=True)
    for trial in shown:
        gain = f"{100 * (trial.loss / first.loss - 1):+.1f} %" if trial is not first else "–"
        table.add_row(
            str(trial.number + 1),
            f"{trial.loss:.4f}",
            gain,
            _better(trial, first),
            f"{trial.seconds:.0f}",
        )
    console.print(table)
    states = [trial.state for trial in found.trials]
    counts = {state: states.count(state) for state in ("complete", "pruned", "failed", "running")}
    named = ", ".join(f"{n} {state}" for state, n in counts.items() if n)
    console.print(
        f"{len(states)} trials: {named}. Loss: mean over endpoints of MAE (or 1 − AUROC) relative "
        "to predicting the mean, out of fold. The best of many looks better than it is: test it "
        "on the test side, which no trial has seen, or with `admet study`."
    )
    best = found.best
    changed = {k: v for k, v in best.values.items() if v != first.values[k]}
    if not changed:
        console.print("No trial was better than the configuration as it is.")
    for key, value in changed.items():
        console.print(f"  {key}: {_said(first.values[key])} → {_said(value)}", markup=False)


def _better(trial: "Trial", first: "Trial") -> str:
    """Counts the folds in which a trial has a smaller loss than the first one."""
    if trial is first:
        return "–"
    n = sum(a < b for a, b in zip(trial.losses, first.losses, strict=True))
    return f"{n} of {len(first.losses)}"


def _said(value: object) -> str:
    if value is None:
        return "empty"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
