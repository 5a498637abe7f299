"""Sections of the models on frozen inputs."""

from typing import Literal

from pydantic import Field

from admet.config.averaging import AveragingConfig
from admet.config.base import LARGEST_BATCH, WIDEST, Section
from admet.config.loss import LossConfig, LossName

InputName = Literal["minimol", "admet_ai", "admet_ai_hidden", "rdkit", "morgan"]
"""What frozen inputs are called; `model/inputs/table.py` has a row for each."""


class FrozenMLPConfig(LossConfig, AveragingConfig):
    """Small networks on frozen inputs."""

    loss: LossName = Field(
        "mae",
        description="Loss of a measured value on the scaled target; see training.loss. Out of fold "
        "mae is better here.",
    )
    hidden_size: int = Field(512, ge=1, le=WIDEST, description="Width of the hidden layers.")
    num_layers: int = Field(2, ge=1, le=20, description="Hidden layers; the first is shared.")
    dropout: float = Field(0.35, ge=0, lt=1, description="Dropout behind each of them.")
    epochs: int = Field(60, ge=1, description="Epochs.")
    class_steps: int = Field(
        120,
        ge=1,
        description="Steps of networks of binary endpoints, in whole epochs, one at least and "
        "`epochs` at most: more learn classes by heart.",
    )
    batch_size: int = Field(128, ge=1, le=LARGEST_BATCH, description="Molecules in one step.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate of one cycle.")
    weight_decay: float = Field(0.01, ge=0, description="Decay of AdamW.")


class InformedHeadsConfig(Section):
    """A network on graphs whose heads read frozen inputs, too; of numbers the last epoch counts."""

    loss: LossName = Field(
        "mae",
        description="Loss of a measured value on the scaled target; see training.loss. Out of fold "
        "mae is better here.",
    )
    epochs: int = Field(
        12, ge=1, description="Epochs; with such inputs it learns sooner than from graphs alone."
    )
    learning_rate: float = Field(2e-3, gt=0, description="Peak learning rate.")


class KernelConfig(Section):
    """Gaussian processes on frozen inputs."""

    lengths: tuple[float, ...] = Field(
        (0.35, 0.5, 0.7, 1.0, 1.5, 2.5),
        min_length=1,
        description="Length scales to choose from, in medians of the distance of two molecules.",
    )
    chosen_by: Literal["leave_one_out", "likelihood"] = Field(
        "leave_one_out",
        description="How length and noise are chosen: leave_one_out, by the error of each label "
        "from all others; likelihood, by the marginal likelihood.",
    )
    sample: int = Field(
        800, ge=2, description="Labels of a task by which length and noise are chosen."
    )
    exact_up_to: int = Field(
        5_000, ge=2, description="Labels of one process; more are dealt to several."
    )
    joint_up_to: int = Field(
        10_000,
        ge=2,
        description="Labels of one process of joint_kernel: those of a task and of its nearest "
        "partners.",
    )


class BoostedConfig(Section):
    """Boosted trees on frozen inputs."""

    n_trees: int = Field(500, ge=1, description="Trees per task.")
    learning_rate: float = Field(0.05, gt=0, le=1, description="Weight of a tree.")
    num_leaves: int = Field(31, ge=2, description="Leaves of a tree.")
    column_share: float = Field(
        0.3, gt=0, le=1, description="Share of the inputs that a tree sees."
    )
