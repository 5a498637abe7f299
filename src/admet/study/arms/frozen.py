"""Arms that learn from frozen inputs: they take seconds where networks take minutes."""

import numpy as np
import torch

from admet.data import Split
from admet.data.scales import decided
from admet.model.chemprop.plan import NetworkPlan, disjoint
from admet.model.frozen.boosted import fit_trees
from admet.model.frozen.fit_mlp import MLPJob, fit_mlps
from admet.model.frozen.kernel import fit_kernel
from admet.study.arms.base import Arm, Outcome
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

    def fit(self, material: Material, split: Split, seed: int) -> Outcome:
        """Trains on the training and the validation side: it has no epoch to choose."""
        study, names = material.config.study, material.panel.task_names
        train = _both(split)
        panel = decided(material.panel, train)
        plan = self.plan(names)
        inputs = material.side_by_side(study.inputs)
        (fitted,) = fit_mlps(inputs, panel, [MLPJob(plan, train, seed)], study.frozen_mlp)
        groups = [list(group.tasks) for group in plan.groups]
        return Outcome(fitted.predict(inputs[split.test]), groups=groups)


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

    def fit(self, material: Material, split: Split, seed: int) -> Outcome:
        """Trains on the training and the validation side."""
        study, train = material.config.study, _both(split)
        panel = decided(material.panel, train)
        inputs = material.side_by_side(study.inputs)
        fitted = fit_kernel(inputs, panel, train, study.kernel, seed)
        mean, spread = fitted.predict(inputs[split.test])
        return Outcome(fitted.targets.to_units(torch.from_numpy(mean)), spread)


class Boosted(Arm):
    """Boosted trees on descriptors and counts."""

    name = "boosted"
    text = "boosted trees per endpoint on descriptors and counts"

    def fit(self, material: Material, split: Split, seed: int) -> Outcome:
        """Trains on the training and the validation side."""
        study, train = material.config.study, _both(split)
        panel = decided(material.panel, train)
        inputs = material.side_by_side(_TREES)
        fitted = fit_trees(inputs, panel, train, study.boosted, seed)
        scaled = torch.from_numpy(fitted.predict(inputs[split.test]))
        return Outcome(fitted.targets.to_units(scaled))


def _both(split: Split) -> np.ndarray:
    return np.sort(np.concatenate([split.train, split.val]))
