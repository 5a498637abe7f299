"""The Lightning module of one network."""

from collections.abc import Sequence
from typing import Any, NoReturn

import lightning.pytorch as pl
import torch
from chemprop.schedulers import build_NoamLike_LRSched
from torch import Tensor

from admet.config import TrainingConfig
from admet.errors import NumericalError
from admet.model.chemprop import GroupedNetwork, LabelledBatch, TaskLoss

_LOOK_EVERY = 50  # steps between two looks at what a GPU computes


class NetworkModule(pl.LightningModule):
    """Trains a `GroupedNetwork` with Adam under Chemprop's schedule.

    The validation loss is the mean over tasks of each task's mean loss over all its validation
    labels, so that it does not depend on how they fall into batches and no task outweighs another.
    """

    def __init__(
        self,
        network: GroupedNetwork,
        loss: TaskLoss,
        config: TrainingConfig,
        steps_per_epoch: int,
        slot_names: Sequence[str],
        first_epoch: int = 0,
    ) -> None:
        super().__init__()
        self.slot_names = list(slot_names)  # S names: what a message calls the network's outputs
        self.first_epoch = first_epoch  # epochs that an earlier, interrupted run has finished
        self.network = network
        self.loss = loss
        self.config = config
        self.steps_per_epoch = steps_per_epoch
        self._train_sum = torch.zeros(2)
        self._remember_none()
        self._val_sums = torch.zeros(2, len(slot_names))
        self._batch: LabelledBatch | None = None
        self._batch_idx = 0

    def transfer_batch_to_device(
        self,
        batch: LabelledBatch,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002 - Lightning's signature
    ) -> LabelledBatch:
        """Moves a batch."""
        return batch.to(device, non_blocking=True)

    def on_train_epoch_start(self) -> None:
        """Empties the sums of the epoch."""
        self._train_sum = torch.zeros(2, device=self.device)
        self._remember_none()

    def _remember_none(self) -> None:
        self._first_bad = torch.tensor(-1, device=self.device)
        self._bad_loss = torch.tensor(0.0, device=self.device)
        self._bad_tasks = torch.zeros(len(self.slot_names), dtype=torch.bool, device=self.device)

    def training_step(self, batch: LabelledBatch, batch_idx: int) -> Tensor:
        """Gives the loss of a batch."""
        self._batch, self._batch_idx = batch, batch_idx
        outputs = self.network.slot_outputs(batch.graphs, batch.inputs).float()
        loss: Tensor = self.loss(outputs, batch.targets, batch.mask, batch.limits)
        self._watch(loss.detach(), batch, outputs.detach(), batch_idx)
        n_labels = batch.mask.sum()
        self._train_sum += torch.stack([loss.detach() * n_labels, n_labels.to(loss.dtype)])
        return loss

    @property
    def asks_late(self) -> bool:
        """Whether the device computes ahead, so that asking for a number makes it wait."""
        return self.device.type == "cuda"

    def _looks_at(self, batch_idx: int) -> bool:
        """Tells whether to look at the numbers of a batch."""
        last = batch_idx + 1 == self.steps_per_epoch
        return not self.asks_late or last or not batch_idx % _LOOK_EVERY

    def _watch(self, loss: Tensor, batch: LabelledBatch, outputs: Tensor, batch_idx: int) -> None:
        """Stops at a loss that is not a number; a device that is asked late remembers the first."""
        if not self.asks_late:
            if not torch.isfinite(loss):
                losses = self.loss.per_task(outputs, batch.targets, batch.mask, batch.limits)
                self._stop("training loss", float(loss), ~torch.isfinite(losses), batch_idx)
            return
        bad = ~torch.isfinite(self.loss.per_task(outputs, batch.targets, batch.mask, batch.limits))
        fresh = ~torch.isfinite(loss) & (self._first_bad < 0)
        self._first_bad = torch.where(fresh, batch_idx, self._first_bad)
        self._bad_loss = torch.where(fresh, loss, self._bad_loss)
        self._bad_tasks = torch.where(fresh, bad, self._bad_tasks)
        if self._looks_at(batch_idx) and int(self._first_bad) >= 0:
            self._stop(
                "training loss", float(self._bad_loss), self._bad_tasks, int(self._first_bad)
            )

    def _stop(
        self, what: str, value: float, bad_tasks: Tensor, batch_idx: int | None = None
    ) -> NoReturn:
        """Says where a number went wrong, and at which tasks, given as a mask."""
        batch = "" if batch_idx is None else f", batch {batch_idx + 1}"
        epoch = self.first_epoch + self.current_epoch + 1
        bad = bad_tasks.nonzero().flatten().tolist()
        names = dict.fromkeys(self.slot_names[i] for i in bad)
        raise NumericalError(
            f"The {what} became {value} in epoch {epoch}{batch}, at "
            f"{', '.join(names) or 'no single task'}. Lower training.learning_rate, set "
            "training.gradient_clip, or look for extreme target values."
        )

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:  # noqa: ARG002
        """Stops before a gradient that is not a number spoils the weights.

        A GPU is asked only now and then, and before an epoch is kept.
        """
        if not self._looks_at(self._batch_idx):
            return
        gradients = [p.grad for p in self.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        if torch.isfinite(norm):
            return
        assert self._batch is not None  # noqa: S101 - a gradient comes of a batch
        outputs = self.network.slot_outputs(self._batch.graphs, self._batch.inputs).float()
        losses = self.loss.per_task(
            outputs, self._batch.targets, self._batch.mask, self._batch.limits
        )
        parameters = list(self.network.parameters())
        norms = []
        for loss in losses:
            parts = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
            norms.append(torch.nn.utils.get_total_norm([g for g in parts if g is not None]))
        self._stop(
            "training gradient", float(norm), ~torch.isfinite(torch.stack(norms)), self._batch_idx
        )

    def on_validation_epoch_start(self) -> None:
        """Empties the sums of the validation."""
        self._val_sums = torch.zeros(2, len(self.slot_names), device=self.device)

    def validation_step(self, batch: LabelledBatch, batch_idx: int) -> None:  # noqa: ARG002
        """Adds the losses of a batch, per task."""
        outputs = self.network.slot_outputs(batch.graphs, batch.inputs).float()
        cells = self.loss.per_label(outputs, batch.targets, batch.mask, batch.limits)
        self._val_sums += torch.stack([cells.sum(dim=0), batch.mask.sum(dim=0).to(cells.dtype)])

    def on_validation_epoch_end(self) -> None:
        """Logs the validation loss."""
        total, count = self._val_sums
        losses, weights = (total / count)[count > 0], self.loss.task_weights
        if weights is None:
            loss = losses.mean()
        else:
            own = weights.to(losses)[count > 0]
            loss = (own * losses).sum() / own.sum()
        if not torch.isfinite(loss):  # before the epoch is kept
            self._stop("validation loss", float(loss), ~torch.isfinite(total))
        self.log("val_loss", loss, prog_bar=True)

    @property
    def train_loss(self) -> float:
        """The training loss of the epoch so far, a mean over labels."""
        total, count = self._train_sum.tolist()
        return float(total / max(count, 1))

    def configure_optimizers(self) -> Any:
        """Makes Adam and its schedule."""
        config = self.config
        optimizer = torch.optim.Adam(
            self.network.parameters(),
            lr=config.init_lr or config.peak_lr / 10,
            weight_decay=config.weight_decay,
            fused=True,
        )
        warmup = round(config.warmup_epochs * self.steps_per_epoch)
        schedule = build_NoamLike_LRSched(
            optimizer,
            warmup_steps=warmup,
            cooldown_steps=max(config.epochs * self.steps_per_epoch - warmup, 0),
            init_lr=config.init_lr or config.peak_lr / 10,
            max_lr=config.peak_lr,
            final_lr=config.final_lr or config.peak_lr / 10,
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }
