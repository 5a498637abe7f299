"""Groups of names as groups of columns."""

from collections.abc import Sequence

from admet.errors import ConfigError, near_names


def get_task_group_indices(
    groups: Sequence[Sequence[str]], target_cols: Sequence[str]
) -> list[list[int]]:
    """Gives the columns of the tasks of each group.

    Args:
        groups: Task names of each group; a task may be in several.
        target_cols: Names of the T columns.

    Returns:
        For each group, in its order, the places of its tasks in `target_cols`, from 0.

    Raises:
        ConfigError: If a group names no such column, or `target_cols` names one twice.
    """
    for key, names in (("target_cols", target_cols), *(("groups", part) for part in groups)):
        if isinstance(names, str):
            raise ConfigError(f"`{key}` must hold lists of names; got the text {names!r}.")
    place = {name: index for index, name in enumerate(target_cols)}
    if len(place) < len(target_cols):
        raise ConfigError(f"`target_cols` must differ from one another; got {list(target_cols)}.")
    for name in (name for part in groups for name in part):
        if name not in place:
            known = [str(column) for column in target_cols]
            raise ConfigError(
                f"`groups` names {name!r}, which is not among `target_cols`. "
                f"{near_names(str(name), known)}"
            )
    return [[place[name] for name in part] for part in groups]
