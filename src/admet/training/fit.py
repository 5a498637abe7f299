"""Fits one network on a split."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping

from admet.config import TrainingConfig
from admet.model.averaging import WeightAverage
from admet.model.chemprop import BatchLoader, GroupedNetwork
from admet.model.chemprop.device import resolve_precision
from admet.model.chemprop.losses import loss_of
from admet.training.callbacks import Averaging, EpochRecorder, Interrupt
from admet.training.checkpoint import Checkpoint, Keeper
from admet.training.lesson import Lesson
from admet.training.module import NetworkModule
from admet.training.progress import progress_bar
from admet.training.tracking import Tracker

log = logging.getLogger(__name__)

_VALIDATION_BATCH = 512  # the loss does not depend on the batches; large ones share more rows


@dataclass(frozen=True)
class Fitted:
    """What a fit gives besides the weights, which are in the network.

    Attributes:
        history: One row an epoch.
        best_epoch: The epoch whose weights the network has; 0 if none was finished.
        interrupted: Whether the user stopped it.
        cut: Whether that was within its first epoch.
    """

    history: list[dict[str, Any]]
    best_epoch: int
    interrupted: bool
    cut: bool = False


def fit(
    network: GroupedNetwork,
    lesson: Lesson,
    config: TrainingConfig,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint,
    *,
    progress: bool = False,
    tracker: Tracker | None = None,
) -> Fitted:
    """Trains a network in place and leaves it with the weights of its best validation loss.

    Args:
        network: The network.
        lesson: What it learns, and what it is judged by.
        config: The `training` section.
        seed: Seed of the shuffling and the dropout.
        device: Where to train.
        checkpoint: How far an earlier, interrupted run of the same training came, or a fresh
            checkpoint; it is kept up to date.
        progress: Whether to show a progress bar where there is somebody to see it.
        tracker: Takes the rows of the history as they come.

    Returns:
        History, best epoch, and whether the user stopped it.

    Raises:
        NumericalError: If the loss is no longer finite.
    """
    on_gpu = device.type == "cuda"
    precision = resolve_precision(config.precision, device, network.encoder.output_dim)
    train = BatchLoader(
        network.batcher(lesson.graphs, training=True),
        lesson.train,
        lesson.learnt,
        config.batch_size,
        limits=lesson.learnt_limits,
        inputs=lesson.inputs,
        shuffle=True,
        seed=seed,
        backward=True,
        pin_memory=on_gpu,
    )
    val = BatchLoader(
        network.batcher(lesson.graphs),
        lesson.val,
        lesson.judged,
        max(config.batch_size, _VALIDATION_BATCH),
        limits=lesson.judged_limits,
        inputs=lesson.inputs,
        pin_memory=on_gpu,
    )
    loss = loss_of(config, lesson.kinds, lesson.slots, lesson.learnt)
    module = NetworkModule(network, loss, config, len(train), lesson.slots, checkpoint.epoch)
    mean = WeightAverage.of(network.to(device), config, config.epochs)
    recorder, interrupt = EpochRecorder(lesson.name, config.epochs, tracker, mean), Interrupt()
    callbacks: list[Callback] = [recorder, interrupt]
    if mean is not None:
        callbacks.append(Averaging(mean))
    if config.patience is not None and len(lesson.val):
        callbacks.append(EarlyStopping("val_loss", patience=config.patience, verbose=False))
    elif config.patience is not None:
        log.warning("%s: no validation labels, so training.patience has no effect", lesson.name)
    if checkpoint.path is not None:
        callbacks.append(Keeper(checkpoint, train, recorder))
    left = 0 if checkpoint.stopped else config.epochs - checkpoint.epoch
    shown = progress_bar() if progress else None
    if shown is not None:
        callbacks.append(shown)
    torch.manual_seed(seed)
    with _quiet_lightning(), interrupt.listening():
        trainer = pl.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=[device.index or 0] if on_gpu else 1,
            precision=precision,
            max_epochs=left,
            callbacks=callbacks,
            gradient_clip_val=config.gradient_clip,
            enable_progress_bar=shown is not None,
            enable_model_summary=False,
            enable_checkpointing=checkpoint.path is not None,  # by `Keeper` alone
            logger=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        if left:
            trainer.fit(module, train, val if len(val) else None)
    if recorder.best_weights is not None:
        network.load_state_dict(recorder.best_weights)
    return Fitted(recorder.history, recorder.best_epoch, interrupt.requested, recorder.cut)


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Keeps Lightning's advice out of the log; its errors still pass."""
    lightning_log = logging.getLogger("lightning.pytorch")
    level = lightning_log.level
    lightning_log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning.*")
            # Lightning steps the schedule before the first optimiser step of a stopped epoch.
            warnings.filterwarnings("ignore", message=".*lr_scheduler.step.*")
            yield
    finally:
        lightning_log.setLevel(level)
