"""The `study` section: several ways of training, compared on the same folds."""

import json
import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from admet.config.base import Section
from admet.config.duration import checked_duration
from admet.config.frozen import (
    BoostedConfig,
    FrozenMLPConfig,
    InformedHeadsConfig,
    InputName,
    KernelConfig,
)
from admet.config.root import TrainConfig
from admet.config.training import LOGGING, TrainingConfig

ArmName = Literal[
    "single_task",
    "multi_task",
    "own_heads",
    "task_affinity",
    "groups",
    "random_groups",
    "informed_heads",
    "frozen_mlp",
    "frozen_own_heads",
    "frozen_groups",
    "frozen_affinity_groups",
    "frozen_partners",
    "kernel",
    "joint_kernel",
    "boosted",
]

SINGLE, MULTI = "single_task", "multi_task"
"""The two baselines of every verdict."""

CURVE_ARMS = ("frozen_mlp", "kernel", "frozen_own_heads", "boosted")
"""Arms that are cheap enough for a learning curve; the first of them that is compared has one."""

_ON_GRAPHS = {
    "single_task", "multi_task", "own_heads", "task_affinity", "groups", "random_groups"
}  # fmt: skip
_NETWORKS = _ON_GRAPHS | {"informed_heads"}
_BY_GROUPS = {"groups", "frozen_groups"}
_BY_AFFINITY = {"task_affinity", "random_groups", "frozen_affinity_groups", "frozen_partners"}
_MLPS = {
    "frozen_mlp", "frozen_own_heads", "frozen_groups", "frozen_affinity_groups", "frozen_partners"
}  # fmt: skip
_NOT_INFORMED = ("loss", "epochs", "learning_rate", "max_lr", "init_lr", "final_lr")
_READ_BY: dict[str, set[str]] = {
    "training": _NETWORKS,
    **{f"training.{key}": _ON_GRAPHS for key in _NOT_INFORMED},
    "task_affinity": _BY_AFFINITY,
    "model.extra_inputs": _NETWORKS,
    "model.init_from": _NETWORKS,
    "model.groups": _BY_GROUPS,
    "study.groups": _BY_GROUPS,
    "model.share_encoder": {"task_affinity", "groups", "random_groups"},
    "study.inputs": _MLPS | {"informed_heads", "kernel", "joint_kernel"},
    "study.informed_heads": {"informed_heads"},
    "study.frozen_mlp": _MLPS,
    "study.kernel": {"kernel", "joint_kernel"},
    "study.boosted": {"boosted"},
}
"""For each key or section the arms that read it."""
_ADDRESS = re.compile(r"[a-z]+://[^\s/]+:\d+")


