"""The arms that a study can compare."""

from collections.abc import Sequence

from admet.config.study import StudyConfig
from admet.study.arms.base import Arm
from admet.study.arms.frozen import Boosted, FrozenMLP, FrozenOwnHeads, JointKernel, Kernel
from admet.study.arms.frozen_plans import FrozenAffinityGroups, FrozenGroups, FrozenPartners
from admet.study.arms.networks import (
    InformedHeads,
    MultiTask,
    NetworkArm,
    OwnHeads,
    RandomGroups,
    SingleTask,
    TaskAffinity,
    UserGroups,
)

ARMS: dict[str, Arm] = {
    arm.name: arm
    for arm in (
        SingleTask(),
        MultiTask(),
        OwnHeads(),
        TaskAffinity(),
        UserGroups(),
        RandomGroups(),
        InformedHeads(),
        FrozenMLP(),
        FrozenOwnHeads(),
        FrozenGroups(),
        FrozenAffinityGroups(),
        FrozenPartners(),
        Kernel(),
        JointKernel(),
        Boosted(),
    )
}
"""By name every arm."""


def inputs_of(study: StudyConfig, extra: Sequence[str] = ()) -> tuple[str, ...]:
    """Lists the frozen inputs that the arms of a study need.

    Args:
        study: The arms and their inputs.
        extra: The inputs that networks on graphs read beside the embedding.
    """
    needed: list[str] = list(study.inputs) if any(ARMS[name].inputs for name in study.arms) else []
    if "boosted" in study.arms:
        needed += [name for name in ("rdkit", "morgan") if name not in needed]
    if any(isinstance(ARMS[name], NetworkArm) for name in study.arms):
        needed += [name for name in extra if name not in needed]
    return tuple(needed)
