"""What `model.json` holds: all that is needed to rebuild the networks and read their outputs."""

from typing import Literal, Self

from pydantic import Field, model_validator

from admet.config import ModelConfig
from admet.config.base import Section
from admet.config.data import TaskKind
from admet.run_directory.layout import SCHEMA_VERSION


class TaskSpec(Section):
    """One task: its kind and the scale of its training labels."""

    name: str
    kind: TaskKind
    mean: float
    scale: float = Field(gt=0)


class ModelSpec(Section):
    """The trained model without its weights.

    `networks` lists, for each network, its groups, each a list of task names: one network with G
    groups where they share the encoder, G networks with one group each where they do not.
    """

    schema_version: int = SCHEMA_VERSION
    arm: Literal["single_task", "multi_task", "task_affinity", "manual_groups"]
    smiles_column: str
    standardize: bool
    tasks: tuple[TaskSpec, ...] = Field(min_length=1)
    networks: tuple[tuple[tuple[str, ...], ...], ...]
    model: ModelConfig
    d_v: int = Field(ge=1)
    d_e: int = Field(ge=1)

    @model_validator(mode="after")
    def _each_task_once(self) -> Self:
        placed = [name for network in self.networks for group in network for name in group]
        names = [task.name for task in self.tasks]
        if sorted(placed) != sorted(names) or len(set(names)) != len(names):
            raise ValueError(f"`networks` must hold every task once; tasks {names}, got {placed}.")
        return self

    @property
    def groups(self) -> list[list[str]]:
        """All groups, across the networks."""
        return [list(group) for network in self.networks for group in network]

    @property
    def task_names(self) -> list[str]:
        """Names of the tasks, in their order."""
        return [task.name for task in self.tasks]

    @property
    def kinds(self) -> list[TaskKind]:
        """Kinds of the tasks, in their order."""
        return [task.kind for task in self.tasks]
