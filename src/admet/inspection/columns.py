"""What is known of one column of labels."""

import math
from dataclasses import dataclass

import numpy as np

from admet.data import Panel, Task
from admet.data.label_rules import Pile, find_piles
from admet.data.scales import decades, suggest
from admet.data.structures import StructureChange
from admet.kinds import Kind

_UNIT_MIX = 0.02  # share of labels on the smaller side of a gap, from which it is no outlier
_GAP = 2.0  # decades without a label that tell of two units
_FEW = 20  # positive labels up to which a gap is no evidence
_RARE = 0.05  # share of a class that is worth a remark


@dataclass(frozen=True)
class ColumnFacts:
    """One column of labels, as a training would take it.

    Attributes:
        name: The column.
        kind: Kind of the task.
        unit: Unit of its labels; empty where the table does not say.
        n: Molecules with a label.
        n_limits: Of them those whose label is a limit.
        low: Smallest label.
        median: Median label.
        high: Largest label.
        piles: Numbers at an edge of the range that many labels share.
        n_repeated: Molecules with several records.
        spread: Median standard deviation of their records; NaN where there are none.
        worst_spread: The largest of them.
        suggested: Transform that the labels speak for.
        remarks: What to look at.
    """

    name: str
    kind: Kind
    unit: str
    n: int
    n_limits: int
    low: float
    median: float
    high: float
    piles: tuple[Pile, ...]
    n_repeated: int
    spread: float
    worst_spread: float
    suggested: str
    remarks: tuple[str, ...]

    @property
    def decades(self) -> float:
        """Powers of ten between the smallest and the largest label; NaN unless all are positive."""
        return decades(self.low, self.high) if self.kind.scaled and self.low > 0 else math.nan

    def row(self) -> dict[str, object]:
        """Gives the facts as a row of a table."""
        return {
            "column": self.name,
            "kind": self.kind.name,
            "unit": self.unit,
            "n": self.n,
            "n_limits": self.n_limits,
            "low": self.low,
            "median": self.median,
            "high": self.high,
            "decades": self.decades,
            "piles": "; ".join(f"{pile.share:.0%} at {pile.number}" for pile in self.piles),
            "n_repeated": self.n_repeated,
            "spread": self.spread,
            "worst_spread": self.worst_spread,
            "suggested": self.suggested,
            "remarks": "; ".join(self.remarks),
        }


def facts_of(panel: Panel, column: int) -> ColumnFacts:
    """Looks at the labels of one task.

    Args:
        panel: The panel.
        column: The task, by its place.
    """
    task = panel.tasks[column]
    labels = panel.labels.columns([column])
    values, limits = labels.values[:, 0], None if labels.limits is None else labels.limits[:, 0]
    known = values[~np.isnan(values)]
    low, median, high = np.quantile(known, [0, 0.5, 1]) if len(known) else (math.nan,) * 3
    piles = tuple(find_piles(values, limits)) if task.kind.scaled else ()
    spreads = _spreads(panel.structures, task.name)
    return ColumnFacts(
        name=task.name,
        kind=task.kind,
        unit=task.unit,
        n=len(known),
        n_limits=0 if limits is None else int((limits[~np.isnan(values)] != 0).sum()),
        low=float(low),
        median=float(median),
        high=float(high),
        piles=piles,
        n_repeated=len(spreads),
        spread=float(np.median(spreads)) if len(spreads) else math.nan,
        worst_spread=float(np.max(spreads)) if len(spreads) else math.nan,
        suggested=suggest(values, task).name,
        remarks=tuple(_remarks(known, task)),
    )


def _spreads(changes: tuple[StructureChange, ...], task: str) -> list[float]:
    """Lists the standard deviations of the molecules whose labels were merged."""
    spreads = {
        change.became: change.spreads[task].sd for change in changes if task in change.spreads
    }
    return [sd for sd in spreads.values() if not math.isnan(sd)]


def _remarks(known: np.ndarray, task: Task) -> list[str]:
    """Says what of a column a chemist should look at."""
    remarks = []
    if not task.kind.scaled and len(known):
        share = float(known.mean())
        rarer = min(share, 1 - share)
        if rarer < _RARE:
            remarks.append(f"only {rarer:.1%} are of the rarer class")
        return remarks
    positive = np.sort(known[known > 0])
    if len(positive) > _FEW:
        steps = np.diff(np.log10(positive))
        widest = int(np.argmax(steps))
        below = (widest + 1) / len(positive)
        if steps[widest] >= _GAP and min(below, 1 - below) >= _UNIT_MIX:
            remarks.append(
                f"no label between {positive[widest]:g} and {positive[widest + 1]:g}: two units?"
            )
    return remarks
