"""Whether the sides of a split hold enough: of molecules, labels, classes and values."""

import logging
from collections.abc import Collection, Iterator

import numpy as np

from admet.data.labels import Task
from admet.data.panel import Panel
from admet.data.splits.split import SIDES
from admet.errors import DataError, listed
from admet.kinds import BINARY

log = logging.getLogger(__name__)

FEW = 10
"""Labels of a task, or of one of its classes, below which a side has few: ten events a quantity is
the rule of thumb of clinical prediction models (Peduzzi et al., J. Clin. Epidemiol. 1996, 49,
1373), and with ten positives the 95 % interval of an AUROC of 0.8 is some 0.3 wide."""
_SHOWN = 6
_ROLES = ("training", "validation", "test")


def check_learnable(panel: Panel, rows: np.ndarray, names: Collection[str]) -> None:
    """Refuses a training side from which a task cannot be learnt.

    Args:
        panel: The panel.
        rows: Its molecules that are trained on, indices, shape (m,).
        names: The tasks that are learnt.

    Raises:
        DataError: Names each task that has no label there, one label, one class or one value, and
            what to do about it.
    """
    faults = []
    for task, column in zip(panel.tasks, panel.labels.values.T, strict=True):
        fault = _unlearnable(task, column[rows], column) if task.name in names else ""
        if fault:
            faults.append(fault)
    if faults:
        more = f"\n… and {len(faults) - _SHOWN} more tasks." * (len(faults) > _SHOWN)
        raise DataError(
            "\n".join(faults[:_SHOWN])
            + more
            + "\nChoose another data.split_type (random spreads classes and values best) or "
            "data.split_seed, add labels, or remove these targets."
        )


def _unlearnable(task: Task, trained: np.ndarray, all_labels: np.ndarray) -> str:
    """Says why a task cannot be learnt from labels, NaN where absent; empty where it can."""
    known = trained[~np.isnan(trained)]
    n_all = int((~np.isnan(all_labels)).sum())
    if not known.size:
        return (
            f"No label on the training side of the split for: {task.name} ({n_all} on other sides)."
        )
    if known.size == 1:
        return (
            f"{task.name} has 1 label on the training side of the split ({n_all - 1} on other "
            "sides): nothing can be learnt from one."
        )
    if (known == known[0]).all():
        what = "one class" if task.kind is BINARY else "one value"
        return (
            f"{task.name} has only {what}, {known[0]:g}, on the training side of the split "
            f"({known.size} labels): a model would learn a constant."
        )
    return ""


def warn_of_few(panel: Panel, sides: np.ndarray, wanted: np.ndarray) -> None:
    """Warns of tasks with few labels on a side, with the numbers.

    Args:
        panel: The panel.
        sides: Side of each molecule, shape (n,).
        wanted: Which sides are to hold labels, shape (3,).
    """
    for side in np.flatnonzero(wanted):
        labels = panel.labels.values[sides == side]
        none: list[str] = []
        alike: list[str] = []
        few: list[str] = []
        for task, column in zip(panel.tasks, labels.T, strict=True):
            known = column[~np.isnan(column)]
            if not known.size:
                none.append(task.name)
            elif known.size > 1 and (known == known[0]).all():
                alike.append(f"{task.name} ({known.size} × {known[0]:g})")
            else:
                few += _few(task, known)
        role = _ROLES[side]
        if none:
            log.warning("No label on the %s side for: %s", SIDES[side], listed(none))
        if alike:
            log.warning("Only one class or value on the %s side: %s", role, listed(alike))
        if few:
            log.warning("Few labels (below %d) on the %s side: %s", FEW, role, listed(few))


def _few(task: Task, known: np.ndarray) -> Iterator[str]:
    """Tells of a task with few labels, or few of a class."""
    if known.size < FEW:
        yield f"{task.name} ({known.size})"
    elif task.kind is BINARY:
        rarer = min((0.0, 1.0), key=lambda label: (known == label).sum())
        n = int((known == rarer).sum())
        if n < FEW:
            yield f"{task.name} ({n} of class {rarer:g})"
