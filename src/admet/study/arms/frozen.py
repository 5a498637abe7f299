"""Arms that learn from frozen inputs: they take seconds where networks take minutes."""

from collections.abc import Sequence

import numpy as np

from admet.data import Panel, Split
from admet.data.scales import decided
from admet.featurize.cache import cache_of
from admet.model.chemprop.plan import Group, NetworkPlan, disjoint
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskAffinityConfig
from admet.model.composite import FrozenMember, MemberSpec
from admet.model.frozen import members
from admet.model.frozen.boosted import fit_trees
from admet.model.frozen.fit_mlp import MLPJob, fit_mlps
from admet.model.frozen.joint_kernel import fit_joint_kernel
from admet.model.frozen.kernel import fit_kernel
from admet.study.arms.base import Arm, Trained
from admet.study.arms.networks import nothing_to_group
from admet.study.material import Material

_TREES = ("rdkit", "morgan")  # a tree chooses single columns, which embeddings hide


class FrozenMLP(Arm):
    """A network on frozen inputs, one head for all."""

    name = "frozen_mlp"
    text = "a network on frozen inputs, one head for all"
    inputs = True

    def plan(self, names: list[str]) -> NetworkPlan:
        """Plans the network."""
        return NetworkPlan.together(names)

    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Trains on the training and the validation side: it has no epoch to choose."""
        study, names = material.config.study, material.panel.task_names
        panel, rows = learnt_rows(material, split)
        plans = by_kind(self.plan(names).groups, panel)
        inputs = material.molecules().inputs(study.inputs)
        jobs = [MLPJob(NetworkPlan.of(groups, names), rows, seed) for groups in plans]
        fitted = fit_mlps(inputs, panel, jobs, study.frozen_mlp)
        groups = [list(group.serves) for plan in plans for group in plan if group.serves]
        if len(fitted) == 1:
            spec = MemberSpec(arm=self.name, kind="mlp", inputs=study.inputs)
            return Trained(FrozenMember(members.MLP(fitted[0]), study.inputs), spec, groups)
        spec = MemberSpec(arm=self.name, kind="mlps", inputs=study.inputs)
        return Trained(FrozenMember(members.MLPs(fitted), study.inputs), spec, groups)


class FrozenOwnHeads(FrozenMLP):
    """A network on frozen inputs with a head per task."""

    name = "frozen_own_heads"
    text = "the same with a head per endpoint"

    def plan(self, names: list[str]) -> NetworkPlan:
        """Plans the network."""
        return NetworkPlan.of(disjoint([[name] for name in names]), names)


class Kernel(Arm):
    """Gaussian processes on frozen inputs."""

    name = "kernel"
    text = "a Gaussian process per endpoint on frozen inputs"
    inputs = True
    alone = True

    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Trains on the training and the validation side."""
        study = material.config.study
        panel, rows = learnt_rows(material, split)
        inputs = material.molecules().inputs(study.inputs)
        fitted = members.Kernel(fit_kernel(inputs, panel, rows, study.kernel, seed))
        spec = MemberSpec(arm=self.name, kind="kernel", inputs=study.inputs)
        return Trained(FrozenMember(fitted, study.inputs), spec)


class JointKernel(Arm):
    """A Gaussian process of all endpoints on frozen inputs."""

    name = "joint_kernel"
    text = "a Gaussian process of all endpoints on frozen inputs, joined by the affinity"
    inputs = True

    def why_not(self, material: Material) -> str:
        """Needs two tasks."""
        return nothing_to_group(material)

    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Measures the affinity and trains on the training and the validation side."""
        study = material.config.study
        panel, rows = learnt_rows(material, split)
        config = TaskAffinityConfig(
            estimator="coregionalization", seed=seed, log_affinity_matrix=False
        )
        affinity = TaskAffinityComputer(config, cache=cache_of(material.config.data)).compute(
            panel.subset(rows), material.graphs.subset(rows)
        )
        inputs = material.molecules().inputs(study.inputs)
        fitted = fit_joint_kernel(inputs, panel, rows, affinity.matrix, study.kernel, seed)
        spec = MemberSpec(arm=self.name, kind="joint_kernel", inputs=study.inputs)
        return Trained(FrozenMember(members.JointKernel(fitted), study.inputs), spec)


class Boosted(Arm):
    """Boosted trees on descriptors and counts."""

    name = "boosted"
    text = "boosted trees per endpoint on descriptors and counts"
    alone = True

    def train(self, material: Material, split: Split, seed: int) -> Trained:
        """Trains on the training and the validation side."""
        panel, rows = learnt_rows(material, split)
        inputs = material.molecules().inputs(_TREES)
        fitted = members.Trees(fit_trees(inputs, panel, rows, material.config.study.boosted, seed))
        spec = MemberSpec(arm=self.name, kind="trees", inputs=_TREES)
        return Trained(FrozenMember(fitted, _TREES), spec)


def learnt_rows(material: Material, split: Split) -> tuple[Panel, np.ndarray]:
    """Gives the rows to train on, and the panel with what they decide."""
    rows = split.known
    return decided(material.panel, rows), rows


def by_kind(groups: Sequence[Group], panel: Panel) -> list[list[Group]]:
    """Parts groups by what they serve: numbers, and classes, which need a shorter training.

    Numbers learn from classes, too; classes learn among themselves.

    Args:
        groups: The groups.
        panel: The panel, which knows the kinds.

    Returns:
        The groups of a network that serves the numbers, and of one that serves the classes; without
        the one that would serve nothing.
    """
    scaled = {task: kind.scaled for task, kind in zip(panel.task_names, panel.kinds, strict=True)}
    numbers = [
        Group(tasks=group.tasks, serves=tuple(name for name in group.serves if scaled[name]))
        for group in groups
    ]
    classes = [
        Group(
            tasks=tuple(name for name in group.tasks if not scaled[name]),
            serves=tuple(name for name in group.serves if not scaled[name]),
        )
        for group in groups
        if not all(scaled[name] for name in group.serves)
    ]
    return [part for part in (numbers, classes) if any(group.serves for group in part)]
