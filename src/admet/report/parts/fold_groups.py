"""The groups of a study: how often two endpoints came together over its fits."""

from collections.abc import Sequence

import numpy as np

from admet.model.chemprop.task_affinity.groups import STABLE
from admet.model.chemprop.task_affinity.groups.stability import agreement, co_assignment
from admet.report.content import Block, Pictures, Section, Words
from admet.report.drawn import picture
from admet.report.parts.study_verdict import said
from admet.report.pictures import squares
from admet.report.study_record import StudyRecord
from admet.report.tables import table, text
from admet.study.jobs import Fit

_ARM = "task_affinity"
_TITLE = "Affinity and groups"


def section(record: StudyRecord, names: Sequence[str]) -> Section:
    """Shows the groups of the arm that measures an affinity in each fold.

    Args:
        record: The study.
        names: Its T endpoints.
    """
    fits = [f for f in record.fits if f.job.arm == _ARM and f.outcome and f.outcome.groups]
    labels = [found for fit in fits if (found := _labels(fit, names)) is not None]
    if not labels or len(names) < 2:
        why = (
            f"No fit of the arm {said(_ARM)} was kept, so there are no groups to show. A study "
            "measures an affinity only for that arm."
        )
        return Section("affinity", _TITLE, [Words(why)])
    same = agreement(labels)
    blocks: list[Block] = [
        Words(
            "The affinity was measured anew on the training side of each fold, and the groups with "
            f"it: {len(labels)} times. The picture shows how often two endpoints came into one "
            "group: 1 is always, 0 never; what lies between is a matter of luck."
        )
    ]
    if not np.isnan(same):
        stable = same >= STABLE
        words = (
            f"The groups are {'stable' if stable else 'not stable'} over the folds: two of them "
            f"agree to {same:.2f} (adjusted Rand index; {STABLE} and more is called stable)."
        )
        blocks.append(Words(words, "plain" if stable else "doubt"))
    share = co_assignment(labels)
    figure = squares.draw(share, names, "share of the fits that group both together", largest=1.0)
    numbers = squares.numbers(share, names, "share")
    blocks.append(Pictures((picture(figure, "Endpoints in one group", "groups", numbers),)))
    blocks.append(_table(fits))
    return Section("affinity", _TITLE, blocks)


def _labels(fit: Fit, names: Sequence[str]) -> np.ndarray | None:
    """Gives the group of each endpoint; the first one where groups overlap."""
    assert fit.outcome is not None  # noqa: S101 - asked for above
    found: dict[str, int] = {}
    for index, group in enumerate(fit.outcome.groups):
        for name in group:
            found.setdefault(name, index)
    return np.array([found[name] for name in names]) if set(names) <= set(found) else None


def _table(fits: Sequence[Fit]) -> Block:
    rows = []
    for fit in fits:
        assert fit.outcome is not None  # noqa: S101 - asked for above
        job = fit.job
        for number, group in enumerate(fit.outcome.groups, start=1):
            place = [text(v + 1) for v in (job.repeat, job.fold, job.seed)]
            rows.append([*place, text(number), text(", ".join(group))])
    heads = ["repeat", "fold", "seed", "group", "endpoints"]
    return table("Groups of each fit.", "fold-groups", rows, heads, "nnnnt")
