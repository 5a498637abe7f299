"""What a user should know about a panel that was read: its size, and doubtful labels."""

import logging

from admet.config.data import DataConfig
from admet.data.label_rules import describe_piles, undeclared_relations
from admet.data.panel import Panel
from admet.data.scales import describe_raw_scales
from admet.data.table import Table

log = logging.getLogger(__name__)

_SHOWN = 5  # tasks with a whole warning of their own; the others are only named


def warn_of_hidden_limits(panel: Panel, table: Table, config: DataConfig) -> None:
    """Names labels that look like limits which nobody has declared."""
    limits = panel.labels.limits
    piles: dict[str, list[str]] = {}
    for index, task in enumerate(panel.tasks):
        if task.kind.has_limits and task.rules.limits is None:
            own = None if limits is None else limits[:, index]
            found = describe_piles(panel.labels.values[:, index], own, task.name)
            piles |= {task.name: found} if found else {}
    for message in [text for found in list(piles.values())[:_SHOWN] for text in found]:
        log.warning(message)
    if len(piles) > _SHOWN:
        log.warning("Labels pile up likewise at: %s", ", ".join(list(piles)[_SHOWN:]))
    used = [*config.target_columns, *config.relation_columns.values()]
    for name in undeclared_relations(table, used):
        log.warning(
            "Column %r holds relations (>, <) that nobody reads. If they belong to a target, name "
            "it: data.relation_columns: {TARGET: %s}",
            name,
            name,
        )


def warn_of_raw_scales(panel: Panel, config: DataConfig) -> None:
    """Names tasks whose labels suggest a transform, unless the user has chosen one, or none."""
    undecided = [i for i, task in enumerate(panel.tasks) if task.name not in config.transforms]
    tasks = [panel.tasks[i] for i in undecided]
    found = describe_raw_scales(panel.labels.columns(undecided), tasks)
    for message in list(found.values())[:_SHOWN]:
        log.warning(message)
    if len(found) > _SHOWN:
        log.warning("Likewise learnt as they stand: %s", ", ".join(list(found)[_SHOWN:]))


def tell_of_panel(panel: Panel, source: str) -> None:
    """Tells what a panel holds, and what was left out of it."""
    n_labels = panel.labels.present.sum(axis=0)
    log.info("%d molecules, %d tasks from %s", len(panel), len(panel.tasks), source)
    for task, count in zip(panel.tasks, n_labels, strict=True):
        log.info("  %s: %s, %d labels", task.name, task.kind.name, count)
    if panel.rejected:
        reasons: dict[str, int] = {}
        for rejection in panel.rejected:
            kind = rejection.reason.partition(": ")[0]
            reasons[kind] = reasons.get(kind, 0) + 1
        shown = "; ".join(f"{count} × {reason}" for reason, count in list(reasons.items())[:6])
        log.warning("%d rows left out (%s)", len(panel.rejected), shown)
