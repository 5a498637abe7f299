"""Arms of several networks on frozen inputs, each of some of the tasks, trained at once."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from admet.data import Split
from admet.model.chemprop.plan import Group, NetworkPlan, disjoint
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.composite import FrozenMember, MemberSpec
from admet.model.frozen import members
from admet.model.frozen.fit_mlp import MLPJob, fit_mlps
from admet.study.arms.base import Arm, Trained
from admet.study.arms.frozen import by_kind, learnt_rows
from admet.study.arms.networks import (
    affinity_groups,
    affinity_of,
    not_so_many,
    nothing_to_group,
)
from admet.study.material import Material


class FrozenPlan(Arm):
    """A network on frozen inputs for each group of tasks."""

    inputs = True

    @abstractmethod
    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:
        """Gives the groups of tasks, each with the tasks that it serves."""

    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Trains all networks at once, on the training and the validation side."""
        study, names = material.config.study, material.panel.task_names
        panel, rows = learnt_rows(material, split)
        given = self.groups(material, split, seed)
        groups = [own for group in given for (own,) in by_kind([group], panel)]
        inputs = material.molecules().inputs(study.inputs)
        jobs = [MLPJob(NetworkPlan.of([group], names), rows, seed) for group in groups]
        fitted = fit_mlps(inputs, panel, jobs, study.frozen_mlp)
        spec = MemberSpec(arm=self.name, kind="mlps", inputs=study.inputs)
        named = [list(group.tasks) for group in groups]
        return Trained(FrozenMember(members.MLPs(fitted), study.inputs), spec, named)


class FrozenGroups(FrozenPlan):
    """The groups of `study.groups` or `model.groups`."""

    name = "frozen_groups"
    text = "a network on frozen inputs for each group that you gave"

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:  # noqa: ARG002
        """Takes the groups of the configuration."""
        return disjoint(material.config.given_groups)


class FrozenAffinityGroups(FrozenPlan):
    """The groups that the affinity gives, measured on the training side of each fold."""

    name = "frozen_affinity_groups"
    text = "a network on frozen inputs for each group by the affinity"

    def why_not(self, material: Material) -> str:
        """Needs two tasks, and no more groups than tasks."""
        return nothing_to_group(material) or not_so_many(material)

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:
        """Measures the affinity and groups by it."""
        return affinity_groups(material, split, seed)


class FrozenPartners(FrozenAffinityGroups):
    """For each task a network of it and of those that the affinity says help it."""

    name = "frozen_partners"
    text = "a network on frozen inputs for each endpoint, with partners by the affinity"

    def why_not(self, material: Material) -> str:
        """Needs two tasks."""
        return nothing_to_group(material)

    def groups(self, material: Material, split: Split, seed: int) -> Sequence[Group]:
        """Measures the affinity and chooses partners by it."""
        estimate, _ = affinity_of(material, split, seed)
        return with_partners(estimate, material.panel.task_names)


def with_partners(estimate: AffinityEstimate, names: Sequence[str]) -> list[Group]:
    """Gives each task a group that serves it alone: the task and its partners.

    Args:
        estimate: The affinity of T tasks, which says who is a partner; rows are sources, columns
            targets.
        names: Their names.
    """
    return [
        Group(tasks=tuple(np.array(names, object)[own].tolist()), serves=(name,))
        for name, own in zip(names, estimate.partners.T, strict=True)
    ]
