"""What of a model one file of Chemprop can hold: outputs of one head, all of one kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from admet.config.data import TaskKind
from admet.data.transforms import NO_TRANSFORM
from admet.errors import ConfigError
from admet.model.chemprop.plan import Group
from admet.model.chemprop.predictor import Predictor
from admet.model.chemprop.spec import ModelSpec, TaskSpec
from admet.model.composite import CompositePredictor, NetworkMember
from admet.model.trained_model import TrainedModel


@dataclass(frozen=True)
class Part:
    """The tasks of one kind that one head serves.

    Attributes:
        name: Name of its file, without the ending.
        network: Index of the network.
        head: Index of the head in it.
        outputs: Indices of the head's outputs, shape (t,).
        tasks: Their t tasks.
        columns: The t names that Chemprop gives its predictions.
    """

    name: str
    network: int
    head: int
    outputs: tuple[int, ...]
    tasks: tuple[TaskSpec, ...]
    columns: tuple[str, ...]

    @property
    def kind(self) -> TaskKind:
        """The kind of all its tasks."""
        return self.tasks[0].kind


def parts_of(spec: ModelSpec, *, learnt_scale: bool = False) -> list[Part]:
    """Divides a model among the files of Chemprop, which has one head of one kind in a file.

    Args:
        spec: The model.
        learnt_scale: Whether tasks with a transform are predicted on the scale that was learnt.

    Returns:
        The parts; each task that the model serves is in one.

    Raises:
        ConfigError: If Chemprop has no counterpart of a transform or of the extra inputs.
    """
    _check(spec, learnt_scale=learnt_scale)
    tasks = {task.name: task for task in spec.tasks}
    groups = [(n, h, g) for n, own in enumerate(spec.plan.networks) for h, g in _served(own.groups)]
    found = []
    for number, (network, head, group) in enumerate(groups, start=1):
        name = f"group_{number}" if len(groups) > 1 else "model"
        served = [(i, tasks[own]) for i, own in enumerate(group.tasks) if own in group.serves]
        kinds = list(dict.fromkeys(task.kind for _, task in served))
        for kind in kinds:
            own = [(i, task) for i, task in served if task.kind == kind]
            found.append(
                Part(
                    f"{name}_{kind}" if len(kinds) > 1 else name,
                    network,
                    head,
                    tuple(i for i, _ in own),
                    tuple(task for _, task in own),
                    tuple(_column(task) for _, task in own),
                )
            )
    return found


def predictors_of(model: TrainedModel, member: str | None) -> list[Predictor]:
    """Gives the networks whose mean is the model, or those of one member of a mixture.

    Raises:
        ConfigError: If the model is a mixture that Chemprop cannot average, or has no such member.
    """
    mixture = model.predictor
    if isinstance(mixture, Predictor):
        if member is not None:
            raise ConfigError(
                f"`member` {member!r} names a part of a mixture; this model is none. Leave it out."
            )
        return [mixture]
    networks = [own.predictor for own in mixture.members if isinstance(own, NetworkMember)]
    if member is not None:
        return [_named(mixture, member)]
    if len(networks) < len(mixture.members) or not _alike(mixture, networks):
        raise ConfigError(
            "The model is a mixture that no file of Chemprop can hold, which averages networks of "
            f"equal weight: {_listed(mixture)}. Name one of its networks by `member`."
        )
    return networks


def _check(spec: ModelSpec, *, learnt_scale: bool) -> None:
    """Refuses what Chemprop cannot do.

    Raises:
        ConfigError: Names it.
    """
    if spec.inputs:
        raise ConfigError(
            f"The heads read extra inputs ({', '.join(spec.inputs)}), which admet computes, scales "
            "and bounds. Chemprop has no counterpart: export a model without `model.extra_inputs`."
        )
    changed = [task for task in spec.tasks if task.transform != NO_TRANSFORM.name]
    if changed and not learnt_scale:
        shown = ", ".join(f"{task.name} ({task.transform})" for task in changed)
        raise ConfigError(
            f"Chemprop undoes no transform, and these tasks have one: {shown}. Add --learnt-scale "
            f"for columns such as {_column(changed[0])}, or train with `data.transforms` none."
        )
    columns = [_column(task) for task in spec.tasks]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise ConfigError(f"Two columns would be called {twice[0]!r}. Rename one of the tasks.")


def _column(task: TaskSpec) -> str:
    """Names the predictions of a task as Chemprop gives them."""
    return task.name if task.transform == NO_TRANSFORM.name else f"{task.transform}({task.name})"


def _served(groups: Sequence[Group]) -> list[tuple[int, Group]]:
    """Gives the groups that serve a task, each with the index of its head."""
    return [(head, group) for head, group in enumerate(groups) if group.serves]


def _named(mixture: CompositePredictor, member: str) -> Predictor:
    """Finds the networks of a member.

    Raises:
        ConfigError: If there is no such member, several have the name, or it is no network.
    """
    own = [m for m, s in zip(mixture.members, mixture.spec.members, strict=True) if s.arm == member]
    if len(own) != 1:
        raise ConfigError(
            f"`member` {member!r} must name one part of the mixture; {len(own)} are called so: "
            f"{_listed(mixture)}."
        )
    if not isinstance(own[0], NetworkMember):
        raise ConfigError(
            f"`member` {member!r} learns from frozen inputs, of which Chemprop has no counterpart. "
            f"Name a network: {_listed(mixture)}."
        )
    return own[0].predictor


def _alike(mixture: CompositePredictor, networks: Sequence[Predictor]) -> bool:
    """Tells whether all members predict the same tasks by the same plan, with the same weight."""
    weights = np.array(mixture.spec.weights)  # (A, T)
    first = networks[0].spec
    return bool(np.allclose(weights, weights[0], atol=1e-9)) and all(
        (own.spec.plan, own.spec.model) == (first.plan, first.model) for own in networks
    )


def _listed(mixture: CompositePredictor) -> str:
    """Lists the members of a mixture with their kinds and mean weights."""
    weights = np.array(mixture.spec.weights).mean(axis=1)
    return ", ".join(
        f"{own.arm} ({own.kind}, mean weight {weight:.2f})"
        for own, weight in zip(mixture.spec.members, weights, strict=True)
    )
