"""The verdict of a study for the console, in 80 columns."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from admet.config.study import MULTI, SINGLE
from admet.study.statistics import Contrast

if TYPE_CHECKING:
    from admet.study import Study

_WIDTH = 80
_HEADS = {SINGLE: "to single-task", MULTI: "to multi-task"}
_MARKS = {"better": "+", "worse": "-", "same": "=", "unclear": "?"}


def print_verdict(study: "Study") -> None:
    """Prints one row per endpoint: how to train it, and what that gains over the baselines."""
    console = Console(width=_WIDTH, highlight=False)
    table = Table(box=box.SIMPLE, title="Verdict", title_justify="left", padding=(0, 1, 0, 0))
    table.add_column("endpoint", overflow="fold")
    table.add_column("labels", justify="right")
    table.add_column("best arm", no_wrap=True)
    table.add_column("loss", justify="right")
    for base in study.baselines:
        table.add_column(_HEADS[base], justify="right", no_wrap=True)
    for verdict in study.verdicts:
        gains = [_gain(contrast) for contrast in verdict.gains.values()]
        if verdict.task == study.verdicts[-1].task:
            table.add_section()
        table.add_row(verdict.task, str(verdict.n), verdict.best, f"{verdict.loss:.3f}", *gains)
    console.print(table)
    console.print(
        f"Loss and changes are those of the {study.verdicts[-1].served.replace('_', ' ')}: MAE, or "
        "1 − AUROC; for all endpoints relative to predicting the mean. Changes in percent, with 95 "
        "% intervals: + better, - worse, = no difference, each with a probability of 90 %; ? not "
        "enough evidence."
    )
    _print_company(console, study)
    _print_open(console, study)
    _print_curve(console, study)
    asked = study.config.study.repeats * study.config.study.seeds
    if study.rounds is not None and len(study.rounds) < asked:
        console.print(f"Compared: {len(study.rounds)} of {asked} rounds (repeats and seeds)")
    for name, why in study.left_out.items():
        console.print(f"Left out: {name}: {why}")


def _print_company(console: Console, study: "Study") -> None:
    """Prints with whom each endpoint learns in its best arm; those of one company in one line."""
    lines: dict[str, list[str]] = {}
    for verdict in study.verdicts[:-1]:
        everybody = len(verdict.partners) == len(study.panel.tasks) - 1
        company = "together" if everybody and verdict.partners else verdict.company
        lines.setdefault(f"{verdict.best}, {company}", []).append(verdict.task)
    console.print("How to train (the best single arm of each):")
    for how, names in lines.items():
        console.print(f"  {', '.join(names)}: {how}", markup=False)


def _print_open(console: Console, study: "Study") -> None:
    """Prints what would settle what is open, if the differences stay as they are."""
    lines: dict[str, list[str]] = {}
    for verdict in study.verdicts:
        if verdict.settled_by:
            lines.setdefault(verdict.settled_by, []).append(verdict.task)
    if lines:
        console.print("What would settle the others, if the differences stay as they are:")
    for what, names in lines.items():
        console.print(f"  {', '.join(names)}: {what}", markup=False)


def _print_curve(console: Console, study: "Study") -> None:
    """Prints what twice the labels would bring, by the learning curve."""
    found = {v.task: v.twice for v in study.verdicts if v.twice is not None}
    if found:
        arm = study.curve["arm"].iloc[0]
        told = ", ".join(f"{name} {100 * change:+.0f} %" for name, change in found.items())
        console.print(
            f"Twice the labels would change the loss of {arm} by about: {told}", markup=False
        )


def _gain(contrast: Contrast) -> str:
    if contrast.mean != contrast.mean:
        return "–"
    low, high = (f"{100 * value:+.0f}" for value in (contrast.low, contrast.high))
    return f"{100 * contrast.mean:+.0f} [{low},{high}] {_MARKS[contrast.verdict]}"
