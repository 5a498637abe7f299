"""The verdict of a study for the console, in 80 columns."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from admet.config.study import MULTI, SINGLE
from admet.names import number, short_names
from admet.study.statistics import Contrast
from admet.study.verdict import NOT_KNOWN, what_settles, what_twice_brings

if TYPE_CHECKING:
    from admet.study import Study
    from admet.study.summary import StudySummary
    from admet.study.verdict import Verdict

_WIDTH = 80
_LEAST = 12  # cells of a name
_HEADS = {SINGLE: "to single-task", MULTI: "to multi-task"}
_MARKS = {"better": "+", "worse": "-", "same": "=", "unclear": "?"}


def print_verdict(study: "Study") -> None:
    """Prints one row per endpoint: how to train it, and what that gains over the baselines."""
    console = Console(width=_WIDTH, highlight=False, markup=False, emoji=False)
    print_found(console, study)
    asked = study.config.study.repeats * study.config.study.seeds
    if study.rounds is not None and len(study.rounds) < asked:
        console.print(f"Compared: {len(study.rounds)} of {asked} rounds (repeats and seeds)")


def print_found(console: Console, study: "Study | StudySummary") -> None:
    """Prints the table of verdicts, and below it what has no place there."""
    print_verdicts(console, study.verdicts, study.baselines)
    _print_company(console, study.verdicts)
    if lines := what_settles(study.verdicts):
        console.print("What would settle the others, if the differences stay as they are:")
    for line in lines:
        console.print(f"  {line}")
    if told := what_twice_brings(study.verdicts):
        arm = study.curve["arm"].iloc[0]
        console.print(f"Twice the labels would change the loss of {arm} by about: {told}")
    for name, why in study.left_out.items():
        console.print(f"Left out: {name}: {why}")


def print_verdicts(
    console: Console, verdicts: Sequence["Verdict"], baselines: Sequence[str]
) -> None:
    """Prints a table of verdicts, the last of which is that for all endpoints."""
    table = Table(box=box.SIMPLE, title="Verdict", title_justify="left", padding=0)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("labels", justify="right")
    table.add_column("best arm", no_wrap=True)
    table.add_column("loss", justify="right", no_wrap=True)
    for base in baselines:
        table.add_column(_HEADS[base], justify="right", no_wrap=True)
    gains = [[_gain(contrast) for contrast in verdict.gains.values()] for verdict in verdicts]
    rest = [
        [str(v.n), v.best, number(v.loss), *own] for v, own in zip(verdicts, gains, strict=True)
    ]
    heads = ["labels", "best arm", "loss", *(_HEADS[base] for base in baselines)]
    taken = sum(max(map(cell_len, column)) + 1 for column in zip(heads, *rest, strict=True))
    names = short_names([verdict.task for verdict in verdicts], max(_WIDTH - taken - 2, _LEAST))
    for place, (name, cells) in enumerate(zip(names, rest, strict=True), start=1):
        if place == len(verdicts):
            table.add_section()
        table.add_row(name, *cells)
    console.print(table)
    changes = (
        "Changes in percent, with 95 % intervals: + better, - worse, = no difference, each with a "
        "probability of 90 %; ? not enough evidence."
        if baselines
        else "No change is told, since neither single_task nor multi_task was compared."
    )
    console.print(
        f"Loss{' and changes are those' if baselines else ' is that'} of the "
        f"{verdicts[-1].served.replace('_', ' ')}: MAE, or 1 − AUROC; for all endpoints relative "
        f"to predicting the mean. {changes}"
    )


def _print_company(console: Console, verdicts: Sequence["Verdict"]) -> None:
    """Prints with whom each endpoint learns in its best arm; those of one company in one line."""
    *tasks, _ = verdicts
    lines: dict[str, list[str]] = {}
    for verdict in tasks:
        everybody = len(verdict.partners) == len(tasks) - 1
        company = "together" if everybody and verdict.partners else verdict.company
        how = verdict.best if company == NOT_KNOWN else f"{verdict.best}, {company}"
        lines.setdefault(how, []).append(verdict.task)
    console.print("How to train (the best single arm of each):")
    for how, names in lines.items():
        console.print(f"  {', '.join(names)}: {how}")


def _gain(contrast: Contrast) -> str:
    if contrast.mean != contrast.mean:
        return "–"
    low, high = (f"{100 * value:+.0f}" for value in (contrast.low, contrast.high))
    return f"{100 * contrast.mean:+.0f} [{low},{high}] {_MARKS[contrast.verdict]}"
