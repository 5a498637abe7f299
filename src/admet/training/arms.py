"""Where the groups of a training come from."""

from collections.abc import Callable, Sequence
from typing import cast

from admet.config import TrainConfig
from admet.model.chemprop.plan import Arm, Group, Plan, disjoint

Groups = list[list[str]]

ARMS: dict[Arm, Callable[[TrainConfig, Sequence[str]], Groups]] = {
    "multi_task": lambda _, names: [list(names)],
    "single_task": lambda _, names: [[name] for name in names],
    "manual_groups": lambda config, _: [list(group) for group in config.model.groups],
}
"""The arms whose groups are known before any training: configuration and task names → groups.

The groups of `task_affinity` are measured."""


def arm_of(config: TrainConfig) -> Arm:
    """Tells which arm a configuration asks for."""
    if config.task_affinity.enabled:
        return "task_affinity"
    groups = config.model.groups
    return cast(Arm, groups) if isinstance(groups, str) else "manual_groups"


def plan_of(
    config: TrainConfig, names: Sequence[str], groups: Sequence[Group] | None = None
) -> Plan:
    """Plans the networks that a configuration asks for.

    Args:
        config: The configuration.
        names: Names of the tasks, in their order.
        groups: The groups that an affinity gave; None takes those of the arm.
    """
    arm = arm_of(config)
    groups = disjoint(ARMS[arm](config, names)) if groups is None else groups
    return Plan.of(arm, groups, names, share_encoder=config.model.shares_encoder)
