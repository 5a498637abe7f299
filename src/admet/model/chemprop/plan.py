"""Who learns and serves what: networks, their groups, the tasks of each, and who predicts them."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from admet.config.base import Section
from admet.errors import ConfigError

Arm = Literal["single_task", "multi_task", "task_affinity", "manual_groups"]
"""Where the groups of a model come from."""

_SHOWN = 5  # names in a message


class Group(Section):
    """Tasks that share a head.

    Attributes:
        tasks: The tasks that the head learns.
        serves: Those of them that it predicts for the user; another group serves the others.
    """

    tasks: tuple[str, ...] = Field(min_length=1)
    serves: tuple[str, ...]

    @model_validator(mode="after")
    def _holds_what_it_serves(self) -> Self:
        for key, names in (("tasks", self.tasks), ("serves", self.serves)):
            if twice := _twice(names):
                raise ValueError(f"`{key}` of a group must name each task once; twice: {twice}.")
        if strange := sorted(set(self.serves) - set(self.tasks)):
            raise ValueError(f"A group must hold the tasks that it serves; not so for {strange}.")
        return self


class NetworkPlan(Section):
    """One network: an encoder that its groups share.

    Attributes:
        tasks: Its T tasks, in the order of its outputs.
        groups: Its groups, in the order of its heads.
    """

    tasks: tuple[str, ...] = Field(min_length=1)
    groups: tuple[Group, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _tasks_of_the_groups(self) -> Self:
        held = [name for group in self.groups for name in group.tasks]
        if set(held) != set(self.tasks) or _twice(self.tasks):
            strange = sorted(set(held) ^ set(self.tasks)) or _twice(self.tasks)
            raise ValueError(
                f"`tasks` of a network must name what its groups hold, once; not so for {strange}."
            )
        return self

    @classmethod
    def of(cls, groups: Sequence[Group], order: Sequence[str]) -> "NetworkPlan":
        """Plans a network.

        Args:
            groups: Its groups.
            order: Names of all tasks in the order that its outputs follow.
        """
        place = {name: i for i, name in enumerate(order)}
        held = {name for group in groups for name in group.tasks}
        return cls(tasks=tuple(sorted(held, key=place.__getitem__)), groups=tuple(groups))

    @classmethod
    def together(cls, tasks: Sequence[str]) -> "NetworkPlan":
        """Plans a network with one head for all tasks."""
        return cls.of(disjoint([tasks]), tasks)

    @property
    def slots(self) -> list[int]:
        """The column of each output of all heads, one head after the other, shape (S,)."""
        place = {name: i for i, name in enumerate(self.tasks)}
        return [place[name] for group in self.groups for name in group.tasks]

    @property
    def served(self) -> list[int]:
        """The columns of the tasks that this network serves."""
        return [i for i, name in enumerate(self.tasks) if self._server(name) is not None]

    @property
    def serving(self) -> list[int]:
        """For each column the slot that serves it, shape (T,).

        Where another network serves the task, it is the slot of the first group that holds it.
        """
        places = [(g, name) for g, group in enumerate(self.groups) for name in group.tasks]
        first = {name: g for g, name in reversed(places)}
        found = []
        for name in self.tasks:
            server = self._server(name)
            found.append(places.index((first[name] if server is None else server, name)))
        return found

    def _server(self, name: str) -> int | None:
        """Gives the group that serves a task; None where another network does."""
        return next((g for g, group in enumerate(self.groups) if name in group.serves), None)


class Plan(Section):
    """All networks of a model: each task is in one group at least, and one group serves it.

    Attributes:
        arm: Where the groups come from.
        networks: The networks.
    """

    arm: Arm
    networks: tuple[NetworkPlan, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_task_served_once(self) -> Self:
        held = {name for network in self.networks for name in network.tasks}
        times = Counter(name for group in self.groups for name in group.serves)
        if strange := sorted(name for name in held if times[name] != 1):
            raise ValueError(
                "One group must serve each task; not so for "
                f"{', '.join(map(repr, strange[:_SHOWN]))}{' …' * (len(strange) > _SHOWN)}."
            )
        return self

    @classmethod
    def of(
        cls, arm: Arm, groups: Sequence[Group], order: Sequence[str], *, share_encoder: bool
    ) -> "Plan":
        """Plans one network for all groups, or one each.

        Args:
            arm: Where the groups come from.
            groups: The groups.
            order: Names of all tasks, in the order that outputs follow.
            share_encoder: Whether the groups share one encoder.
        """
        parts = [groups] if share_encoder else [[group] for group in groups]
        return cls.of_networks(arm, parts, order)

    @classmethod
    def of_networks(
        cls, arm: Arm, networks: Sequence[Sequence[Group]], order: Sequence[str]
    ) -> "Plan":
        """Plans networks whose groups are given."""
        return cls(arm=arm, networks=tuple(NetworkPlan.of(part, order) for part in networks))

    @property
    def groups(self) -> list[Group]:
        """All groups, across the networks."""
        return [group for network in self.networks for group in network.groups]

    def cut(self, n_networks: int) -> "Plan":
        """Gives the plan of the first networks, which then serve all tasks that they hold."""
        kept = self.networks[:n_networks]
        served = {name for network in kept for group in network.groups for name in group.serves}
        networks = []
        for network in kept:
            groups = []
            for group in network.groups:
                orphans = [name for name in group.tasks if name not in served]
                served.update(orphans)
                serves = [n for n in group.tasks if n in group.serves or n in orphans]
                groups.append(Group(tasks=group.tasks, serves=tuple(serves)))
            networks.append(NetworkPlan(tasks=network.tasks, groups=tuple(groups)))
        return Plan(arm=self.arm, networks=tuple(networks))


def disjoint(groups: Sequence[Sequence[str]]) -> tuple[Group, ...]:
    """Makes groups without overlap, each of which serves what it holds."""
    return tuple(Group(tasks=tuple(group), serves=tuple(group)) for group in groups)


def overlapping(groups: Sequence[Sequence[str]], serves: dict[str, int]) -> tuple[Group, ...]:
    """Makes groups that may hold the same task.

    Args:
        groups: Task names of each group.
        serves: For each task that several groups hold, the index of the one that serves it.

    Raises:
        ConfigError: If a task is in several groups and `serves` does not name one of them.
    """
    holding: dict[str, list[int]] = {}
    for index, group in enumerate(groups):
        for name in group:
            holding.setdefault(name, []).append(index)
    servers = {name: serves.get(name, held[0]) for name, held in holding.items()}
    for name, held in holding.items():
        if servers[name] not in held or (len(held) > 1 and name not in serves):
            raise ConfigError(
                f"`serves` must name, for {name!r}, one of the groups {held} that hold it; got "
                f"{serves.get(name)}."
            )
    return tuple(
        Group(tasks=tuple(group), serves=tuple(n for n in group if servers[n] == index))
        for index, group in enumerate(groups)
    )


def _twice(names: Sequence[str]) -> list[str]:
    """Lists names that stand more than once."""
    return sorted(name for name, count in Counter(names).items() if count > 1)
