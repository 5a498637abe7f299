"""What was left out, changed, merged, or read otherwise than it stands."""

from collections.abc import Sequence

import pandas as pd

from admet.report.content import Block, Points, Section, Table, Words
from admet.report.folders import Origin
from admet.report.tables import count, of_frame, text

_MOST = 200  # rows of a table
_MOST_REASONS = 30


def section(origin: Origin | None, remarks: Sequence[str] = ()) -> Section:
    """Shows the records that did not enter as they stand in the table.

    Args:
        origin: What the run directory keeps of them; None where there is none.
        remarks: What else was left out, in sentences.
    """
    blocks: list[Block] = [Points(tuple(remarks))] if remarks else []
    if origin is None:
        blocks.append(
            Words(
                "This study stopped before its model was written, and the list of records with it. "
                "The same `admet study` command goes on.",
                "doubt",
            )
        )
        return Section("left-out", "Left out or changed", blocks)
    if origin.imported:
        why = "The model was imported, and does not say what it was trained on."
        return Section("left-out", "Left out or changed", [Words(why, "doubt")])
    parts = (
        (origin.rejected, "left out", "rejected", "reason"),
        (origin.structures, "with a changed structure, or merged", "structures", "why"),
        (origin.labels, "with a label read otherwise than it stands", "labels_read", "reason"),
    )
    counted = "; ".join(f"{len(frame):,} {what}" for frame, what, _, _ in parts)
    blocks.append(Words(f"Records of the table: {counted}."))
    for frame, what, stem, reason in parts:
        if len(frame):
            blocks += _tables(frame, what, stem, reason)
    return Section("left-out", "Left out or changed", blocks)


def _tables(frame: pd.DataFrame, what: str, stem: str, reason: str) -> list[Table]:
    key = reason if reason in frame else str(frame.columns[-1])
    counts = frame[key].fillna("").astype(str).value_counts()
    reasons = pd.DataFrame({"why": counts.index, "n": counts.to_numpy()})
    more = f" The {_MOST_REASONS} most frequent." if len(reasons) > _MOST_REASONS else ""
    found = [
        of_frame(
            f"Records {what}, by reason.{more}", f"{stem}-reasons",
            reasons.head(_MOST_REASONS), {"why": ("why", text), "n": ("records", count)},
        )
    ]  # fmt: skip
    shown = frame.head(_MOST)
    more = f" The first {_MOST} of {len(frame):,}." if len(frame) > _MOST else ""
    columns = {name: (str(name), text) for name in shown.columns[:12]}
    found.append(of_frame(f"Records {what}.{more}", stem, shown, columns))
    return found
