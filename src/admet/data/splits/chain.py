"""Folds by time: each learns from all that is older than what it tests."""

import logging
from itertools import pairwise

import numpy as np

from admet.data.panel import Panel
from admet.data.splits.split import Split
from admet.data.splits.times import sides_by_time
from admet.errors import ConfigError, DataError

log = logging.getLogger(__name__)

_FAR = 1.25  # times the wanted share, beyond which a longer first block is said


def chained(panel: Panel, n_folds: int, val_share: float) -> list[Split]:
    """Divides a panel into folds that go forward in time (forward chaining, rolling origin).

    The molecules are cut into `n_folds` + 1 blocks in the order of their times. Fold k learns from
    blocks 0 to k and tests block k + 1, so molecules of the first block are never tested. A time is
    never divided, neither between blocks nor between training and validation; the validation side
    is the newest part of what a fold learns from. The first block is longer than the others where a
    task begins late: until it can be learnt from its training side.

    Source: Tashman, Int. J. Forecast. 2000, 16, 437 (evaluation with a rolling origin).

    Args:
        panel: The panel, read with a column of times.
        n_folds: Number of folds.
        val_share: Share of the molecules before a tested block that choose the best epoch.

    Returns:
        The folds, the oldest first.

    Raises:
        ConfigError: If the panel has no times.
        DataError: If there are too few times for the folds.
    """
    times = panel.split_values
    if times is None:
        raise ConfigError("Folds by time need a panel that was read with data.split_column.")
    ends = np.cumsum(np.unique(times, return_counts=True)[1])  # molecules up to each time
    least = 1 + (val_share > 0)  # times in the first block
    if len(ends) < least + n_folds:
        most = len(ends) - least
        fewer = f"Ask for {most} folds (study.folds)"
        remedy = fewer if most > 1 else "Use times that are known more finely"
        raise DataError(
            f"{len(ends)} different time(s) cannot make {n_folds} folds by time: each tests times "
            f"of its own, and the first needs {least} older time(s) to learn from. {remedy}, "
            "or choose another data.split_type."
        )
    bounds = _bounds(ends, _first(panel, times, ends, n_folds, val_share), n_folds)
    found = []
    rank = np.argsort(np.argsort(times, kind="stable"), kind="stable")
    for start, end in pairwise(bounds):
        train, val = _divided(times, np.flatnonzero(rank < start), val_share)
        found.append(Split(train, val, np.flatnonzero((rank >= start) & (rank < end))))
    return found


def newest_apart(panel: Panel, share: float) -> Split:
    """Sets the newest molecules apart as the validation side; nothing is tested.

    Args:
        panel: The panel, read with a column of times.
        share: Their share; a time is never divided.
    """
    assert panel.split_values is not None  # noqa: S101 - the folds have asked for them
    everything = np.arange(len(panel))
    return Split(*_divided(panel.split_values, everything, share), everything[:0])


def _divided(
    times: np.ndarray, rows: np.ndarray, val_share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Cuts molecules into those to train on and the newest, which validate."""
    sides = sides_by_time(times[rows], np.array([1 - val_share, val_share, 0.0]))
    return rows[sides == 0], rows[sides == 1]


def _first(
    panel: Panel, times: np.ndarray, ends: np.ndarray, n_folds: int, val_share: float
) -> int:
    """Gives the place in `ends` at which the first block ends.

    Raises:
        DataError: If a task begins so late that too few times are left to be tested.
    """
    last = len(ends) - 1 - n_folds  # of the places that leave a time for each fold
    least = int(val_share > 0)
    wanted = len(times) / (n_folds + 1)
    first = int(np.clip(np.argmin(np.abs(ends - wanted)), least, last))
    needed, name = _learnable_from(panel, times)
    rows = np.argsort(times, kind="stable")
    for place in range(first, last + 1):
        if ends[place] >= needed:
            train, _ = _divided(times, rows[: ends[place]], val_share)
            if len(train) >= needed:
                if ends[place] > _FAR * max(wanted, ends[first]):
                    log.warning(
                        "The first fold by time learns from %d of %d molecules, since %s cannot be "
                        "learnt from fewer",
                        ends[place], len(times), name,
                    )  # fmt: skip
                return place
    raise DataError(
        f"{name} begins too late for {n_folds} folds by time: the first fold must learn it from "
        f"older molecules, and its labels do not differ before molecule {needed} of {len(times)}, "
        "the oldest first. Remove this target, lower study.folds, or choose another "
        "data.split_type."
    )


def _learnable_from(panel: Panel, times: np.ndarray) -> tuple[int, str]:
    """Gives how many of the oldest molecules hold two values of every task, and the last task."""
    order = np.argsort(times, kind="stable")
    found = (0, "")
    for task, column in zip(panel.tasks, panel.labels.values[order].T, strict=True):
        known = np.flatnonzero(~np.isnan(column))
        other = known[column[known] != column[known[0]]] if known.size else known
        needed = int(other[0]) + 1 if other.size else len(times) + 1
        found = max(found, (needed, task.name))
    return found


def _bounds(ends: np.ndarray, first: int, n_folds: int) -> list[int]:
    """Gives the ends of the blocks, as evenly as times allow, shape (n_folds + 1,)."""
    places, start, n = [first], int(ends[first]), int(ends[-1])
    for fold in range(1, n_folds):
        wanted = start + (n - start) * fold / n_folds
        low, high = places[-1] + 1, len(ends) - 1 - (n_folds - fold)
        places.append(low + int(np.argmin(np.abs(ends[low : high + 1] - wanted))))
    return [int(ends[place]) for place in places] + [n]
