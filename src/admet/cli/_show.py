"""The summaries of a run directory and of a study for the console, in 80 columns."""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from admet.cli._verdict import print_found
from admet.data.splits import SIDES
from admet.evaluation import PRIMARY, TaskScores
from admet.names import number, short_names

if TYPE_CHECKING:
    from admet.run_directory.summary import RunSummary
    from admet.study.summary import StudySummary

_WIDTH = 80
_NAME = 26  # cells of a name
_UNIT = 14  # cells of a unit
_PACKAGES = ("admet", "chemprop", "torch", "rdkit", "python")
_COLUMN = 14  # cells of the words before a value


def print_run(found: "RunSummary") -> None:
    """Prints what a run directory holds: endpoints, plan, scores, versions, how to repeat it."""
    console = _console()
    _say(console, "Run directory", str(found.path))
    _print_origin(console, found.run)
    sides = ", ".join(f"{found.sides[side]:,} {side}" for side in SIDES if side in found.sides)
    _say(console, "Molecules", sides)
    _print_plan(console, found)
    console.print(_endpoints(found))
    _print_after(console, found)


def print_study(found: "StudySummary") -> None:
    """Prints what a study has found, and what it serves."""
    console = _console()
    _say(console, "Study", str(found.path))
    if found.model is not None:
        _print_origin(console, found.model.run)
    study = found.config.get("study", {})
    asked = " × ".join(f"{study.get(key)} {key}" for key in ("folds", "repeats", "seeds"))
    _say(console, "Compared", f"{', '.join(found.arms)}; {asked}; {found.n_fits} fits are kept")
    print_found(console, found)
    if found.model is None:
        _say(console, "Model", "not written; the command that began the study goes on")
        return
    _say(console, "Model", str(found.model.path))
    _print_plan(console, found.model)
    _print_after(console, found.model)


def _print_origin(console: Console, run: Mapping[str, Any]) -> None:
    """Says when, by what and from which table it was trained."""
    versions = run.get("versions", {})
    shown = ", ".join(f"{name} {versions[name]}" for name in _PACKAGES if name in versions)
    files = [
        f"{own['file']} (SHA-256 {own['sha256'][:16]}…)" for own in run.get("imported_from", ())
    ]
    if files:
        _say(console, "Imported", f"{run.get('created', '')} with {shown}")
        _say(console, "Of", ", ".join(files))
        return
    _say(console, "Trained", f"{run.get('created', '')} with {shown}")
    data = run.get("data", {})
    _say(console, "Table", f"{data.get('path', '')} (SHA-256 {str(data.get('sha256', ''))[:16]}…)")
    hardware, settings = run.get("hardware", {}), [f"seed {run.get('seed')}"]
    if "precision" in run:
        settings.append(str(run["precision"]))
    if "threads" in hardware:
        settings.append(f"{hardware['threads']} threads")
    if run.get("seconds"):
        settings.append(f"{sum(run['seconds'].values()):.0f} s")
    if run.get("interrupted"):
        settings.append("interrupted: it holds what was trained until then")
    _say(console, "Settings", ", ".join(settings))


def _print_plan(console: Console, found: "RunSummary") -> None:
    """Says who learns with whom."""
    plan = found.plan
    if plan is None:
        members = ", ".join(member.arm for member in found.spec.members)  # type: ignore[union-attr]
        _say(console, "Plan", f"mixture of {members}")
        return
    n, n_heads = len(plan.networks), len(plan.groups)
    encoders = "one encoder" if n == 1 else f"{n} networks, each with an encoder"
    times = f"; the mean of {found.n_trainings} trainings" if found.n_trainings > 1 else ""
    _say(console, "Plan", f"{plan.arm}: {encoders}, {n_heads} head{'s' * (n_heads > 1)}{times}")
    for place, group in enumerate(plan.groups, start=1):
        _say(console, f"  group {place}", ", ".join(group.tasks))


def _endpoints(found: "RunSummary") -> Table:
    """Makes the table of endpoints."""
    tasks = found.spec.tasks
    table = Table(box=box.SIMPLE, padding=0)
    table.add_column("endpoint", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("unit", no_wrap=True)
    table.add_column("labels", justify="right", no_wrap=True)
    if found.scores is not None:
        table.add_column("tested", justify="right", no_wrap=True)
        table.add_column("score", justify="right", no_wrap=True)
    if found.shares:
        table.add_column("made by", overflow="fold")
    names = short_names([task.name for task in tasks], _NAME)
    for task, name in zip(tasks, names, strict=True):
        learnt = found.n_learnt.get(task.name)
        unit = task.unit if task.transform == "none" else f"{task.transform} of {task.unit or '?'}"
        cells = [name, task.kind, short_names([unit], _UNIT)[0]]
        cells.append("–" if learnt is None else f"{learnt:,}")
        if found.scores is not None:
            own = found.scores.tasks.get(task.name)
            cells += ["–", "–"] if own is None else [f"{own.n:,}", _score(own)]
        if found.shares:
            shares = found.shares[task.name].items()
            cells.append(", ".join(f"{arm} {100 * share:.0f} %" for arm, share in shares))
        table.add_row(*map(Text, cells))
    return table


def _score(own: TaskScores) -> str:
    metric = PRIMARY[own.kind]
    return f"{metric} {number(own.values[metric].value)}"


def _print_after(console: Console, found: "RunSummary") -> None:
    """Says how to use and to repeat it."""
    path = shlex.quote(str(found.path))
    if found.scores is not None:
        console.print("labels: that it learnt from; tested, score: on the test side of its split")
    _say(console, "To predict", f"admet predict --model-dir {path} --data-path TABLE --output FILE")
    if found.plan is not None and "imported_from" not in found.run:
        _say(console, "To repeat", f"admet train --repeat {path} --save-dir NEW")
    elif command := found.run.get("command"):
        _say(console, "To repeat", shlex.join(["admet", *map(str, command[1:])]))


def _say(console: Console, what: str, text: str) -> None:
    """Prints a line that is folded under itself."""
    if not text:
        return
    table = Table.grid(padding=(0, 1, 0, 0))
    table.add_column(width=_COLUMN, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(what), Text(text))
    console.print(table)


def _console() -> Console:
    return Console(width=_WIDTH, highlight=False, markup=False, emoji=False)
