"""Arms that train the grouped network."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from admet.config.study import StudyRun
from admet.config.targets import check_n_groups
from admet.data import Panel, Split
from admet.errors import ConfigError
from admet.featurize.cache import cache_of
from admet.model.chemprop.plan import Arm as PlanArm
from admet.model.chemprop.plan import Group, Plan, disjoint
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskAffinityConfig
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups import group_tasks
from admet.model.composite import MemberSpec, NetworkMember
from admet.study.arms.base import Arm, Trained
from admet.study.material import Material
from admet.training import fit_model


class NetworkArm(Arm):
    """A plan of networks, trained as `admet train` does."""

    planned: ClassVar[PlanArm] = "manual_groups"
    shares_encoder: ClassVar[bool] = True
    follows_the_model: ClassVar[bool] = False  # `model.share_encoder` decides

    def validates(self, panel: Panel) -> bool:  # noqa: ARG002
        """Says that the validation side chooses the best epoch."""
        return True

    @abstractmethod
    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:
        """Gives the groups of tasks, each with the tasks that it serves."""

    def config_of(self, config: StudyRun) -> StudyRun:
        """Gives the shape of its networks and how they are trained: those of the study."""
        return config

    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Trains the networks."""
        split = split if self.validates(material.panel) else split.without_val()
        names = material.panel.task_names
        groups = self.groups(material, split, seed)
        shared = self.shares_encoder and (
            not self.follows_the_model or material.config.model.share_encoder is not False
        )
        plan = Plan.of(self.planned, groups, names, share_encoder=shared)
        config = self.config_of(material.config).model_copy(update={"seed": seed})
        extra = config.model.extra_inputs
        inputs = material.molecules().inputs(extra) if extra else None
        model = fit_model(
            material.panel,
            split,
            material.graphs,
            config,
            plan,
            inputs=inputs,
            tracker=material.tracker,
        )
        spec = MemberSpec(arm=self.name, kind="network", network=model.networks.spec)
        named = [list(group.tasks) for group in groups]
        return Trained(NetworkMember(model.networks), spec, named)


class SingleTask(NetworkArm):
    """A network per task."""

    name = "single_task"
    text = "a network per endpoint"
    planned: ClassVar[PlanArm] = "single_task"
    shares_encoder = False
    alone = True

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:  # noqa: ARG002
        """Puts each task alone."""
        return disjoint([[name] for name in material.panel.task_names])


class MultiTask(NetworkArm):
    """One network with one head."""

    name = "multi_task"
    text = "one network, one head for all"
    planned = "multi_task"

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:  # noqa: ARG002
        """Puts all tasks together."""
        return disjoint([material.panel.task_names])


class OwnHeads(SingleTask):
    """One encoder with a head per task."""

    name = "own_heads"
    text = "one encoder, a head per endpoint"
    planned = "manual_groups"
    shares_encoder = True
    alone = False


class InformedHeads(OwnHeads):
    """One encoder with a head per task, which reads the frozen inputs of the study, too."""

    name = "informed_heads"
    text = "one encoder, a head per endpoint that reads frozen inputs, too"
    inputs = True

    def validates(self, panel: Panel) -> bool:
        """Says whether an endpoint is binary: classes are learnt by heart, if for too long.

        Of numbers the last epoch is better than the one that few labels choose.
        """
        return not all(kind.scaled for kind in panel.kinds)

    def config_of(self, config: StudyRun) -> StudyRun:
        """Adds the inputs, and takes what `study.informed_heads` says of the training."""
        names = dict.fromkeys([*config.model.extra_inputs, *config.study.inputs])
        own = config.study.informed_heads
        model = config.model.model_copy(update={"extra_inputs": tuple(names)})
        rates = dict.fromkeys(("max_lr", "init_lr", "final_lr"))  # follow from the peak
        training = config.training.model_copy(update=own.model_dump() | rates)
        return config.model_copy(update={"model": model, "training": training})


def nothing_to_group(material: Material) -> str:
    """Says why tasks cannot be grouped; empty where they can."""
    return "one endpoint has nothing to be grouped with" if len(material.panel.tasks) < 2 else ""


def not_so_many(material: Material) -> str:
    """Says why tasks cannot be put into `task_affinity.n_groups`; empty where they can."""
    try:
        check_n_groups(material.config.task_affinity.n_groups, len(material.panel.tasks))
    except ConfigError as error:
        return str(error).replace("`n_groups`", "`task_affinity.n_groups`")
    return ""


def affinity_of(
    material: Material, split: Split, seed: int
) -> tuple[AffinityEstimate, TaskAffinityConfig]:
    """Measures the affinity on the training side of a fold."""
    config = material.config.task_affinity.model_copy(update={"seed": seed})
    cache = cache_of(material.config.data)
    computer = TaskAffinityComputer(config, material.config.model, cache=cache)
    train = split.train
    estimate = computer.compute(material.panel.subset(train), material.graphs.subset(train))
    return estimate, config


def affinity_groups(material: Material, split: Split, seed: int) -> Sequence[Group]:
    """Measures the affinity on the training side of a fold, and groups by it."""
    estimate, config = affinity_of(material, split, seed)
    return group_tasks(estimate, material.panel.task_names, config).groups


class UserGroups(NetworkArm):
    """The groups of `study.groups` or `model.groups`."""

    name = "groups"
    text = "the groups that you gave"
    follows_the_model = True

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:  # noqa: ARG002
        """Takes the groups of `study.groups` or `model.groups`."""
        return disjoint(material.config.given_groups)


class TaskAffinity(NetworkArm):
    """The groups that the affinity gives, measured on the training side of each fold."""

    name = "task_affinity"
    text = "groups by the affinity of each fold"
    planned: ClassVar[PlanArm] = "task_affinity"
    follows_the_model = True

    def why_not(self, material: Material) -> str:
        """Needs two tasks, and no more groups than tasks."""
        return nothing_to_group(material) or not_so_many(material)

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:
        """Measures the affinity and groups by it."""
        return affinity_groups(material, split, seed)


class RandomGroups(TaskAffinity):
    """Random groups of the sizes that the affinity gives: what a grouping has to beat."""

    name = "random_groups"
    text = "the sizes of these groups, dealt at random"
    planned = "manual_groups"

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:
        """Deals the tasks to groups of the sizes that the affinity gives."""
        measured = super().groups(material, split, seed)
        names = np.random.default_rng(seed).permutation(material.panel.task_names).tolist()
        ends = np.cumsum([len(group.serves) for group in measured])
        starts = [0, *ends[:-1]]
        parts = [names[a:b] for a, b in zip(starts, ends, strict=True)]
        return disjoint([part for part in parts if part])
