"""Limits that a table states beside its labels, or that a user states for a whole column."""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from admet.data.chemistry import cell_text
from admet.data.label_rules.column import Column, places
from admet.data.label_rules.relations import ABOVE, BELOW, relation_of
from admet.data.table import Table

SIGNS = {ABOVE: ">", 0: "", BELOW: "<"}
"""How a limit is written before its number, in messages and tables."""


def read_relations(table: Table, column: Column, source: str, faults: list[str]) -> Column:
    """Joins a column with the relation column that stands beside it.

    Args:
        table: The table; it has the relation column.
        column: The labels.
        source: Name of the relation column, whose cells hold `>`, `<`, `=`, `~` or nothing.
        faults: Takes up what is wrong: a cell that is no relation, or one that contradicts the
            sign that the label itself carries.
    """
    limits = column.limits.copy()
    strange: list[int] = []
    about: list[int] = []
    present = ~np.isnan(column.values)
    for row, cell in enumerate(table.frame[source].tolist()):
        if not present[row]:
            continue
        relation = relation_of(cell_text(cell))
        if relation is None or (relation.limit and limits[row] == -relation.limit):
            strange.append(row)
            continue
        limits[row] = relation.limit or limits[row]
        if relation.about:
            about.append(row)
    if strange:
        faults.append(
            f"Relation column {source!r} of target {column.name!r} must hold >, <, =, ~ or an "
            "empty cell, and not the contrary of the sign before the label; it does not at "
            f"{places(table, strange, source)}. Correct these cells."
        )
    return approximate(table, replace(column, limits=limits), about)


def approximate(table: Table, column: Column, rows: Sequence[int]) -> Column:
    """Notes the labels that are only near the true value; they count as measured."""
    if not len(rows):
        return column
    reason = "approximate; counts as the value"
    notes = [column.note(table, row, f"{column.values[row]:g}", reason) for row in rows]
    return column.saying(f"{len(rows)} approximate labels (~) count as the value", *notes)


def mark_declared(table: Table, column: Column, below: float | None, above: float | None) -> Column:
    """Turns labels at or beyond a limit of the assay into limits.

    Args:
        table: The table.
        column: The labels.
        below: At or under this number, the assay says only that a value is below it; None means
            that there is no such limit.
        above: Likewise for values above.
    """
    for edge, limit in ((below, BELOW), (above, ABOVE)):
        if edge is None:
            continue
        with np.errstate(invalid="ignore"):
            beyond = (column.values - edge) * limit >= 0
        strict = np.flatnonzero(beyond & (column.values != edge))
        column = replace(
            column,
            values=np.where(beyond, edge, column.values),
            limits=np.where(beyond, limit, column.limits).astype(np.int8),
        )
        shown = f"{SIGNS[limit]}{edge:g}"
        notes = [
            column.note(table, row, shown, f"beyond the declared limit {edge:g}")
            for row in strict.tolist()
        ]
        column = column.saying(
            f"{int(beyond.sum())} labels at or beyond {edge:g} count as {shown}"
            + f" ({len(strict)} of them lie beyond it)" * bool(len(strict)),
            *notes,
        )
    return column


def undeclared_relations(table: Table, declared: Sequence[str]) -> list[str]:
    """Finds columns of relations that nobody reads, such as `standard_relation`.

    Args:
        table: The table.
        declared: The columns that are read.

    Returns:
        Columns that are named like one of relations and whose cells are all relations, some of them
        limits.
    """
    found = []
    for name in map(str, table.frame.columns):
        if name in declared or _NAMED.search(name) is None:
            continue
        relations = [relation_of(cell_text(cell)) for cell in table.frame[name].unique()]
        if None not in relations and any(r.limit for r in relations if r):
            found.append(name)
    return found


_NAMED = re.compile("relation|operator|qualif|modifier|prefix|censor|sign|symbol", re.IGNORECASE)
