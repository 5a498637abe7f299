"""Turns what earlier versions wrote to `model.json` into what this one reads.

The tests keep a tiny run directory of every version and open it. Versions 1 and 2 differ from 3
only in the files beside `model.json`.
"""

from typing import Any

from admet.model.chemprop.plan import Plan, overlapping

_PLANNED_FROM = 4  # schema version


def upgraded(content: dict[str, Any], version: int) -> dict[str, Any]:
    """Gives the content of a `model.json` as this version would have written it.

    Args:
        content: What it holds, without its version.
        version: The version that wrote it, not newer than this one.

    Returns:
        The fields of a `ModelSpec`, not yet checked.
    """
    return _with_plan(content) if version < _PLANNED_FROM else content


def _with_plan(content: dict[str, Any]) -> dict[str, Any]:
    """Makes a plan from the lists of groups and from who serves tasks that are in several groups.

    Up to version 3, `networks` listed the task names of the groups of each network. For a task in
    several groups, `served_by` held the group that serves it, counted through all networks.
    """
    rest = {k: v for k, v in content.items() if k not in {"arm", "networks", "served_by"}}
    # The plan says what these said.
    shape = {k: v for k, v in content["model"].items() if k not in {"groups", "share_encoder"}}
    order = [task["name"] for task in content["tasks"]]
    flat = [group for network in content["networks"] for group in network]
    groups = overlapping(flat, content.get("served_by", {}))
    parts, taken = [], 0
    for network in content["networks"]:
        parts.append(groups[taken : taken + len(network)])
        taken += len(network)
    return rest | {"model": shape, "plan": Plan.of_networks(content["arm"], parts, order)}
