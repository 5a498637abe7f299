"""Which tasks form the groups of a training."""

from collections.abc import Sequence

from admet.config import TrainConfig
from admet.errors import ConfigError, near_names
from admet.model.chemprop.task_affinity.grouping import check_n_groups

Groups = list[list[str]]


def check_groups(config: TrainConfig, names: Sequence[str]) -> None:
    """Checks the groups that a configuration asks for, before any long work.

    Raises:
        ConfigError: If `n_groups` exceeds the number of tasks, or groups given by hand name an
            unknown task, name one twice or leave one out.
    """
    if config.task_affinity.enabled:
        check_n_groups(config.task_affinity.n_groups, len(names))
    elif not isinstance(config.model.groups, str):
        placed = [name for group in config.model.groups for name in group]
        for name in placed:
            if name not in names:
                raise ConfigError(f"`model.groups` names {name!r}. {near_names(name, names)}")
        twice = sorted({name for name in placed if placed.count(name) > 1})
        absent = [name for name in names if name not in placed]
        if twice or absent or not all(config.model.groups):
            raise ConfigError(
                "`model.groups` must hold every target once and no empty group; twice: "
                f"{twice or 'none'}, left out: {absent or 'none'}."
            )


def groups_without_affinity(config: TrainConfig, names: Sequence[str]) -> tuple[str, Groups]:
    """Gives the arm and its groups where no affinity is measured."""
    groups = config.model.groups
    if groups == "multi_task":
        return "multi_task", [list(names)]
    if groups == "single_task":
        return "single_task", [[name] for name in names]
    return "manual_groups", [list(group) for group in groups]


def plan_networks(groups: Groups, *, share_encoder: bool) -> list[Groups]:
    """Lists the networks, each with its groups: one for all, or one each."""
    return [groups] if share_encoder else [[group] for group in groups]
