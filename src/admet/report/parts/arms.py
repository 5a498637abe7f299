"""All ways of training beside one another."""

import pandas as pd

from admet.report.content import Block, Cell, Picture, Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.folders import parts_of
from admet.report.study_record import StudyRecord
from admet.report.tables import number, table, text
from admet.study.outputs import COMPARISONS
from admet.study.pictures import PICTURES

_MOST_ROWS = 3_000
_LEVEL = 0.05


def section(record: StudyRecord) -> Section:
    """Shows all arms over all endpoints, then for each endpoint."""
    blocks: list[Block] = [
        Words(
            "Every arm was trained on the same folds. Intervals come from the spread over folds, "
            "repeats and seeds, corrected for training sets that overlap; with few folds they are "
            "wide."
        ),
        Pictures(tuple(_pictures(record))),
        _by_endpoint(record),
    ]
    return Section("arms", "Ways of training", blocks)


def _pictures(record: StudyRecord) -> list[Picture]:
    found = [_one(record, "arms", "All arms over all endpoints")]
    found.append(_one(record, "arms_by_endpoint", "Loss above that of the best arm, by endpoint"))
    return found


def _one(record: StudyRecord, name: str, title: str) -> Picture:
    numbers = record.pictures[name]
    return picture(PICTURES[name].pages(numbers)[0], title, name, numbers)


def _by_endpoint(record: StudyRecord) -> Block:
    """Gives the mean loss of each arm, and whether it can be told from the best."""
    pairs = record.tables[COMPARISONS]
    rows = []
    for task, part in parts_of(record.pictures["arms_by_endpoint"], "task"):
        best = part["arm"].iloc[int(part["loss"].argmin())] if part["loss"].notna().any() else ""
        own = pairs[pairs["task"] == task]
        columns = (part[key].tolist() for key in ("arm", "loss", "behind_best"))
        for arm, loss, behind in zip(*columns, strict=True):
            ends, word = _to_best(own, arm, best)
            shown = number(behind) if arm != best else Cell("best", "0")
            shown = Cell(f"+{100 * behind:.1f} %", repr(behind)) if behind > 0 else shown
            rows.append([text(task), text(arm.replace("_", " ")), number(loss), shown, ends, word])
    caption = (
        "Mean loss of each arm. The last columns compare it with the best arm of the endpoint, "
        "all arms at once (Tukey's HSD): its difference with the 95 % interval."
    )
    if len(rows) > _MOST_ROWS:
        caption += f" The first {_MOST_ROWS} of {len(rows):,} rows; comparisons.csv has all."
    heads = ["endpoint", "arm", "loss", "behind best", "difference to best", "told from best"]
    return table(caption, "arms", rows[:_MOST_ROWS], heads, "ttnnnt")


def _to_best(own: pd.DataFrame, arm: str, best: str) -> tuple[Cell, Cell]:
    if arm == best:
        return Cell("–"), Cell("–")
    for first, second, sign in ((arm, best, 1.0), (best, arm, -1.0)):
        found = own[(own["arm"] == first) & (own["other"] == second)]
        if len(found):
            row = found.iloc[0]
            if pd.isna(row["p"]):
                return Cell("not known"), Cell("not known")
            mean, *ends = (sign * float(row[key]) for key in ("difference", "low", "high"))
            low, high = sorted(ends)
            shown = Cell(f"{mean:+.3g} [{low:+.3g}, {high:+.3g}]", repr(mean))
            told = bool(row["p"] < _LEVEL)
            return shown, Cell(f"{'yes' if told else 'no'} (p = {row['p']:.2g})", repr(row["p"]))
    return Cell("not known"), Cell("not known")
