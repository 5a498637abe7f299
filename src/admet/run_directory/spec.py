"""What `model.json` holds: all that is needed to rebuild the networks and read their outputs."""

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from admet.config import ModelConfig
from admet.config.base import WIDEST, Section
from admet.config.data import TaskKind
from admet.run_directory.layout import SCHEMA_VERSION

Arm = Literal["single_task", "multi_task", "task_affinity", "manual_groups"]
"""Where the groups of a model come from."""

MOST_TASKS = 100_000
_SHOWN = 5  # names in a message


class TaskSpec(Section):
    """One task: its kind and the scale of its training labels."""

    name: str
    kind: TaskKind
    mean: float
    scale: float = Field(gt=0)


class ModelSpec(Section):
    """The trained model without its weights.

    `networks` lists, for each network, its groups, each a list of task names: one network with G
    groups where they share the encoder, G networks with one group each where they do not. A task in
    several groups is predicted by the one that `served_by` names, counted through all networks.
    """

    schema_version: int = Field(SCHEMA_VERSION, ge=1, strict=True)
    arm: Arm
    smiles_column: str
    standardize: bool
    tasks: tuple[TaskSpec, ...] = Field(min_length=1, max_length=MOST_TASKS)
    networks: tuple[tuple[tuple[str, ...], ...], ...]
    served_by: dict[str, int] = Field({})
    model: ModelConfig
    d_v: int = Field(ge=1, le=WIDEST)
    d_e: int = Field(ge=1, le=WIDEST)

    @model_validator(mode="after")
    def _each_task_served(self) -> Self:
        placed = [name for group in self.groups for name in group]
        names, groups = self.task_names, self.groups
        times = Counter(placed)
        if set(placed) != set(names) or len(set(names)) != len(names):
            strange = sorted(set(placed) ^ set(names)) or [
                name for name, count in Counter(names).items() if count > 1
            ]
            raise ValueError(
                "`networks` must hold every task, once named; not so for "
                f"{', '.join(map(repr, strange[:_SHOWN]))}{' …' * (len(strange) > _SHOWN)}."
            )
        if not all(groups) or not all(self.networks):
            raise ValueError("`networks` holds a network without groups, or an empty group.")
        several = {name for name, count in times.items() if count > 1}
        if several - set(self.served_by):
            raise ValueError(
                f"`networks` holds {sorted(several)} more than once, so `served_by` must name "
                f"their groups; got {self.served_by}."
            )
        for name, index in self.served_by.items():
            if not 0 <= index < len(groups) or name not in groups[index]:
                raise ValueError(
                    f"`served_by` names group {index} for {name!r}, which is not in it."
                )
        return self

    @property
    def groups(self) -> list[list[str]]:
        """All groups, across the networks."""
        return [list(group) for network in self.networks for group in network]

    @property
    def serving_groups(self) -> dict[str, int]:
        """The group that serves each task, counted through all networks."""
        holding = {name: i for i, group in enumerate(self.groups) for name in group}
        return holding | self.served_by

    @property
    def task_names(self) -> list[str]:
        """Names of the tasks, in their order."""
        return [task.name for task in self.tasks]

    @property
    def kinds(self) -> list[TaskKind]:
        """Kinds of the tasks, in their order."""
        return [task.kind for task in self.tasks]