class StudyConfig(Section):
    """Which arms are compared, and how often."""

    folds: int = Field(5, ge=2, le=100, description="Folds; each molecule is tested in one.")
    repeats: int = Field(1, ge=1, le=100, description="How often the panel is divided anew.")
    seeds: int = Field(1, ge=1, le=100, description="Trainings of each arm on each fold.")
    arms: tuple[ArmName, ...] = Field(
        (
            "single_task",
            "multi_task",
            "own_heads",
            "task_affinity",
            "random_groups",
            "informed_heads",
            "frozen_mlp",
            "frozen_own_heads",
            "kernel",
            "joint_kernel",
            "boosted",
        ),
        min_length=1,
        description="Ways of training to compare.",
    )
    groups: tuple[tuple[str, ...], ...] | None = Field(
        None,
        description="Groups of the arms groups and frozen_groups, a list of lists of task names; "
        "empty: those of model.groups.",
    )
    inputs: tuple[InputName, ...] = Field(
        ("minimol", "rdkit", "admet_ai", "admet_ai_hidden"),
        min_length=1,
        description="Frozen inputs of the arms that learn from them. Leave out those that have "
        "seen the labels of the panel.",
    )
    workers: int | None = Field(
        None, ge=1, le=1024, description="Processes, one thread each; empty: one per core."
    )
    scheduler: str | None = Field(
        None,
        description="Address of a scheduler of dask, as tcp://host:8786, whose workers do the "
        "fits; empty: this machine does them.",
    )
    time_budget: str | None = Field(
        None,
        description="After this time no further fit is begun, and what is done is compared: 90s, "
        "30m, 2h, 1h30m, or a number of seconds. Reading the table counts; training the model that "
        "is written at the end comes on top.",
    )
    equivalence: float = Field(
        0.02,
        ge=0,
        lt=1,
        description="Differences below this share of the baseline's metric count as none.",
    )
    learning_curve: bool = Field(
        False,
        description="Whether a cheap arm is also trained on a quarter and on half of each training "
        "side, so that the verdict can say what more labels would bring.",
    )
    informed_heads: InformedHeadsConfig = Field(
        InformedHeadsConfig(), description="The arm informed_heads; the rest is as in training."
    )
    frozen_mlp: FrozenMLPConfig = Field(FrozenMLPConfig(), description="Networks on inputs.")
    kernel: KernelConfig = Field(KernelConfig(), description="Gaussian processes.")
    boosted: BoostedConfig = Field(BoostedConfig(), description="Boosted trees.")

    @field_validator("groups", mode="before")
    @classmethod
    def _lists_of_names(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            parsed = None if value == "none" else json.loads(value)
        except json.JSONDecodeError:
            parsed = value
        if parsed is None or isinstance(parsed, list):
            return parsed
        raise ValueError(
            "`groups` must be a list of lists of task names, on the command line as JSON: "
            f"""'[["A", "B"], ["C"]]'; got {value!r}."""
        )

    @field_validator("time_budget", mode="before")
    @classmethod
    def _a_length_of_time(cls, value: object) -> object:
        return checked_duration(value, "time_budget")

    @field_validator("scheduler")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError(
                "`scheduler` must be an address of a scheduler of dask, as tcp://host:8786; got "
                f"{value!r}."
            )
        return value

    @model_validator(mode="after")
    def _once(self) -> Self:
        for key in ("arms", "inputs"):
            names = getattr(self, key)
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"`{key}` must name each once; twice: {', '.join(twice)}.")
        return self


class StudyRun(TrainConfig):
    """Everything that a YAML file can say about a study."""

    study: StudyConfig = Field(StudyConfig(), description="Arms, folds and their comparison.")

    @model_validator(mode="after")
    def _groups_are_an_arm(self) -> Self:
        named = [arm for arm in self.study.arms if arm in _BY_GROUPS]
        by_model = not isinstance(self.model.groups, str)
        if named and self.study.groups is not None and by_model:
            raise ValueError("`study.groups` and `model.groups` both list groups. Remove one.")
        if named and self.study.groups is None and not by_model:
            raise ValueError(
                f"`study.arms` names {', '.join(named)}, so `study.groups` or `model.groups` must "
                """list them, as '[["A", "B"], ["C"]]'; """
                f"got {self.model.groups!r}. List them, or leave the arm out."
            )
        return self

    @model_validator(mode="after")
    def _a_cheap_arm(self) -> Self:
        if self.study.learning_curve and not set(CURVE_ARMS) & set(self.study.arms):
            raise ValueError(
                "`study.learning_curve` needs one of the arms "
                f"{', '.join(CURVE_ARMS)} in `study.arms`; got {', '.join(self.study.arms)}. Add "
                "one, or leave the curve out."
            )
        return self

    @property
    def given_groups(self) -> tuple[tuple[str, ...], ...]:
        """The groups that the user gave; empty where there are none."""
        if self.study.groups is not None:
            return self.study.groups
        return () if isinstance(self.model.groups, str) else self.model.groups

    def _unread(self) -> dict[str, str]:
        arms = set(self.study.arms)
        unread = {
            "data.split_ratios": "a study makes folds",
            "training.ensemble": "study.seeds trains each arm several times",
        }
        for key, readers in _READ_BY.items():
            if not arms & readers:
                unread[key] = f"study.arms has none of {', '.join(sorted(readers))}"
        if why := unread.pop("training", ""):  # the study itself logs
            rest = (key for key in TrainingConfig.model_fields if key not in LOGGING)
            unread |= {f"training.{key}": why for key in rest}
        if self.study.scheduler is not None:
            unread["study.workers"] = "study.scheduler names the machines"
        unread["task_affinity.enabled"] = "study.arms says what is trained"
        return unread


class StudyCommand(StudyRun):
    """Compare ways of training on the same folds, and say how to train each endpoint."""

    config: Path | None = Field(None, description="YAML file; flags override its keys.")
    overwrite: bool = Field(
        False, description="Begin anew where the folder holds a study of something else."
    )
