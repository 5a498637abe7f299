"""Identifiers of records: read from a column, carried with the molecules, told where in doubt."""

import logging

import numpy as np
import pandas as pd

from admet.data.chemistry import cell_text
from admet.data.table import Table

log = logging.getLogger(__name__)

SEPARATOR = "; "
"""Between the identifiers of records that were merged into one molecule."""
_SHOWN = 5


def read_ids(table: Table, column: str) -> np.ndarray:
    """Reads the identifier of every record as text.

    Args:
        table: The table.
        column: The column, which the table has.

    Returns:
        Shape (n,), object; empty where there is none. Whole numbers are written without a point,
        also where empty cells beside them made pandas store them as floats.
    """
    cells = table.frame[column]
    whole = pd.api.types.is_float_dtype(cells) and cells.dropna().mod(1).eq(0).all()
    texts = [
        str(int(cell)) if whole and not pd.isna(cell) else cell_text(cell)
        for cell in cells.tolist()
    ]
    return np.array(texts, dtype=object)


def join_ids(ids: np.ndarray, molecule: np.ndarray, n: int) -> np.ndarray:
    """Gives each molecule the identifiers of all its records, each once, in their order.

    Args:
        ids: Of k records, shape (k,).
        molecule: Molecule of each record, shape (k,).
        n: Number of molecules.

    Returns:
        Shape (n,), object; several are joined by `SEPARATOR`.
    """
    found: list[dict[str, None]] = [{} for _ in range(n)]
    for name, place in zip(ids.tolist(), molecule.tolist(), strict=True):
        if name:
            found[place][name] = None
    return np.array([SEPARATOR.join(names) for names in found], dtype=object)


def tell_of_ids(
    table: Table, column: str, ids: np.ndarray, rows: np.ndarray, molecule: np.ndarray
) -> None:
    """Warns of records without an identifier, and of identifiers of several molecules.

    Args:
        table: The table.
        column: The column of identifiers.
        ids: Identifier of each record of the table, shape (n,).
        rows: Records that are used, shape (k,).
        molecule: Molecule of each of these, shape (k,).
    """
    without = [row for row in rows.tolist() if not ids[row]]
    if without:
        log.warning(
            "%d rows have no identifier in %r and stand without one (%s)",
            len(without),
            column,
            _places(table, without),
        )
    holders: dict[str, dict[int, int]] = {}
    for row, place in zip(rows.tolist(), molecule.tolist(), strict=True):
        if ids[row]:
            holders.setdefault(ids[row], {}).setdefault(place, row)
    shared = {name: list(found.values()) for name, found in holders.items() if len(found) > 1}
    if shared:
        named = "; ".join(
            f"{name!r} at {_places(table, found)}" for name, found in list(shared.items())[:_SHOWN]
        )
        log.warning(
            "%d identifiers in %r stand for different molecules, which stay apart: %s%s",
            len(shared),
            column,
            named,
            f" and {len(shared) - _SHOWN} more" if len(shared) > _SHOWN else "",
        )


def _places(table: Table, rows: list[int]) -> str:
    lines = ", ".join(str(table.lines[row]) for row in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"{table.unit} {lines}{more}"
