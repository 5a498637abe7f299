"""The state of an unfinished training, from which it goes on to the same weights.

One sealed file, replaced after every epoch: tensors as safetensors, the rest as JSON in their
header. Nothing in it can run code.
"""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Checkpoint as CheckpointCallback
from lightning.pytorch.callbacks import EarlyStopping
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from admet.errors import RunDirectoryError
from admet.files import read_sealed, write_sealed
from admet.model.averaging import WeightAverage
from admet.model.chemprop import BatchLoader
from admet.training.callbacks import EpochRecorder
from admet.training.module import NetworkModule

_META = "admet"
_FORMAT = 1


@dataclass
class Checkpoint:
    """How far a training has come.

    Attributes:
        path: File that keeps it after every epoch; None keeps it in memory only.
        epoch: Epochs that the current network has finished.
        stopped: Whether it needs no further epoch.
        finished: Weights of the networks that are done.
        history: Rows of all epochs so far.
        tensors: Weights, best weights, their mean where weights are averaged, optimiser and random
            state of the current network.
        meta: What else it needs: schedule, best loss, order of the batches, patience.
    """

    path: Path | None = None
    epoch: int = 0
    stopped: bool = False
    finished: list[dict[str, Tensor]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def network(self) -> int:
        """Index of the network that is being trained; those before it are done."""
        return len(self.finished)

    def part(self, prefix: str) -> dict[str, Tensor]:
        """Gives the tensors whose name begins with a prefix, without it."""
        return {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}

    def next_network(self, weights: dict[str, Tensor]) -> None:
        """Goes on to the next network once one is done, with the weights that it ends with."""
        self.finished.append({k: v.detach().cpu().clone() for k, v in weights.items()})
        self.epoch, self.stopped = 0, False
        self.tensors, self.meta = {}, {}

    def write(self) -> None:
        """Writes the file, which replaces the one before at once."""
        assert self.path is not None  # noqa: S101 - only then is there a `Keeper`
        tensors = dict(self.tensors)
        for index, weights in enumerate(self.finished):
            tensors |= {f"finished.{index}.{name}": tensor for name, tensor in weights.items()}
        content = {
            "format": _FORMAT,
            "epoch": self.epoch,
            "stopped": self.stopped,
            "n_finished": len(self.finished),
            "history": self.history,
            "meta": self.meta,
        }
        # Layers may share a weight; a file cannot.
        own = {name: tensor.detach().cpu().clone() for name, tensor in tensors.items()}
        write_sealed(self.path, save(own, {_META: json.dumps(content)}))

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Reads the file.

        Raises:
            RunDirectoryError: If it is damaged or of another version.
        """
        damaged = (
            f"The checkpoint {str(path)!r} is damaged, so the run cannot go on. Add --overwrite to "
            "begin anew."
        )
        content = read_sealed(path)
        if content is None:
            raise RunDirectoryError(damaged)
        try:
            tensors = load(content)
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            stored = json.loads(header["__metadata__"][_META])
            if stored["format"] != _FORMAT:
                raise RunDirectoryError(
                    f"The checkpoint {str(path)!r} was written by another version of admet. Add "
                    "--overwrite to begin anew."
                )
            # Adam's sums of squares may overflow in a training that is still sound.
            weights = [v for name, v in tensors.items() if not name.startswith("adam.")]
            if not all(torch.isfinite(tensor).all() for tensor in weights):
                raise ValueError("it holds NaN or infinity")
            finished: list[dict[str, Tensor]] = []
            for index in range(int(stored["n_finished"])):
                prefix = f"finished.{index}."
                own = {k: v for k, v in tensors.items() if k.startswith(prefix)}
                if not own:
                    raise ValueError(f"no weights of network {index + 1}")
                finished.append({k.removeprefix(prefix): v for k, v in own.items()})
            current = {k: v for k, v in tensors.items() if not k.startswith("finished.")}
            return cls(
                path,
                int(stored["epoch"]),
                bool(stored["stopped"]),
                finished,
                list(stored["history"]),
                current,
                dict(stored["meta"]),
            )
        except (SafetensorError, ValueError, KeyError, TypeError) as error:
            raise RunDirectoryError(f"{damaged} ({error})") from None


@contextmanager
def fitting(path: Path | None) -> Iterator[None]:
    """Turns the errors of a checkpoint that does not fit its training into one that says so.

    Args:
        path: The file of the checkpoint; None changes nothing.

    Raises:
        RunDirectoryError: In place of the error that was raised when the state was put back.
    """
    try:
        yield
    except (RuntimeError, ValueError, LookupError, TypeError, AttributeError) as error:
        if path is None:
            raise
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise RunDirectoryError(
            f"The checkpoint {str(path)!r} does not fit this training, so the run cannot go on "
            f"({said[-1].strip()}). Add --overwrite to begin anew."
        ) from None


class Keeper(CheckpointCallback):
    """Keeps the state of a training after every epoch, and puts it back.

    It must come after the other callbacks, whose state it reads. Lightning calls those that watch
    a metric, as patience does, after all others but checkpoints; so it is one.
    """

    def __init__(
        self, checkpoint: Checkpoint, loader: BatchLoader, recorder: EpochRecorder
    ) -> None:
        self.mean: WeightAverage | None = recorder.mean
        self.checkpoint = checkpoint
        self.loader = loader
        self.recorder = recorder
        self.before = list(checkpoint.history)
        self._random: Tensor | None = None
        if checkpoint.epoch:  # not the first epoch of a network
            with fitting(checkpoint.path):
                self._take_up()

    def _take_up(self) -> None:
        """Lets the recorder begin where it stood."""
        state, recorder = self.checkpoint, self.recorder
        if not 0 < state.epoch <= recorder.n_epochs:
            raise ValueError(f"it stands at epoch {state.epoch} of {recorder.n_epochs}")
        own = [row for row in self.before if row["network_index"] == state.network]
        self.before = [row for row in self.before if row["network_index"] != state.network]
        recorder.history = [{k: v for k, v in r.items() if k != "network_index"} for r in own]
        best = state.meta["best_loss"]
        recorder.best_loss = math.inf if best is None else best
        recorder.best_epoch = state.meta["best_epoch"]
        recorder.best_weights = state.part("best.")

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Puts the state back."""
        if not self.checkpoint.epoch:
            return
        assert isinstance(pl_module, NetworkModule)  # noqa: S101 - the only module there is
        with fitting(self.checkpoint.path):
            self._put_back(trainer, pl_module)

    def _put_back(self, trainer: pl.Trainer, pl_module: NetworkModule) -> None:
        state = self.checkpoint
        pl_module.network.load_state_dict(state.part("network."))
        adam: dict[int, dict[str, Tensor]] = {}
        weights = list(pl_module.network.parameters())
        for name, tensor in state.part("adam.").items():
            index, _, key = name.partition(".")
            if tensor.dim() and tensor.shape != weights[int(index)].shape:
                raise ValueError(f"{name} has shape {tuple(tensor.shape)}")
            adam.setdefault(int(index), {})[key] = tensor
        groups = state.meta["param_groups"]
        trainer.optimizers[0].load_state_dict({"state": adam, "param_groups": groups})
        trainer.lr_scheduler_configs[0].scheduler.load_state_dict(state.meta["schedule"])
        for callback in _early_stopping(trainer):
            stored = state.meta["patience"]
            best = torch.tensor(stored["best_score"])
            callback.load_state_dict(stored | {"best_score": best})
        if self.mean is not None:
            self.mean.put_back(state.part("mean."), state.meta["n_averaged"])
        self.loader.random_state = state.meta["order"]
        self._random = state.tensors["random"]

    def on_train_epoch_start(self, *_: Any) -> None:
        """Puts torch's random state back, after Lightning has done all that might use it."""
        if self._random is not None:
            with fitting(self.checkpoint.path):
                torch.set_rng_state(self._random)
                if "random_cuda" in self.checkpoint.tensors:
                    torch.cuda.set_rng_state(self.checkpoint.tensors["random_cuda"])
            self._random = None

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keeps the state."""
        assert isinstance(pl_module, NetworkModule)  # noqa: S101 - the only module there is
        state, recorder = self.checkpoint, self.recorder
        optimizer = trainer.optimizers[0].state_dict()
        tensors = {f"network.{k}": v for k, v in pl_module.network.state_dict().items()}
        tensors |= {f"best.{k}": v for k, v in (recorder.best_weights or {}).items()}
        if self.mean is not None:
            tensors |= {f"mean.{k}": v for k, v in self.mean.means.items()}
        for index, values in optimizer["state"].items():
            tensors |= {f"adam.{index}.{key}": value for key, value in values.items()}
        tensors["random"] = torch.get_rng_state()
        if pl_module.device.type == "cuda":
            tensors["random_cuda"] = torch.cuda.get_rng_state()
        state.tensors = tensors
        state.epoch = pl_module.first_epoch + trainer.current_epoch + 1
        state.stopped = trainer.should_stop
        own = [row | {"network_index": state.network} for row in recorder.history]
        state.history = self.before + own
        schedule = trainer.lr_scheduler_configs[0].scheduler.state_dict()
        state.meta = {
            "param_groups": optimizer["param_groups"],
            "schedule": schedule,
            "best_loss": None if math.isinf(recorder.best_loss) else recorder.best_loss,
            "best_epoch": recorder.best_epoch,
            "order": self.loader.random_state,
        }
        if self.mean is not None:
            state.meta["n_averaged"] = self.mean.count
        for callback in _early_stopping(trainer):
            stored = callback.state_dict()
            state.meta["patience"] = stored | {"best_score": float(stored["best_score"])}
        state.write()


def _early_stopping(trainer: pl.Trainer) -> list[EarlyStopping]:
    return [c for c in trainer.callbacks if isinstance(c, EarlyStopping)]  # type: ignore[attr-defined]
