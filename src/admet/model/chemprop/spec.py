"""All that is needed to build a model's networks and read their outputs, except the weights."""

from typing import Any, Self

import numpy as np
from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from admet.config import NetworkConfig
from admet.config.base import WIDEST, Section
from admet.config.data import DataConfig, Identity, LabelRules, TaskKind, TransformName
from admet.config.frozen import InputName
from admet.data import Panel
from admet.data.transforms import NO_TRANSFORM, TRANSFORMS, Transform
from admet.kinds import Kind, kind_of
from admet.model.chemprop.plan import Plan

MOST_TASKS = 100_000


class TaskSpec(Section):
    """One task: its kind, its unit and the scale of its training labels.

    Attributes:
        name: Its name.
        kind: Its kind.
        unit: Unit of its labels; empty where nobody said.
        transform: What networks learn in place of its labels.
        mean: Mean of its training labels, transformed.
        scale: Their standard deviation, likewise.
        labels: How the cells of its column became labels; later tables are read in the same way.
    """

    name: str
    kind: TaskKind
    unit: str = Field("")
    transform: TransformName = Field("none")
    mean: float
    scale: float = Field(gt=0)
    labels: LabelRules = Field(LabelRules())


class PanelSpec(Section):
    """How a trained model reads molecules and labels, whatever it is made of.

    Attributes:
        smiles_column: Name of the SMILES column of the table that it was trained on.
        standardize: Whether molecules are standardised before they are predicted.
        duplicates: Which differences between molecules counted in its training.
        id_column: Name of the column of identifiers of that table, if it had one.
        tasks: Its tasks, in the order of its predictions.
    """

    smiles_column: str
    standardize: bool
    duplicates: Identity = "exact"
    id_column: str | None = None
    tasks: tuple[TaskSpec, ...] = Field(min_length=1, max_length=MOST_TASKS)

    @field_validator("tasks")
    @classmethod
    def _decided(cls, value: tuple[TaskSpec, ...]) -> tuple[TaskSpec, ...]:
        for task in value:
            if task.transform == "auto":
                raise ValueError(f"`transform` of {task.name!r} must be decided; it is auto.")
        return value

    @property
    def task_names(self) -> list[str]:
        """Names of the tasks, in their order."""
        return [task.name for task in self.tasks]

    @property
    def units(self) -> list[str]:
        """Units of the tasks, in their order; empty where the table did not say."""
        return [task.unit for task in self.tasks]

    @property
    def transforms(self) -> tuple[Transform, ...]:
        """Transforms of the tasks, in their order."""
        return tuple(TRANSFORMS[task.transform] for task in self.tasks)

    @property
    def scales(self) -> dict[str, Transform]:
        """Tasks of which the networks learn a transform, each with that transform."""
        pairs = zip(self.task_names, self.transforms, strict=True)
        return {name: transform for name, transform in pairs if transform is not NO_TRANSFORM}

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Kinds of the tasks, in their order."""
        return tuple(kind_of(task.kind) for task in self.tasks)


class ModelSpec(PanelSpec):
    """Trained networks without their weights.

    Attributes:
        plan: Which network learns and serves which of the tasks.
        model: Shape of the networks.
        d_v: Number of atom features.
        d_e: Number of bond features.
        inputs: Frozen inputs that the heads read beside the embedding, side by side.
        n_inputs: Numbers that they are together.
    """

    plan: Plan
    model: NetworkConfig
    d_v: int = Field(ge=1, le=WIDEST)
    d_e: int = Field(ge=1, le=WIDEST)
    inputs: tuple[InputName, ...] = ()
    n_inputs: int = Field(0, ge=0, le=WIDEST)

    @model_validator(mode="after")
    def _plan_of_the_tasks(self) -> Self:
        names = self.task_names
        planned = {name for network in self.plan.networks for name in network.tasks}
        if set(names) != planned or len(set(names)) != len(names):
            strange = sorted(set(names) ^ planned) or sorted(n for n in names if names.count(n) > 1)
            raise ValueError(f"`plan` must hold every task, once named; not so for {strange[:5]}.")
        if bool(self.inputs) != bool(self.n_inputs):
            raise ValueError("`n_inputs` must be the numbers of `inputs`, and 0 without any.")
        return self

    @model_serializer(mode="wrap")
    def _lean(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leaves out that there are no inputs, as versions that know none would write it."""
        content: dict[str, Any] = handler(self)
        if not self.inputs:
            del content["inputs"], content["n_inputs"]
        return content


def reading_of(config: DataConfig) -> dict[str, Any]:
    """Gives what of the `data` section a model keeps, as keys of a `PanelSpec`."""
    kept = ("smiles_column", "standardize", "duplicates", "id_column")
    return {name: getattr(config, name) for name in kept}


def task_specs(panel: Panel, mean: np.ndarray, scale: np.ndarray) -> list[TaskSpec]:
    """Describes the tasks of a panel.

    Args:
        panel: Its T tasks; no transform is left undecided.
        mean: Mean of the transformed training labels, shape (T,).
        scale: Their standard deviation, shape (T,).
    """
    return [
        TaskSpec(
            name=task.name,
            kind=task.kind.name,
            unit=task.unit,
            transform=task.transform.name,
            mean=float(own_mean),
            scale=float(own_scale),
            labels=task.rules,
        )
        for task, own_mean, own_scale in zip(panel.tasks, mean, scale, strict=True)
    ]
