"""The whole configuration of a training."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from admet.config.base import LARGEST_SEED
from admet.config.data import DataConfig, PanelFile
from admet.config.model import ModelConfig
from admet.config.task_affinity import TaskAffinityConfig
from admet.config.training import TrainingConfig


class TrainConfig(PanelFile):
    """Everything that a YAML file can say about a training."""

    save_dir: Path = Field(Path("models/admet"), description="The run directory to write.")
    seed: int = Field(
        42, ge=0, le=LARGEST_SEED, description="Seed of the split, the weights and the shuffling."
    )
    data: DataConfig = Field(DataConfig(), description="Columns, molecules, split.")
    model: ModelConfig = Field(ModelConfig(), description="The network.")
    task_affinity: TaskAffinityConfig = Field(
        TaskAffinityConfig(), description="Affinity and grouping."
    )
    training: TrainingConfig = Field(TrainingConfig(), description="The optimisation.")

    @model_validator(mode="after")
    def _one_source_of_groups(self) -> Self:
        if self.task_affinity.enabled and self.model.groups != "multi_task":
            raise ValueError(
                "`model.groups` must stay multi_task while task_affinity.enabled is true, since "
                f"the affinity chooses the groups; got {self.model.groups!r}. Remove one of them."
            )
        if self.model.message_passing.batch_norm and self.training.batch_size == 1:
            raise ValueError(
                "`training.batch_size` must be at least 2 with model.message_passing.batch_norm, "
                "which needs molecules to average over; got 1."
            )
        return self

    def _unread(self) -> dict[str, str]:
        if self.task_affinity.enabled:
            return {}
        unread = {"task_affinity": "task_affinity.enabled is false"}
        if self.model.groups == "multi_task":
            unread["model.share_encoder"] = "model.groups is multi_task"
        return unread
