"""How the losses fell."""

import pandas as pd

from admet.report.content import Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.pictures import curves


def section(history: pd.DataFrame, why_none: str) -> Section:
    """Draws the losses of each epoch.

    Args:
        history: One row per network and epoch; without rows where none was kept.
        why_none: What to say then.
    """
    if not {"network", "epoch", "train_loss", "val_loss"} <= set(history.columns):
        return Section("curves", "Learning curves", [Words(why_none)])
    if "training" in history:  # of an ensemble
        named = (
            "training " + history["training"].astype(str) + ", " + history["network"].astype(str)
        )
        history = history.assign(network=named)
    title = "Loss of each epoch"
    shown = picture(curves.draw(history), title, "learning-curves", history)
    return Section("curves", "Learning curves", [Pictures((shown,))])
