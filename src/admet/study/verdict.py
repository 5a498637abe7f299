"""What a study says of one endpoint."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from admet.notebook import table_html
from admet.study.statistics import Contrast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COMPOSITE = "composite"
ALL = "all endpoints"
NOT_KNOWN = "not known"
"""Stands for the best arm, its company and a change where no fold has labels to say."""
SEVERAL = 2
"""Arms from which they can be mixed."""
_ENOUGH = "enough"
GAIN_COLUMNS = {
    "mean": "change_to_{}",
    "low": "change_to_{}_low",
    "high": "change_to_{}_high",
    "better": "p_better_than_{}",
    "same": "p_same_as_{}",
    "worse": "p_worse_than_{}",
}
"""Field of a contrast → its column in the table of verdicts, for a baseline."""
LOSS_OF = "loss_"
"""What stands before an arm in the name of the column with its loss."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """How an endpoint should be trained, and how sure that is.

    Attributes:
        task: The endpoint, or "all endpoints".
        n: Its labels.
        best: The single arm with the lowest mean loss; "not known" where no fold can say.
        alone: Whether no endpoint sees another in this arm.
        partners: Endpoints whose group it shares in most fits of this arm.
        company: With whom the endpoint should be trained: alone, together, or with its partners.
        losses: Arm → mean loss: MAE or 1 − AUROC; for all endpoints relative to always
            predicting the mean.
        served: The arm that is served: the composite, or the only arm.
        loss: Its mean loss, on folds that did not choose its weights.
        gains: Baseline → contrast of what is served with it.
        settled_by: What would settle the contrasts that are open; empty where none is.
        times: As many labels as there are, times this, would settle them; 1 where none is open.
        rounds: Repeats times seeds that would; None where no number that is worth its time would.
        twice: Relative change of the loss of a cheap arm with twice the labels, by its learning
            curve; None where there is no curve.
    """

    task: str
    n: int
    best: str
    alone: bool
    partners: list[str]
    losses: Mapping[str, float]
    served: str
    loss: float
    gains: Mapping[str, Contrast]
    company: str
    settled_by: str = ""
    times: float = 1.0
    rounds: int | None = 1
    twice: float | None = None

    @property
    def evidence(self) -> str:
        """Says whether the folds tell what is served from the baselines, and what would."""
        words = {contrast.verdict for contrast in self.gains.values()}
        if not words:
            return "no baseline"
        if "unclear" not in words:
            return _ENOUGH
        return "more labels or repeats"

    @property
    def frame(self) -> pd.DataFrame:
        """The verdict as a table of one row, as in `verdict.csv`."""
        return pd.DataFrame([self.row()])

    def plot(self) -> "Figure":
        """Draws the mean loss of each arm, and of what is served; a notebook shows it."""
        from admet.figures import Mark, intervals  # noqa: PLC0415 - matplotlib takes a second

        losses = sorted({**self.losses, self.served: self.loss}.items(), key=lambda item: item[1])
        marks = [Mark(arm, "loss", loss, math.nan, math.nan) for arm, loss in losses]
        return intervals(marks, f"{self.task}: mean loss of each way of training", "loss")

    def _repr_html_(self) -> str:
        return html([self])

    def row(self) -> dict[str, object]:
        """Gives one row of `verdict.csv`."""
        found: dict[str, object] = {
            "task": self.task,
            "labels": self.n,
            "train": self.best,
            "company": self.company,
            "served": self.served,
            "loss": self.loss,
        }
        for base, gain in self.gains.items():
            columns = GAIN_COLUMNS.items()
            found |= {name.format(base): getattr(gain, field) for field, name in columns}
        found |= {
            "evidence": self.evidence,
            "settled_by": self.settled_by,
            "times_the_labels": self.times,
            "rounds": self.rounds,
        }
        if self.twice is not None:
            found["change_with_twice_the_labels"] = self.twice
        found |= {f"{LOSS_OF}{arm}": loss for arm, loss in self.losses.items()}
        return found


def what_settles(verdicts: Sequence[Verdict]) -> list[str]:
    """Lists what would settle what the folds leave open, each with the endpoints that it would."""
    found: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.settled_by:
            found.setdefault(verdict.settled_by, []).append(verdict.task)
    return [f"{', '.join(names)}: {what}" for what, names in found.items()]


def what_twice_brings(verdicts: Sequence[Verdict]) -> str:
    """Lists the change of each loss with twice the labels; empty without a learning curve."""
    return ", ".join(f"{v.task} {100 * v.twice:+.0f} %" for v in verdicts if v.twice is not None)


def html(verdicts: Sequence[Verdict]) -> str:
    """Gives verdicts as a table for a notebook: what is served, and how far it is ahead."""
    rows = [
        {
            "endpoint": verdict.task,
            "labels": f"{verdict.n:,}",
            "best arm": verdict.best,
            "company": verdict.company,
            f"loss of {verdict.served}": f"{verdict.loss:.3g}",
        }
        | {f"change to {base}": _change(gain) for base, gain in verdict.gains.items()}
        | {"evidence": verdict.evidence, "what would settle it": verdict.settled_by}
        for verdict in verdicts
    ]
    heads = list(dict.fromkeys(head for row in rows for head in row))
    return table_html([{head: row.get(head) for head in heads} for row in rows], "Verdict")


def _change(gain: Contrast) -> str:
    if gain.mean != gain.mean:
        return NOT_KNOWN
    mean, low, high = (f"{100 * value:+.0f}" for value in (gain.mean, gain.low, gain.high))
    return f"{mean} % [{low}, {high}], {gain.verdict}"
