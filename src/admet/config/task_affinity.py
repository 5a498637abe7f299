"""The `task_affinity` section."""

from typing import Literal

from pydantic import Field, field_validator

from admet.config.base import LARGEST_BATCH, LARGEST_SEED, WIDEST, Section
from admet.config.device import DeviceName
from admet.config.frozen import InputName
from admet.config.model import NetworkConfig

ClusteringMethod = Literal["agglomerative", "spectral", "network_selection", "transfer"]
EstimatorName = Literal[
    "coregionalization", "residual", "measured", "aligned", "gradient", "lookahead"
]
WITHOUT_MOLECULES: EstimatorName = "residual"
"""What `auto` is for any other network and loader."""


class TaskAffinityConfig(Section):
    """How the affinity of the tasks is measured and how they are grouped."""

    enabled: bool = Field(
        False, description="Measure the affinity and group the tasks before the training."
    )
    n_groups: int | Literal["auto"] = Field(
        3,
        description="Number of groups, from 1 to the number of tasks; auto takes the number with "
        "the highest mean silhouette among those whose groups come out the same again, with "
        "transfer the one with the highest predicted gain, with estimator measured the simplest of "
        "those whose measured error is lowest.",
    )
    estimator: EstimatorName | Literal["auto"] = Field(
        "auto",
        description="auto is coregionalization, or residual where one of the keys that only "
        "gradients have is set. coregionalization asks whether similar molecules behave alike in "
        "both tasks; residual fits each task's head and asks how the encoder should change to "
        "explain what is left, over several runs of a narrow network; measured trains small "
        "networks on frozen inputs and sees what each task gains in the company of others; aligned "
        "asks with which change the head would follow the labels; gradient watches one training "
        "with random heads; lookahead takes a step along each task's gradient and sees how the "
        "others' losses fall.",
    )
    inputs: tuple[InputName, ...] = Field(
        ("minimol", "rdkit"),
        min_length=1,
        description="measured: the frozen inputs. Leave out those that have seen the labels.",
    )
    lookahead_lr: float = Field(0.1, gt=0, description="lookahead: length η of that step.")
    affinity_runs: int = Field(8, ge=1, description="residual, aligned: networks to average over.")
    affinity_hidden_size: int = Field(
        64, ge=1, le=WIDEST, description="residual, aligned: width of these networks."
    )
    affinity_max_labels: int = Field(
        2000,
        ge=2,
        description="residual, aligned: labels of a task that its gradient is taken over.",
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

    @property
    def measured_by(self) -> EstimatorName:
        """The estimator, `auto` resolved."""
        if self.estimator != "auto":
            return self.estimator
        fields = type(self).model_fields
        asked = any(getattr(self, key) != fields[key].get_default() for key in _OF_GRADIENTS)
        return "residual" if asked else "coregionalization"

    @property
    def takes_steps(self) -> bool:
        """Whether a network is trained on batches to measure it."""
        return self.measured_by in _READ_BY["affinity_batch_size"]

    def _unread(self) -> dict[str, str]:
        why = f"estimator is {self.measured_by}"
        unread = {key: why for key, readers in _READ_BY.items() if self.measured_by not in readers}
        if self.clustering_method != "network_selection":
            unread["singleton_score"] = f"clustering_method is {self.clustering_method}"
        return unread

    def unread_of_network(self, network: NetworkConfig) -> dict[str, str]:
        """Lists the keys of a network's shape that measuring the affinity on it does not read.

        Args:
            network: The shape.

        Returns:
            The keys as `Section.idle_keys` takes them, each with why it is not read.
        """
        used = self.measured_by
        why = f"estimator is {used}"
        if used in ("coregionalization", "measured"):
            return dict.fromkeys(type(network).model_fields, why)
        one_head = "the affinity is measured on one network with one head"
        unread = dict.fromkeys(("groups", "share_encoder"), one_head)
        unread["extra_inputs"] = "the affinity is measured on the encoder"
        unread["init_from"] = "the affinity is measured on fresh weights"
        if used != "gradient":
            unread |= dict.fromkeys(("message_passing.dropout", "ffn.dropout"), why)
        if used in ("residual", "aligned"):
            unread["ffn"] = why  # a narrow head of one layer stands in
            if network.message_passing.hidden_size > self.affinity_hidden_size:
                unread["message_passing.hidden_size"] = (
                    f"affinity_hidden_size is {self.affinity_hidden_size}"
                )
        return unread


_READ_BY: dict[str, tuple[str, ...]] = {
    "affinity_runs": ("residual", "aligned"),
    "affinity_hidden_size": ("residual", "aligned"),
    "affinity_max_labels": ("residual", "aligned"),
    "affinity_type": ("residual", "aligned", "gradient"),
    "normalize_gradients": ("residual", "aligned", "gradient"),
    "lookahead_lr": ("lookahead",),
    "inputs": ("measured",),
    "affinity_epochs": ("residual", "aligned", "gradient", "lookahead"),
    "affinity_batch_size": ("residual", "aligned", "gradient", "lookahead"),
    "affinity_lr": ("residual", "aligned", "gradient", "lookahead"),
    "encoder_param_patterns": ("residual", "aligned", "gradient", "lookahead"),
}
"""Keys that not every estimator reads, and the estimators that do."""

_OF_GRADIENTS = (
    "affinity_runs", "affinity_hidden_size", "affinity_max_labels", "affinity_epochs",
    "affinity_batch_size", "affinity_lr", "affinity_type", "normalize_gradients",
    "encoder_param_patterns",
)  # fmt: skip
"""Keys that say how gradients are taken: who sets one asks for gradients."""
