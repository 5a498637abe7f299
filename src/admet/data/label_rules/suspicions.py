"""Numbers that stand for "not measured", and labels far from all others."""

import re
from collections.abc import Container
from dataclasses import replace

import numpy as np

from admet.config.quoting import quoted
from admet.data.label_rules.column import Column, places
from admet.data.table import Table

_NINES = re.compile(r"-?9{2,}(\.9+)?")
_ENDS = {2.0**31 - 1, -(2.0**31), 2.0**15 - 1, -(2.0**15), 2.0**63 - 1, -(2.0**63)}  # of integers
_FAR = 10  # so many times the largest other label is far
_LEAST_OTHERS = 4  # other distinct labels that are needed to tell what is far
_GAP = 1e3  # between a label and the next one, from which it is asked about
_LEAST_LABELS = 10
_LEAST_NEGATIVE = 2  # labels


def is_sentinel(value: float) -> bool:
    """Recognises a number that programs write for "none": all nines, or the end of the integers."""
    return value in _ENDS or _NINES.fullmatch(f"{value:.12g}") is not None


def without_sentinels(
    table: Table, column: Column, meant: Container[float], faults: list[str]
) -> Column:
    """Empties cells that certainly mean "not measured", and asks about those that may.

    A negative number of nines (−99, −999, …) or at the end of the integers is certain where all
    other labels are at least 0, or where it is at least ten times as large as any of them. A
    positive one that is so large is asked about.

    Args:
        table: The table.
        column: Its labels.
        meant: Numbers that the user has spoken about.
        faults: Takes up the questions.
    """
    distinct = np.unique(column.values[~np.isnan(column.values)])
    candidates = [v for v in distinct.tolist() if is_sentinel(v) and v not in meant]
    if not candidates:
        return column
    others = distinct[~np.isin(distinct, candidates)]
    if len(others) < _LEAST_OTHERS:
        return column
    values = column.values.copy()
    for value in candidates:
        far = abs(value) >= _FAR * np.abs(others).max()
        rows = np.flatnonzero(values == value).tolist()
        key = f"{{{quoted(column.name)}: {{{value:.12g}: "
        if value < 0 and (far or others[0] >= 0):
            values[rows] = np.nan
            reason = f"{value:.12g} means not measured"
            notes = [column.note(table, row, "", reason) for row in rows]
            column = column.saying(
                f"{len(rows)} cells of {value:.12g}, beside labels from {others[0]:g} to "
                f"{others[-1]:g}, count as not measured (to keep them: data.label_maps: "
                f"{key}{value:.12g}}}}})",
                *notes,
            )
        elif far:
            faults.append(
                f"Target {column.name!r} holds {value:.12g} at {places(table, rows, column.name)}, "
                f"beside labels from {others[0]:g} to {others[-1]:g}. If it means not measured, "
                f"say so: data.label_maps: {key}null}}}}; if it is meant, {key}{value:.12g}}}}}."
            )
    return replace(column, values=values)


def question_of_far_labels(table: Table, column: Column, meant: Container[float]) -> str:
    """Asks about a label that lies three decades or more beyond the next one.

    Args:
        table: The table.
        column: Its labels.
        meant: Numbers that the user has spoken about.

    Returns:
        The question; empty where there is no such label.
    """
    sizes = np.abs(column.values)
    known = sizes[~np.isnan(sizes)]
    distinct = np.unique(known)
    if len(known) < _LEAST_LABELS or len(distinct) <= _LEAST_OTHERS:
        return ""
    last, next_one = distinct[-1], distinct[-2]
    rows = np.flatnonzero(sizes == last).tolist()
    value = float(column.values[rows[0]])
    if last < _GAP * next_one or value in meant:
        return ""
    key = f"{{{quoted(column.name)}: {{{value:.12g}: "
    return (
        f"Target {column.name!r} holds {value:.6g} at {places(table, rows, column.name)}, more "
        f"than {last / next_one:.0e} times as large as any other label (up to {next_one:g}): a "
        "slip of the unit? Correct or empty it; or say that it is no label, data.label_maps: "
        f"{key}null}}}}, or that it is meant, {key}{value:.12g}}}}}."
    )


def describe_lone_negative(column: Column, meant: Container[float]) -> str:
    """Names a lone negative number, such as −1 for "not measured", among labels of at least 0."""
    values = column.values[~np.isnan(column.values)]
    negative = values[values < 0]
    lone = len(np.unique(negative)) == 1 and len(negative) >= _LEAST_NEGATIVE
    if not lone or len(values) < _LEAST_LABELS or float(negative[0]) in meant:
        return ""
    value = f"{negative[0]:.12g}"
    return (
        f"{len(negative)} labels are {value}, the only negative ones. If they mean not measured: "
        f"data.label_maps: {{{quoted(column.name)}: {{{value}: null}}}}"
    )
