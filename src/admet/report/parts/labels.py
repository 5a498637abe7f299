"""How many labels there are, and how many molecules two endpoints share."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from admet.report.content import Block, Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.pictures import squares
from admet.report.tables import count, table, text


def section(
    names: Sequence[str],
    facts: pd.DataFrame,
    shared: np.ndarray | None,
    whose: str,
    sides: Mapping[str, int],
) -> Section:
    """Counts labels.

    Args:
        names: T endpoints.
        facts: One row per endpoint, with task, kind, unit, scale, and counts of labels by side.
        shared: Molecules with labels of both endpoints, shape (T, T); None where it is not known.
        whose: Which molecules `shared` counts.
        sides: Side of the split → molecules.
    """
    blocks: list[Block] = []
    if sides:
        counted = ", ".join(f"{n:,} {side}" for side, n in sides.items())
        blocks.append(Words(f"Molecules: {counted}."))
    columns = [c for c in facts.columns if c not in ("task", "kind", "unit", "scale")]
    least = _overlap(names, shared)
    rows = [
        [
            text(row["task"]), text(row["kind"]), text(row["unit"]), text(row["scale"]),
            *[count(row[c]) for c in columns], *least.get(row["task"], []),
        ]
        for _, row in facts.iterrows()
    ]  # fmt: skip
    heads = ["endpoint", "kind", "unit", "learnt as", *columns]
    letters = "tttt" + "n" * len(columns)
    if least:
        heads += ["shares most with", "molecules in common"]
        letters += "tn"
    blocks.append(table("Labels of each endpoint.", "labels", rows, heads, letters))
    if shared is not None and len(names) > 1:
        figure = squares.draw(shared.astype(float), names, "molecules with labels of both")
        title = f"Molecules in common ({whose})"
        numbers = squares.numbers(shared, names, "molecules")
        blocks.append(Pictures((picture(figure, title, "overlap", numbers),)))
    return Section("labels", "Labels and their overlap", blocks)


def _overlap(names: Sequence[str], shared: np.ndarray | None) -> dict[str, list]:  # type: ignore[type-arg]
    if shared is None or len(names) < 2:
        return {}
    off = np.where(np.eye(len(names), dtype=bool), -1, shared)
    best = off.argmax(axis=1)
    return {
        name: [text(names[j] if off[i, j] > 0 else "none"), count(max(off[i, j], 0))]
        for i, (name, j) in enumerate(zip(names, best.tolist(), strict=True))
    }
