"""Whether intervals hold as many labels as they shall."""

import pandas as pd

from admet.report.content import Block, Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.pictures import coverage
from admet.report.tables import count, number, of_frame, percent, text


def section(table: pd.DataFrame, whose: str, why_none: str = "") -> Section:
    """Shows the coverage of each endpoint, and by similarity where that is known.

    Args:
        table: One row per task and level (and range of similarity, empty for all).
        whose: Which labels were tried, and what calibrated the intervals.
        why_none: What to say where there is none.
    """
    title = "Calibration and coverage"
    if not len(table):
        return Section("coverage", title, [Words(why_none or "No intervals are known.", "doubt")])
    parts = table["similarity"].fillna("") if "similarity" in table else pd.Series("", table.index)
    whole = table[parts == ""]
    blocks: list[Block] = [
        Words(whose),
        Words(
            "A share below the dashed line of its level means intervals that promise too much "
            "there; with few labels the share is uncertain itself."
        ),
        Pictures((picture(coverage.draw(whole), "Labels in their intervals", "coverage", table),)),
        of_frame(
            "Coverage by endpoint, level and similarity to the nearest training molecule. Width "
            "is in the unit of the labels; for classes it is the mean number of classes.",
            "coverage",
            table.assign(similarity=parts.replace("", "all")),
            {
                "task": ("endpoint", text),
                "level": ("asked", percent),
                "similarity": ("similarity", text),
                "n": ("labels", count),
                "coverage": ("found", percent),
                "width": ("mean width", number),
            },
        ),
    ]
    return Section("coverage", title, blocks)
