"""Several records of one molecule become one row, by a rule, with a count of what was merged."""

from dataclasses import dataclass, field

import numpy as np

from admet.data.label_rules import Note, merge_labels
from admet.data.labels import Labels, Task
from admet.data.table import Rejection


@dataclass(frozen=True)
class Merged:
    """Molecules after the merge.

    Attributes:
        smiles: Each once, in the order of their first record, shape (m,).
        labels: Their labels.
        lines: First line of each, shape (m,).
        split_values: Shape (m,), or None.
        rows: Records that joined, by their place, shape (k,), increasing.
        molecule: Molecule of each of these, shape (k,).
        rejected: Records that could not join.
        messages: What to tell the user.
        notes: Labels whose records contradict one another.
    """

    smiles: np.ndarray
    labels: Labels
    lines: np.ndarray
    split_values: np.ndarray | None
    rows: np.ndarray
    molecule: np.ndarray
    rejected: list[Rejection] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def merge_duplicates(
    smiles: np.ndarray,
    labels: Labels,
    tasks: tuple[Task, ...],
    lines: np.ndarray,
    split_values: np.ndarray | None = None,
    *,
    split_type: str = "random",
) -> Merged:
    """Merges the records of each molecule as the kinds of the tasks say.

    Where the records of a binary task are tied, its label stays empty. The line is that of the
    first record. By time a molecule counts at the latest of its times, so that no label stands
    before all its measurements were made; by group it counts for the group of its first record. In
    a predefined split a molecule that stands on two sides stays on the one nearer to the test. Its
    other records are rejected, since training on a test molecule would flatter the test.

    Args:
        smiles: Canonical SMILES, shape (n,).
        labels: Labels of n records.
        tasks: T tasks.
        lines: Shape (n,).
        split_values: Times (float64), groups or sides (int8) of the rows, shape (n,), or None.
        split_type: What they are, as in `data.split_type`.

    Returns:
        The merged rows, with what to tell the user.
    """
    rejected: list[Rejection] = []
    rows = np.arange(len(smiles))
    if split_type == "predefined" and split_values is not None:
        keep = _one_side(smiles, lines, split_values, rejected)
        rows = rows[keep]
        smiles, labels, lines = smiles[keep], labels.subset(keep), lines[keep]
        split_values = split_values[keep]
    first, inverse = _group(smiles)
    n = len(first)
    messages: list[str] = []
    if len(smiles) > n:
        messages.append(
            f"{len(smiles)} rows hold {n} molecules: {len(smiles) - n} duplicates were merged"
        )
    values, limits, said, notes = merge_labels(
        labels.values, labels.limits, inverse, tasks, lines[first]
    )
    messages += said
    if rejected:
        messages.append(
            f"{len(rejected)} rows repeat a molecule of another side of the predefined split and "
            "were left out"
        )
    if split_values is not None:
        split_values, several = _one_each(split_values, inverse, first, split_type)
        messages += several
    merged = Labels(values, limits)
    return Merged(
        smiles[first],
        merged,
        lines[first],
        split_values,
        rows,
        inverse,
        rejected,
        messages,
        notes,
    )


def _group(smiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers the molecules in the order of their first record."""
    index: dict[str, int] = {}
    inverse = np.fromiter((index.setdefault(s, len(index)) for s in smiles), np.int64, len(smiles))
    first = np.full(len(index), len(smiles))
    np.minimum.at(first, inverse, np.arange(len(smiles)))
    return first, inverse


def _one_each(
    values: np.ndarray, inverse: np.ndarray, first: np.ndarray, split_type: str
) -> tuple[np.ndarray, list[str]]:
    """Takes one time or group of each molecule; its sides are equal by now.

    Returns:
        Shape (m,), and what to tell the user.
    """
    found = values[first]
    n_several = len(np.unique(inverse[values != found[inverse]]))
    if split_type == "time":
        np.maximum.at(found, inverse, values)
    if not n_several:
        return found, []
    counts = (
        "has several times and counts at the latest, so that nothing of the future is learnt early"
        if split_type == "time"
        else "stands in several groups and counts for that of its first record"
    )
    them = "1 molecule" if n_several == 1 else f"{n_several} molecules: each"
    return found, [f"{them} {counts}"]


def _one_side(
    smiles: np.ndarray, lines: np.ndarray, sides: np.ndarray, rejected: list[Rejection]
) -> np.ndarray:
    _, inverse = _group(smiles)
    best = np.zeros(inverse.max() + 1, dtype=sides.dtype)
    np.maximum.at(best, inverse, sides)
    keep = sides == best[inverse]
    for row in np.flatnonzero(~keep):
        reason = "the same molecule stands on a later side of the predefined split"
        rejected.append(Rejection(int(lines[row]), str(smiles[row]), reason))
    return np.asarray(keep)
