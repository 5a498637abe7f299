"""What networks minimise: the same keys for those on graphs and those on frozen inputs."""

from typing import Annotated, Literal

from pydantic import Field

from admet.config.base import Section

LossName = Literal["mse", "mae", "huber"]


class LossConfig(Section):
    """The loss of a panel with gaps."""

    loss: LossName = Field(
        "mse",
        description="Loss of a measured value on the scaled target: mse, its squared error; mae, "
        "its absolute error; huber, squared up to half a standard deviation and absolute beyond.",
    )
    loss_mean: Literal["labels", "tasks"] = Field(
        "labels",
        description="labels: every label weighs the same (as in Chemprop); tasks: every task does.",
    )
    task_weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {}, description="Task → factor of its loss, in training and in validation; others have 1."
    )
    class_weights: Literal["none", "balanced"] = Field(
        "none",
        description="balanced: in a binary task both classes weigh the same in sum; none: every "
        "label does. Balanced outputs are scores, not frequencies.",
    )
    limit_loss: Literal["tobit", "bounded"] = Field(
        "tobit",
        description="What a label that is a limit (`>100`) loses: tobit, the likelihood that the "
        "true value lies beyond it; bounded: the loss of its distance, and nothing beyond (as in "
        "Chemprop).",
    )
