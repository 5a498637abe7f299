"""The labels of a molecule's records become one: means, majorities, and limits beside them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from admet.data.label_rules.column import Note
from admet.data.label_rules.limits import SIGNS
from admet.data.label_rules.relations import ABOVE, BELOW
from admet.data.transforms import NO_TRANSFORM, TRANSFORMS

if TYPE_CHECKING:
    from admet.data.labels import Task


def merge_labels(
    values: np.ndarray,
    limits: np.ndarray | None,
    inverse: np.ndarray,
    tasks: Sequence["Task"],
    lines: np.ndarray,
) -> tuple[np.ndarray, np.ndarray | None, list[str], list[Note]]:
    """Merges the labels of each molecule, task by task.

    Measured values are merged as the task's kind says, on the scale of the transform that the user
    named. They win over limits: a limit that agrees with their mean adds nothing, one that
    contradicts it is reported. Where there are only limits, the tightest one stays. Limits on both
    sides leave the label empty, since one limit cannot express them.

    Args:
        values: Labels of n records, shape (n, T), NaN where absent.
        limits: Their limits, shape (n, T), or None.
        inverse: Molecule of each record, from 0 to m − 1, shape (n,).
        tasks: T tasks.
        lines: First line of each molecule, shape (m,).

    Returns:
        Labels of the molecules, shape (m, T); their limits, or None; what to tell the user; and
        the molecules whose records contradict one another.
    """
    n, n_tasks = len(lines), values.shape[1]
    measured = ~np.isnan(values) if limits is None else ~np.isnan(values) & (limits == 0)
    count = np.zeros((n, n_tasks))
    total = np.zeros((n, n_tasks))
    np.add.at(count, inverse, measured)
    np.add.at(total, inverse, np.where(measured, values, 0.0))
    # A molecule of one record has that label, bit for bit.
    merged = np.where(count > 0, total, np.nan)
    messages: list[str] = []
    notes: list[Note] = []
    merged_limits = None if limits is None else np.zeros((n, n_tasks), dtype=np.int8)
    for column, task in enumerate(tasks):
        several = count[:, column] > 1
        if several.any():
            scale = TRANSFORMS[task.rules.averaged_as]
            if not scale.allows(values[measured[:, column], column]).all():
                scale = NO_TRANSFORM  # of a table that was not trained on
            means, spread = _averages(
                scale.apply(values[:, column]), measured[:, column], inverse, several
            )
            merged[several, column] = scale.undo(task.kind.merge(means))
            on = "" if scale is NO_TRANSFORM else f" (on the scale of {scale})"
            messages.append(f"  {task.name}: {task.kind.describe_merge(means, spread)}{on}")
        if limits is not None and merged_limits is not None and limits[:, column].any():
            merged[:, column], merged_limits[:, column] = _with_limits(
                values[:, column], limits[:, column], inverse, merged[:, column],
                task.name, lines, messages, notes,
            )  # fmt: skip
    if merged_limits is not None and not merged_limits.any():
        merged_limits = None
    return merged, merged_limits, messages, notes


def _averages(
    values: np.ndarray, measured: np.ndarray, inverse: np.ndarray, several: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Averages the records of one task.

    Args:
        values: Labels of n records, shape (n,).
        measured: Which of them count, shape (n,).
        inverse: Molecule of each record, shape (n,).
        several: Which of m molecules have several that count, shape (m,).

    Returns:
        Mean and standard deviation (n − 1) of these molecules.
    """
    count, total, square = (np.zeros(len(several)) for _ in range(3))
    np.add.at(count, inverse, measured)
    np.add.at(total, inverse, np.where(measured, values, 0.0))
    with np.errstate(invalid="ignore"):
        mean = total / count
    np.add.at(square, inverse, np.where(measured, values - mean[inverse], 0.0) ** 2)
    return mean[several], np.sqrt(square[several] / (count[several] - 1))


def _with_limits(
    values: np.ndarray,
    limits: np.ndarray,
    inverse: np.ndarray,
    measured: np.ndarray,
    name: str,
    lines: np.ndarray,
    messages: list[str],
    notes: list[Note],
) -> tuple[np.ndarray, np.ndarray]:
    """Joins one task's limits, shape (n,), with the merged measured values, shape (m,)."""
    lower = np.full(len(measured), -np.inf)  # the true value lies above it
    upper = np.full(len(measured), np.inf)
    np.maximum.at(lower, inverse, np.where(limits == ABOVE, values, -np.inf))
    np.minimum.at(upper, inverse, np.where(limits == BELOW, values, np.inf))
    n_limits = np.bincount(inverse, limits != 0, minlength=len(measured))
    has_lower, has_upper, known = np.isfinite(lower), np.isfinite(upper), ~np.isnan(measured)
    contrary = known & ((lower > measured) | (upper < measured))
    both = ~known & has_lower & has_upper
    merged = np.where(~known & has_lower, lower, np.where(~known & has_upper, upper, measured))
    merged[both] = np.nan
    found = np.where(~known & has_lower, ABOVE, np.where(~known & has_upper, BELOW, 0))
    found[both] = 0
    for row in np.flatnonzero(contrary | both).tolist():
        signs = [f"{SIGNS[ABOVE]}{lower[row]:g}"] * bool(has_lower[row])
        signs += [f"{SIGNS[BELOW]}{upper[row]:g}"] * bool(has_upper[row])
        read_as = f"{measured[row]:g}" if known[row] else ""
        reason = (
            "records of one molecule: the measured value contradicts a limit, and wins"
            if known[row]
            else "records of one molecule: limits on both sides, left empty"
        )
        notes.append(Note(int(lines[row]), name, ", ".join(signs), read_as, reason))
    counts = {
        "beside a measured value, which wins": known & (n_limits > 0),
        "contradicted by that value": contrary,
        "of several records, the tightest kept": ~known & (n_limits > 1) & ~both,
        "on both sides, left empty": both,
    }
    said = [f"{int(rows.sum())} {what}" for what, rows in counts.items() if rows.any()]
    if said:
        messages.append(f"  {name}: limits of molecules with several records: {'; '.join(said)}")
    return merged, found.astype(np.int8)
