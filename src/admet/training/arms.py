"""Where the groups of a training come from."""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from admet.config import TrainConfig
from admet.errors import ConfigError, near_names
from admet.model.chemprop.plan import Arm, Group, Plan, disjoint
from admet.model.chemprop.task_affinity.groups import check_n_groups

Groups = list[list[str]]

ARMS: dict[Arm, Callable[[TrainConfig, Sequence[str]], Groups]] = {
    "multi_task": lambda _, names: [list(names)],
    "single_task": lambda _, names: [[name] for name in names],
    "manual_groups": lambda config, _: [list(group) for group in config.model.groups],
}
"""The arms whose groups are known before any training: configuration and task names → groups.

The groups of `task_affinity` are measured."""


def check_tasks(config: TrainConfig, names: Sequence[str]) -> None:
    """Checks the tasks that a configuration names, before any long work.

    Raises:
        ConfigError: If weights are given for an unknown task, `n_groups` exceeds the number of
            tasks, or groups given by hand name an unknown task, name one twice or leave one out.
    """
    check_weights("training.task_weights", config.training.task_weights, names)
    if config.task_affinity.enabled:
        check_n_groups(config.task_affinity.n_groups, len(names))
    elif not isinstance(config.model.groups, str):
        check_groups("model.groups", config.model.groups, names)


def check_groups(key: str, groups: Sequence[Sequence[str]], names: Sequence[str]) -> None:
    """Checks that groups given by hand hold each task once.

    Raises:
        ConfigError: If they name an unknown task, name one twice or leave one out.
    """
    placed = [name for group in groups for name in group]
    for name in placed:
        if name not in names:
            raise ConfigError(f"`{key}` names {name!r}. {near_names(name, names)}")
    twice = sorted({name for name in placed if placed.count(name) > 1})
    absent = [name for name in names if name not in placed]
    if twice or absent or not all(groups):
        raise ConfigError(
            f"`{key}` must hold every target once and no empty group; twice: "
            f"{twice or 'none'}, left out: {absent or 'none'}."
        )


def check_weights(key: str, weights: Mapping[str, float], names: Sequence[str]) -> None:
    """Checks that weights are those of tasks.

    Raises:
        ConfigError: If one names no task.
    """
    for name in weights:
        if name not in names:
            raise ConfigError(f"`{key}` names {name!r}. {near_names(name, names)}")


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
