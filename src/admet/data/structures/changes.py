"""What became of the structures of a table: the rows of `structures.csv`."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from admet.files import free_name

log = logging.getLogger(__name__)

MERGED = "one molecule with"
_SHOWN = 5  # other lines, and spreads, that are named
_LONG = 60  # characters of a SMILES in the log


@dataclass(frozen=True)
class Spread:
    """The labels of one task that were merged for one molecule.

    Attributes:
        n: How many, two or more.
        sd: Their standard deviation (n − 1), in the unit of the task.
        range: The largest less the smallest.
    """

    n: int
    sd: float
    range: float


@dataclass(frozen=True)
class StructureChange:
    """A record whose structure was changed or that was merged with others.

    Attributes:
        line: Where the record begins.
        id: Its identifier; empty where there is none.
        was: What its SMILES cell held.
        became: The SMILES that it is used as.
        why: What was done, in words.
        spreads: Task → spread of the labels that were merged for its molecule.
    """

    line: int
    id: str
    was: str
    became: str
    why: tuple[str, ...]
    spreads: Mapping[str, Spread] = field(default_factory=dict)


def spreads_of(labels: np.ndarray, names: Sequence[str]) -> dict[str, Spread]:
    """Measures how far the labels of one molecule lie apart.

    Args:
        labels: Of its records, shape (k, T), NaN where absent.
        names: T tasks.

    Returns:
        The tasks with two labels or more.
    """
    found = {}
    for name, column in zip(names, labels.T, strict=True):
        values = column[~np.isnan(column)]
        if len(values) > 1:
            spread = float(np.std(values, ddof=1)), float(np.ptp(values))
            found[name] = Spread(len(values), *spread)
    return found


def changes_of(
    records: Sequence[StructureChange],
    molecule: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    unit: str,
) -> list[StructureChange]:
    """Gives the records whose structure was changed or that were merged.

    Args:
        records: All k that are used, with what was done to the structure of each.
        molecule: Molecule of each, shape (k,).
        labels: Their labels, shape (k, T), NaN where absent.
        names: T tasks.
        unit: What lines count, "line" or "row".

    Returns:
        Those with something to tell, in their order; merged ones with the lines of the others and
        the spreads of their labels.
    """
    members: dict[int, list[int]] = {}
    for place, number in enumerate(molecule.tolist()):
        members.setdefault(number, []).append(place)
    spreads = {
        number: spreads_of(labels[places], names)
        for number, places in members.items()
        if len(places) > 1
    }
    found = []
    for place, (record, number) in enumerate(zip(records, molecule.tolist(), strict=True)):
        why = record.why
        if number in spreads:
            nearest = members[number][: _SHOWN + 1]
            lines = [str(records[other].line) for other in nearest if other != place][:_SHOWN]
            more = len(members[number]) - 1 - len(lines)
            rest = f" and {more} more" if more else ""
            why = (*why, f"{MERGED} ({unit} {', '.join(lines)}{rest})")
        if why:
            found.append(replace(record, why=why, spreads=spreads.get(number, {})))
    return found


def tell_of_changes(
    changes: Sequence[StructureChange], labels: np.ndarray, names: Sequence[str], unit: str
) -> None:
    """Logs how many structures were changed, by reason, and where merged labels differ most.

    Args:
        changes: What `changes_of` gave.
        labels: Of all records that are used, shape (k, T): the scale of each task.
        names: T tasks.
        unit: What lines count, "line" or "row".
    """
    counts = Counter(why.partition(" (")[0] for change in changes for why in change.why)
    counts.pop(MERGED, None)
    if counts:
        n_changed = sum(any(not w.startswith(MERGED) for w in change.why) for change in changes)
        shown = "; ".join(f"{count} × {why}" for why, count in counts.most_common())
        log.warning("%d structures changed (%s)", n_changed, shown)
    scale = {
        name: float(np.nanstd(column))
        for name, column in zip(names, labels.T, strict=True)
        if not np.isnan(column).all()
    }
    worst = [
        (spread.sd / scale[name], name, spread, change)
        for change in {change.became: change for change in reversed(changes)}.values()
        for name, spread in change.spreads.items()
        if spread.sd > 0
    ]
    worst.sort(key=lambda entry: -entry[0])
    for _, name, spread, change in worst[:_SHOWN]:
        log.warning(
            "  %s: %d merged labels of %s (%s %d and others) differ by %.3g, sd %.3g",
            name,
            spread.n,
            change.became[:_LONG],
            unit,
            change.line,
            spread.range,
            spread.sd,
        )


def structures_frame(
    changes: Sequence[StructureChange], unit: str, with_ids: bool = False
) -> pd.DataFrame:
    """Gives the changes as a frame.

    Args:
        changes: The changes, by line.
        unit: What their lines count, "line" or "row".
        with_ids: Whether the table has identifiers.

    Returns:
        The columns line (or row), id where there are any, was, became, why, and for each task with
        merged labels `<task>_n`, `<task>_sd` and `<task>_range`.
    """
    columns: dict[str, list[object]] = {unit: [change.line for change in changes]}
    if with_ids:
        columns["id"] = [change.id for change in changes]
    columns["was"] = [change.was for change in changes]
    columns["became"] = [change.became for change in changes]
    columns["why"] = ["; ".join(change.why) for change in changes]
    frame = pd.DataFrame(columns)
    tasks = dict.fromkeys(name for change in changes for name in change.spreads)
    added: dict[str, pd.Series] = {}
    for task in tasks:
        for key, dtype in (("n", "Int64"), ("sd", "float64"), ("range", "float64")):
            name = free_name(f"{task}_{key}", {*columns, *added})
            values = [getattr(change.spreads.get(task), key, None) for change in changes]
            added[name] = pd.Series(values, dtype=dtype)
    return pd.concat([frame, pd.DataFrame(added)], axis=1)
