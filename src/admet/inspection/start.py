"""A configuration to start from, with what the labels speak for."""

from collections.abc import Sequence

import yaml

from admet.config.quoting import quoted
from admet.inspection.columns import ColumnFacts
from admet.inspection.inspect import Inspection

_LEAST_GROUPED = 3  # tasks from which there is something to group


def start_yaml(inspection: Inspection) -> str:
    """Writes a YAML file that `admet train --config` takes.

    Args:
        inspection: What was found; keys at their defaults are left out.

    Returns:
        The text; what the user must decide stands in comments.
    """
    data, columns = inspection.data, inspection.columns
    section = data.model_dump(mode="json", exclude_defaults=True)
    section["target_columns"] = [facts.name for facts in columns]
    suggested = {facts.name: facts.suggested for facts in columns if facts.suggested != "none"}
    if chosen := suggested | dict(data.transforms):
        section["transforms"] = chosen
    content: dict[str, object] = {
        "data_path": str(inspection.path.absolute()),
        "save_dir": f"models/{inspection.path.stem}",
        "data": section,
    }
    if len(columns) >= _LEAST_GROUPED:
        content["task_affinity"] = {"enabled": True, "n_groups": "auto"}
    lines = ["# Written by `admet inspect`. Read it before you train with it."]
    lines += [f"# {line}" for line in _questions(columns)]
    lines += [f"# Left out, {line}" for line in _left_out(inspection)]
    return "\n".join(lines) + "\n" + yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def _questions(columns: Sequence[ColumnFacts]) -> list[str]:
    """Asks what the table does not say: whether piles are limits of the assay, and the like."""
    lines = []
    for facts in columns:
        name = _one_line(facts.name)
        lines += [
            f"{pile.share:.0%} of {name} are {pile.number}. If that is a limit of the assay: "
            f"data.limits: {{{quoted(name)}: {{{pile.key}: {pile.number}}}}}"
            for pile in facts.piles
        ]
        lines += [f"{name}: {remark}" for remark in facts.remarks]
    return lines


def _left_out(inspection: Inspection) -> list[str]:
    return [f"{_one_line(name)}: {_one_line(why)}" for name, why in inspection.faults.items()]


def _one_line(text: str) -> str:
    return " ".join(text.split())
