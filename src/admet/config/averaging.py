"""Whether the last weights of a training are kept, or a mean of those that it passes through."""

from typing import Literal

from pydantic import Field

from admet.config.base import Section


class AveragingConfig(Section):
    """The mean of weights: the same keys for networks on graphs and on frozen inputs."""

    weight_averaging: Literal["none", "ema", "swa"] = Field(
        "none",
        description="Weights that are judged and kept: none, those of the last step; ema, their "
        "exponential moving average; swa, the mean over the ends of the last epochs.",
    )
    ema_decay: float = Field(
        0.99, gt=0, lt=1, description="What the moving average keeps of itself at each step."
    )
    swa_start: float = Field(
        0.75, ge=0, lt=1, description="Share of the epochs before those that swa averages."
    )

    def _unread(self) -> dict[str, str]:
        readers = {"ema_decay": "ema", "swa_start": "swa"}
        return super()._unread() | {
            key: f"weight_averaging is {self.weight_averaging}"
            for key, reader in readers.items()
            if self.weight_averaging != reader
        }
