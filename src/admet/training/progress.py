"""Shows how far a training is, where somebody watches."""

import sys
import time
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar

from admet.config.duration import spoken
from admet.progress import NotebookLine, drawn, in_notebook


def progress_bar() -> ProgressBar | None:
    """Makes a progress bar that suits a notebook or a terminal; None where nobody would see it."""
    if in_notebook():
        return NotebookBar()
    return RichProgressBar(leave=False) if sys.stderr.isatty() else None


class NotebookBar(ProgressBar):
    """One line in a notebook: the epoch, its losses, and how long the others will take."""

    def __init__(self) -> None:
        super().__init__()
        self._line = NotebookLine()
        self._began = 0.0

    def on_train_start(self, *_: Any) -> None:
        """Starts the clock."""
        self._began = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Replaces the line; Lightning has run the validation by then."""
        done, total = trainer.current_epoch + 1, max(trainer.max_epochs or 0, 1)
        took = time.perf_counter() - self._began
        loss = trainer.callback_metrics.get("val_loss")
        said = "" if loss is None else f", validation loss {float(loss):.4f}"
        left = f", about {spoken(took / done * (total - done))} left" if done < total else ""
        text = f"Training {drawn(done, total)} epoch {done} of {total}{said}{left}"
        self._line.show(text, at_once=done == total)

    def on_train_end(self, trainer: pl.Trainer, *_: Any) -> None:
        """Says where it ended, which may be before the last epoch."""
        took, total = time.perf_counter() - self._began, max(trainer.max_epochs or 0, 1)
        done = min(trainer.current_epoch, total)
        self._line.show(
            f"Training {drawn(done, total)} {done} of {total} epochs, {spoken(took)}", at_once=True
        )
