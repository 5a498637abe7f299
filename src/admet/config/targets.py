"""What a configuration says of single tasks, against the tasks that there are."""

from collections.abc import Mapping, Sequence
from numbers import Integral

from admet.config.root import TrainConfig
from admet.errors import ConfigError, near_names


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


def check_n_groups(n_groups: int | str, n_tasks: int | None) -> None:
    """Checks the number of groups against the number of tasks, where that is known.

    Raises:
        ConfigError: Names the rule, the value and the remedy.
    """
    if n_groups == "auto":
        return
    upper = "the number of tasks" if n_tasks is None else f"the number of tasks ({n_tasks})"
    given: object = n_groups  # from Python it may be a number of NumPy
    whole = isinstance(given, Integral) and not isinstance(given, bool)
    if not whole or int(n_groups) < 1 or (n_tasks is not None and int(n_groups) > n_tasks):
        too_many = whole and int(n_groups) > 1
        remedy = "Lower it, or add target columns." if too_many else "Use 'auto' if in doubt."
        raise ConfigError(f"`n_groups` must be between 1 and {upper}; got {n_groups!r}. {remedy}")
