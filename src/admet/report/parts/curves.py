"""How the losses fell."""

import pandas as pd

from admet.report.content import Block, Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.parts.study_verdict import said
from admet.report.pictures import curves
from admet.report.study_record import StudyRecord
from admet.study.outputs import CURVE
from admet.study.pictures import curve as learning_curve
from admet.study.verdict import what_twice_brings

_TITLE = "Learning curves"


def study_section(record: StudyRecord) -> Section:
    """Draws how the loss of a cheap arm fell as the labels grew, where that was measured."""
    table = record.tables[CURVE]
    if table.empty:
        why = "No learning curve was measured: study.learning_curve asks for one."
        return Section("curves", _TITLE, [Words(why)])
    arm = said(str(table["arm"].iloc[0]))
    blocks: list[Block] = [
        Words(
            f"Loss of the arm {arm}, trained on parts of the training side of each fold. A power "
            "law through the means says what more labels of molecules like these would bring."
        )
    ]
    if told := what_twice_brings(record.verdicts):
        blocks.append(Words(f"Twice the labels would change the loss by about: {told}."))
    pages = learning_curve.pages(table)
    drawn = [
        picture(page, "Loss against labels", "learning-curve", None if place else table)
        for place, page in enumerate(pages)
    ]
    return Section("curves", _TITLE, [*blocks, Pictures(tuple(drawn))])


def section(history: pd.DataFrame, why_none: str) -> Section:
    """Draws the losses of each epoch.

    Args:
        history: One row per network and epoch; without rows where none was kept.
        why_none: What to say then.
    """
    if not {"network", "epoch", "train_loss", "val_loss"} <= set(history.columns):
        return Section("curves", _TITLE, [Words(why_none)])
    if "training" in history:  # of an ensemble
        named = (
            "training " + history["training"].astype(str) + ", " + history["network"].astype(str)
        )
        history = history.assign(network=named)
    title = "Loss of each epoch"
    shown = picture(curves.draw(history), title, "learning-curves", history)
    return Section("curves", _TITLE, [Pictures((shown,))])
