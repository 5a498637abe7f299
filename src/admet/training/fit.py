"""Fits one network on a split."""

import logging
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, RichProgressBar

from admet.config import TrainingConfig
from admet.featurize import PackedGraphs
from admet.model.chemprop import BatchLoader, GroupedNetwork, TaskLoss
from admet.model.chemprop.device import resolve_precision
from admet.model.chemprop.losses import label_weights
from admet.training.callbacks import EpochRecorder, Interrupt
from admet.training.checkpoint import Keeper, State
from admet.training.module import NetworkModule

log = logging.getLogger(__name__)

_VALIDATION_BATCH = 512  # its loss does not depend on the batches; large ones share more rows


@dataclass(frozen=True)
class Fitted:
    """What a fit gives besides the weights, which are in the network.

    Attributes:
        history: One row an epoch.
        best_epoch: The epoch whose weights the network has; 0 if none was finished.
        interrupted: Whether the user stopped it.
    """

    history: list[dict[str, Any]]
    best_epoch: int
    interrupted: bool


def fit(
    network: GroupedNetwork,
    graphs: PackedGraphs,
    targets: np.ndarray,
    sides: np.ndarray,
    kinds: Sequence[str],
    config: TrainingConfig,
    *,
    name: str,
    seed: int,
    device: torch.device,
    served: Sequence[int] | None = None,
    names: Sequence[str] | None = None,
    checkpoint: Path | None = None,
    state: State | None = None,
) -> Fitted:
    """Trains a network in place and leaves it with the weights of its best validation loss.

    Args:
        network: The network.
        graphs: Graphs of n molecules.
        targets: Scaled targets of the network's tasks, shape (n, T), NaN where absent.
        sides: Side of each molecule (0 train, 1 validation, 2 test), shape (n,).
        kinds: T kinds.
        config: The `training` section.
        name: Name for the log.
        seed: Seed of the shuffling and the dropout.
        device: Where to train.
        served: Columns that the network is judged by, where another network serves the others;
            None is all.
        names: T names, for messages.
        checkpoint: File that keeps the state after every epoch, if wanted.
        state: Where an earlier, interrupted run of the same training stands; it is kept up to date.

    Returns:
        History, best epoch, and whether the user stopped it.

    Raises:
        NumericalError: If the loss is no longer finite.
    """
    # Every head learns all its tasks; only the head that serves a task is judged by it.
    learnt = targets[:, network.slots]
    judged = np.full_like(learnt, np.nan)
    for column in range(targets.shape[1]) if served is None else served:
        judged[:, network.serving[column]] = targets[:, column]
    labelled_for = [~np.isnan(values).all(axis=1) for values in (learnt, judged)]
    rows = [np.flatnonzero((sides == side) & labelled_for[side]) for side in (0, 1)]
    slot_kinds = [kinds[column] for column in network.slots]
    on_gpu = device.type == "cuda"
    precision = resolve_precision(config.precision, device, network.encoder.output_dim)
    train = BatchLoader(
        network.batcher(graphs, training=True),
        rows[0],
        learnt[rows[0]],
        config.batch_size,
        shuffle=True,
        seed=seed,
        backward=True,
        pin_memory=on_gpu,
    )
    val = BatchLoader(
        network.batcher(graphs),
        rows[1],
        judged[rows[1]],
        max(config.batch_size, _VALIDATION_BATCH),
        pin_memory=on_gpu,
    )
    n_labels = (~np.isnan(learnt[rows[0]])).sum(axis=0).tolist()
    loss = TaskLoss(slot_kinds, label_weights(n_labels, config.loss_mean))
    state = State() if state is None else state
    slot_names = [names[column] for column in network.slots] if names else []
    module = NetworkModule(
        network, loss, config, len(train), len(slot_kinds), state.epoch, slot_names
    )
    recorder, interrupt = EpochRecorder(name, config.epochs), Interrupt()
    callbacks: list[Callback] = [recorder, interrupt]
    if config.patience is not None and len(rows[1]):
        callbacks.append(EarlyStopping("val_loss", patience=config.patience, verbose=False))
    elif config.patience is not None:
        log.warning("%s: no validation labels, so training.patience has no effect", name)
    if checkpoint is not None:
        callbacks.append(Keeper(checkpoint, state, train, recorder))
    left = 0 if state.stopped else config.epochs - state.epoch
    on_terminal = sys.stderr.isatty()
    if on_terminal:
        callbacks.append(RichProgressBar(leave=False))
    torch.manual_seed(seed)
    with _quiet_lightning(), interrupt.listening(), tempfile.TemporaryDirectory() as scratch:
        trainer = pl.Trainer(
            accelerator="gpu" if on_gpu else "cpu",
            devices=[device.index or 0] if on_gpu else 1,
            precision=precision,
            max_epochs=left,
            callbacks=callbacks,
            gradient_clip_val=config.gradient_clip,
            enable_progress_bar=on_terminal,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            default_root_dir=scratch,
        )
        if left:
            trainer.fit(module, train, val if len(val) else None)
    if recorder.best_weights is not None:
        network.load_state_dict(recorder.best_weights)
    return Fitted(recorder.history, recorder.best_epoch, interrupt.requested)


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
