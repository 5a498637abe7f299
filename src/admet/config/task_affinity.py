"""The `task_affinity` section."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from admet.config.base import LARGEST_BATCH, LARGEST_SEED, WIDEST, Section


def check_device_name(value: str) -> str:
    """Checks the form of a device name, not whether the device is there.

    Args:
        value: What the user wrote.

    Returns:
        The same string.

    Raises:
        ValueError: If it is none of `auto`, `cpu`, `cuda`, `cuda:N`.
    """
    if value in {"auto", "cpu", "cuda"} or re.fullmatch(r"cuda:[0-9]{1,3}", value):
        return value
    raise ValueError(f"`device` must be auto, cpu, cuda or cuda:N; got {value!r}.")


DeviceName = Annotated[str, AfterValidator(check_device_name)]


ClusteringMethod = Literal["agglomerative", "spectral", "network_selection", "transfer"]


class TaskAffinityConfig(Section):
    """How the affinity of the tasks is measured and how they are grouped."""

    enabled: bool = Field(
        False, description="Measure the affinity and group the tasks before the training."
    )
    n_groups: int | Literal["auto"] = Field(
        3,
        description="Number of groups, from 1 to the number of tasks; auto takes the number with "
        "the highest mean silhouette among those whose groups come out the same again, with "
        "transfer the one with the highest predicted gain.",
    )
    estimator: Literal["aligned", "gradient", "lookahead"] = Field(
        "aligned",
        description="aligned fits each task's head before its gradient is taken, over several "
        "runs of a narrow network; gradient watches one training with random heads; lookahead "
        "takes a step along each task's gradient and sees how the others' losses fall.",
    )
    lookahead_lr: float = Field(0.1, gt=0, description="lookahead: length η of that step.")
    affinity_runs: int = Field(4, ge=1, description="aligned: networks to average over.")
    affinity_hidden_size: int = Field(
        64, ge=1, le=WIDEST, description="aligned: width of these networks."
    )
    affinity_max_labels: int = Field(
        2000, ge=2, description="aligned: labels of a task that its gradient is taken over."
    )
    affinity_epochs: int = Field(1, ge=1, description="Epochs of the short joint training.")
    affinity_batch_size: int = Field(
        64, ge=1, le=LARGEST_BATCH, description="Molecules in one step of it."
    )
    affinity_lr: float = Field(1e-3, gt=0, description="Learning rate of its Adam optimiser.")
    affinity_type: Literal["cosine", "dot_product"] = Field(
        "cosine",
        description="cosine averages the cosines of the steps; dot_product averages the products "
        "and normalises once at the end.",
    )
    normalize_gradients: bool = Field(
        True,
        description="Scale each task's gradient to unit length at each step; false lets steps "
        "with large gradients weigh more.",
    )
    clustering_method: ClusteringMethod = Field(
        "agglomerative",
        description="How the matrix is cut into groups; network_selection chooses at most n_groups "
        "groups that may overlap, each task served by its best one; transfer chooses the groups "
        "whose tasks gain most from one another as affinity and numbers of labels predict it.",
    )
    singleton_score: float = Field(
        0.0,
        description="network_selection: what a task's score is worth in a group of its own.",
    )
    encoder_param_patterns: list[str] = Field(
        [],
        description="Take the gradient for parameters whose name holds one of these; empty: all "
        "but the heads.",
    )
    device: DeviceName = Field("auto", description="auto, cpu, cuda or cuda:N.")
    seed: int = Field(
        42,
        ge=0,
        le=LARGEST_SEED,
        description="Seed of the initial weights, the shuffling and the clustering.",
    )
    log_affinity_matrix: bool = Field(True, description="Write the matrix to the log.")

    @field_validator("n_groups", mode="before")
    @classmethod
    def _at_least_one(cls, value: object) -> object:
        if isinstance(value, bool) or (isinstance(value, int) and value < 1):
            raise ValueError(
                f"`n_groups` must be between 1 and the number of tasks, or 'auto'; got {value}."
            )
        return value

    def idle_keys(self) -> list[str]:
        """Lists the keys that were changed but say nothing under the other settings."""
        default = TaskAffinityConfig()
        idle = [key for key, readers in _READ_BY.items() if self.estimator not in readers]
        if self.clustering_method != "network_selection":
            idle.append("singleton_score")
        return [key for key in idle if getattr(self, key) != getattr(default, key)]


_READ_BY: dict[str, tuple[str, ...]] = {
    "affinity_runs": ("aligned",),
    "affinity_hidden_size": ("aligned",),
    "affinity_max_labels": ("aligned",),
    "affinity_type": ("aligned", "gradient"),
    "normalize_gradients": ("aligned", "gradient"),
    "lookahead_lr": ("lookahead",),
}
"""Keys that not every estimator reads, and the estimators that do."""
