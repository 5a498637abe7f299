"""What earlier versions wrote to `model.json`, made what this one reads.

A tiny run directory of every version is kept in the tests, and opened there. Versions 1 and 2
differ from 3 in the files beside it only.
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
    """Makes a plan of the lists of groups, and of who serves tasks that are in several.

    Up to version 3, `networks` listed the task names of the groups of each network, and `served_by`
    the group, counted through all networks, that serves a task in several.
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
