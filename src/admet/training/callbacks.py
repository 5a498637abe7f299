"""What watches a training: the best weights, the history, the interrupt."""

import logging
import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

from admet.model.averaging import WeightAverage, averaged
from admet.training.module import NetworkModule
from admet.training.tracking import Tracker

log = logging.getLogger(__name__)


class EpochRecorder(pl.Callback):
    """Keeps the weights of the best validation loss and a history; logs one line per epoch.

    Without validation labels the last weights are the best. Where weights are averaged, their mean
    is kept.
    """

    def __init__(
        self,
        name: str,
        n_epochs: int,
        tracker: Tracker | None = None,
        mean: WeightAverage | None = None,
    ) -> None:
        self.mean = mean
        self.name = name
        self.n_epochs = n_epochs
        self.tracker = tracker
        self.history: list[dict[str, Any]] = []
        self.best_loss = math.inf
        self.best_epoch = 0
        self.best_weights: dict[str, Tensor] | None = None
        self.cut = False  # whether it was stopped within its first epoch
        self._started = 0.0

    def on_train_epoch_start(self, *_: Any) -> None:
        """Starts the clock."""
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Records the epoch; Lightning has run the validation by then."""
        assert isinstance(pl_module, NetworkModule)  # noqa: S101 - the only module there is
        epoch = pl_module.first_epoch + trainer.current_epoch + 1
        self.cut = epoch == 1 and not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        metric = trainer.callback_metrics.get("val_loss")
        val_loss = None if metric is None else float(metric)
        better = val_loss is None or val_loss < self.best_loss
        if better or self.best_weights is None:
            self.best_loss = math.inf if val_loss is None else val_loss
            self.best_epoch = epoch
            with averaged(self.mean):
                state = pl_module.network.state_dict()
                self.best_weights = {k: v.detach().cpu().clone() for k, v in state.items()}
        rate = trainer.optimizers[0].param_groups[0]["lr"]
        row = {
            "network": self.name,
            "epoch": epoch,
            "train_loss": pl_module.train_loss,
            "val_loss": val_loss,
            "learning_rate": rate,
            "seconds": time.perf_counter() - self._started,
        }
        self.history.append(row)
        if self.tracker is not None:
            self.tracker.epoch(row)
        log.info(
            "%s: epoch %d of %d, train loss %.4f, validation loss %s%s, %.1f s",
            self.name,
            epoch,
            self.n_epochs,
            row["train_loss"],
            "–" if val_loss is None else f"{val_loss:.4f}",
            " (best)" if better and val_loss is not None else "",
            row["seconds"],
        )


class Averaging(pl.Callback):
    """Takes the weights into their mean, which the validation judges in their place."""

    def __init__(self, mean: WeightAverage) -> None:
        self.mean = mean

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,  # noqa: ARG002 - Lightning's signature
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Takes them in; Lightning has made the step by then, and validates after the last one."""
        assert isinstance(pl_module, NetworkModule)  # noqa: S101 - the only module there is
        self.mean.after_step()
        if batch_idx + 1 == pl_module.steps_per_epoch:
            self.mean.after_epoch(pl_module.first_epoch + trainer.current_epoch + 1)

    def on_validation_start(self, *_: Any) -> None:
        """Puts the mean in their place."""
        self.mean.swap()

    def on_validation_end(self, *_: Any) -> None:
        """Puts them back."""
        self.mean.swap()


class Interrupt(pl.Callback):
    """Turns the first Ctrl-C into an orderly stop after the current step."""

    def __init__(self) -> None:
        self.requested = False

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes SIGINT over while the context lasts; a second Ctrl-C interrupts at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread receives signals
            return
        previous = signal.getsignal(signal.SIGINT)

        def request(signum: int, frame: object) -> None:  # noqa: ARG001 - the signal's signature
            self.requested = True
            signal.signal(signal.SIGINT, previous)
            log.warning("Interrupt: stopping after this step; press Ctrl-C again to stop at once")

        signal.signal(signal.SIGINT, request)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, previous)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any, **__: Any) -> None:
        """Asks Lightning to stop."""
        if self.requested:
            trainer.should_stop = True

    on_train_epoch_end = on_train_batch_end  # an interrupt during the validation
