"""The `training` section."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from admet.config.averaging import AveragingConfig
from admet.config.base import LARGEST_BATCH
from admet.config.device import DeviceName
from admet.config.loss import LossConfig

LOGGING = ("logger", "log_to")
"""Keys that no training depends on."""
MOST_THREADS = 1024
"""More threads would only take memory for their stacks."""


class TrainingConfig(LossConfig, AveragingConfig):
    """The optimisation; the schedule is Chemprop's (linear warm-up, exponential decay)."""

    epochs: int = Field(50, ge=1, description="Epochs.")
    batch_size: int = Field(64, ge=1, le=LARGEST_BATCH, description="Molecules in one step.")
    learning_rate: float = Field(1e-3, gt=0, description="Peak learning rate.")
    max_lr: float | None = Field(
        None, gt=0, description="Another name of the peak rate; empty: learning_rate."
    )
    init_lr: float | None = Field(
        None, gt=0, description="Rate at the first step; empty: a tenth of the peak."
    )
    final_lr: float | None = Field(
        None, gt=0, description="Rate at the last step; empty: a tenth of the peak."
    )
    warmup_epochs: float = Field(2, ge=0, description="Epochs in which the rate rises.")
    ensemble: int = Field(
        1,
        ge=1,
        le=100,
        description="Trainings of every network from other seeds; predictions are their mean, and "
        "how far they lie apart tells of doubt.",
    )
    weight_decay: float = Field(0.0, ge=0, description="L2 penalty of Adam.")
    gradient_clip: float | None = Field(
        None, gt=0, description="Largest norm of the gradient; empty: no limit."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after so many epochs without a better validation loss."
    )
    precision: Literal["auto", "32", "bf16-mixed"] = Field(
        "auto",
        description="32, or bf16-mixed: messages in bfloat16, weights and losses in float32; auto: "
        "bf16-mixed where the processor multiplies bfloat16 in hardware.",
    )
    device: DeviceName = Field("auto", description="auto, cpu, cuda or cuda:N.")
    threads: int | None = Field(
        None, ge=1, le=MOST_THREADS, description="CPU threads of torch; empty: its own choice."
    )

    logger: Literal["none", "csv", "tensorboard", "mlflow"] = Field(
        "none",
        description="Where losses and metrics are followed, besides the run directory; a study "
        "logs itself and each of its fits. tensorboard and mlflow need the extras of these names.",
    )
    log_to: str | None = Field(
        None,
        min_length=1,
        description="Folder of the logs; for mlflow, a folder for its database, or the address of "
        "a store. Empty: what MLFLOW_TRACKING_URI says, for mlflow, or `logs` beside save_dir.",
    )

    @field_validator("precision", mode="before")
    @classmethod
    def _number(cls, value: object) -> object:
        return "32" if value == 32 else value  # YAML reads 32 as a number

    @model_validator(mode="after")
    def _one_peak(self) -> Self:
        given = self.model_fields_set
        both = self.max_lr is not None and {"max_lr", "learning_rate"} <= given
        if both and self.max_lr != self.learning_rate:
            raise ValueError(
                "`learning_rate` and `max_lr` both name the peak rate and must agree; got "
                f"{self.learning_rate:g} and {self.max_lr:g}. Remove one of them."
            )
        if self.init_lr is not None and self.init_lr > self.peak_lr:
            raise ValueError(
                f"`init_lr` must not exceed the peak rate {self.peak_lr:g}; got {self.init_lr:g}."
            )
        return self

    def _unread(self) -> dict[str, str]:
        unread = super()._unread()
        unread |= {"init_lr": "warmup_epochs is 0"} if self.warmup_epochs == 0 else {}
        return unread | ({"log_to": "logger is none"} if self.logger == "none" else {})

    @property
    def peak_lr(self) -> float:
        """The highest rate of the schedule."""
        return self.learning_rate if self.max_lr is None else self.max_lr
