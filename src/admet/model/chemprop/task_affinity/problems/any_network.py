"""The problem of any network with an encoder and a head, and any loader of labelled batches."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from admet.errors import ConfigError, DataError, NumericalError
from admet.kinds import Kind
from admet.model.chemprop.task_affinity.problems.base import FOLDS, Batch, Triple, count_common
from admet.model.chemprop.task_affinity.problems.directions import (
    Directions,
    Reduction,
)
from admet.model.chemprop.task_affinity.problems.looks import Looks
from admet.model.chemprop.task_affinity.problems.molecules import NOT_FINITE
from admet.model.chemprop.task_affinity.problems.parameters import select_within_encoder
from admet.model.chemprop.task_affinity.problems.task_gradients import flat_gradient


@dataclass(frozen=True)
class LoaderProblem:
    """Any labelled examples, and any network to compare their tasks on.

    Attributes:
        source: A function or class that makes a network with fresh weights; or a network, from
            whose weights every run starts. The encoder gives an embedding of each example, shape
            (b, d_h), from the same inputs as the network itself, whose outputs have shape (b, T).
        loader: Gives the batches of an epoch each time it is iterated over.
        kinds: T kinds.
        device: Where to compute.
        encoder: Name of the submodule that is the encoder.
        dropout: Whether the network keeps its dropout.
    """

    source: nn.Module | Callable[[], nn.Module]
    loader: Iterable[Triple]
    kinds: tuple[Kind, ...]
    device: torch.device
    encoder: str = "encoder"
    dropout: bool = True

    @property
    def panel(self) -> None:
        """There are no molecules."""
        return

    cache = panel

    def n_common(self) -> np.ndarray:
        """Counts the examples with labels of both tasks, shape (T, T); one pass over the loader."""
        n_tasks = len(self.kinds)
        total = np.zeros((n_tasks, n_tasks), dtype=np.int64)
        for _, _, mask, _ in self._checked():
            total += count_common(mask.cpu().numpy())
        return total

    def network(self) -> nn.Module:
        """Makes a network, or copies the one that is there.

        Raises:
            ConfigError: If it has no submodule of the encoder's name.
        """
        if isinstance(self.source, nn.Module):
            network = copy.deepcopy(self.source)
        else:
            network = self.source()
        if self.encoder not in dict(network.named_modules()):
            names = ", ".join(name for name, _ in network.named_children()) or "none"
            raise ConfigError(
                f"`encoder` must name a submodule of the network; got {self.encoder!r}. The "
                f"submodules are: {names}."
            )
        if not self.dropout:
            for module in network.modules():
                if isinstance(module, nn.modules.dropout._DropoutNd):
                    module.p = 0.0
        return network.to(self.device)

    def batches(self, *_: object) -> Iterable[Batch]:
        """Gives the loader's batches, in its own size and order, on the device."""
        return _OnDevice(self)

    def labelled(self, max_labels: int, seed: int) -> "LabelledBatches":
        """Picks up to so many labelled examples of each task, the loader's first ones."""
        return LabelledBatches(self, max_labels, seed)

    def narrow(self, _: int) -> "LoaderProblem":
        """Gives the problem without dropout; how to make the network smaller is not known here."""
        return self.without_dropout()

    def without_dropout(self) -> "LoaderProblem":
        """Gives the problem on a network without dropout, so that only a step changes a loss."""
        return replace(self, dropout=False)

    def _checked(self) -> Iterator[Batch]:
        """Gives the loader's batches as they are.

        Raises:
            DataError: If it can be passed over only once, a batch is no triple, or its targets and
                mask do not fit the tasks.
        """
        if iter(self.loader) is self.loader:
            raise DataError(
                "`loader` must give its batches anew at every pass, but it is an iterator, which "
                "is empty after the first. Pass a DataLoader or a list."
            )
        batch: Any
        for index, batch in enumerate(self.loader):
            if not isinstance(batch, Sequence) or len(batch) != 3:
                of = f" of {len(batch)}" if isinstance(batch, Sequence) else ""
                raise DataError(
                    "`loader` must give triples of inputs, targets and mask; its batch "
                    f"{index} is a {type(batch).__name__}{of}. Wrap the loader."
                )
            inputs, targets, mask = batch
            shape = (len(targets), len(self.kinds))
            if targets.shape != shape or mask.shape != shape:
                raise DataError(
                    f"`loader` must give targets and mask of shape (b, {shape[1]}), a column a "
                    f"task; batch {index} has {tuple(targets.shape)} and {tuple(mask.shape)}."
                )
            mask = mask.bool()
            if not torch.isfinite(targets[mask]).all():
                raise DataError(
                    f"`loader` must give finite targets where the mask is true; batch {index} "
                    "holds NaN or infinity there. Set the mask to false where there is no label."
                )
            yield Batch(inputs, torch.where(mask, targets, 0.0).float(), mask)


@dataclass(frozen=True)
class _OnDevice:
    """A problem's batches, on its device."""

    problem: LoaderProblem

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.problem._checked():
            inputs, targets, mask = (_moved(part, self.problem.device) for part in batch[:3])
            yield Batch(inputs, targets, mask)


class LabelledBatches(Looks):
    """The labelled examples of each task, kept as the loader gave them."""

    def __init__(self, problem: LoaderProblem, max_labels: int, seed: int) -> None:
        """Reads them, in one pass over the loader.

        Args:
            problem: The problem.
            max_labels: Labels of a task to take at most.
            seed: Seed of the folds.
        """
        self._problem = problem
        self._inputs: list[Any] = []
        rng = np.random.default_rng(seed)
        taken = np.zeros(len(problem.kinds), dtype=np.int64)
        targets, masks = [], []
        for inputs, y, mask, _ in problem._checked():
            present = mask.cpu().numpy()
            present &= taken + np.cumsum(present, axis=0) <= max_labels
            taken += present.sum(axis=0)
            self._inputs.append(inputs)
            targets.append(y.cpu())
            masks.append(present)
            if (taken >= max_labels).all():
                break
        present = np.concatenate(masks) if masks else np.zeros((0, len(problem.kinds)), bool)
        self.tasks = np.flatnonzero(present.sum(axis=0) >= 2).tolist()
        self._sizes = [len(mask) for mask in masks]
        self._fold = np.empty(len(present), dtype=np.int64)
        self._fold[rng.permutation(len(present))] = np.arange(len(present)) % FOLDS
        self._rows = [np.flatnonzero(present[:, task]) for task in self.tasks]
        if self.tasks:
            Y = torch.cat(targets)
            pairs = zip(self._rows, self.tasks, strict=True)
            self._y = torch.cat([Y[rows, task] for rows, task in pairs]).to(problem.device)

    def _looks(
        self,
        network: nn.Module,
        patterns: list[str],
        directions: Directions,
        reduction: Reduction,
    ) -> list[Tensor]:
        """Takes one backward pass per batch, task and fold; see `Looks`."""
        problem = self._problem
        encoder = network.get_submodule(problem.encoder)
        parameters = select_within_encoder(network, patterns, problem.encoder)
        network.eval()  # no dropout while looking
        with torch.no_grad():
            Z = torch.cat([self._embed(encoder, k) for k in range(len(self._sizes))])  # (n, d_h)
        starts = np.cumsum([0, *(len(rows) for rows in self._rows)])
        kinds = [problem.kinds[task] for task in self.tasks]
        rows = np.concatenate(self._rows)
        sets = directions(Z[rows], self._y, starts, self._fold[rows], kinds)
        found: list[Tensor] = []
        for place, parts in enumerate(sets):
            found += reduction(place, self._gradients(encoder, parameters, parts, starts))
        return found

    def _gradients(
        self,
        encoder: nn.Module,
        parameters: list[nn.Parameter],
        parts: Tensor,
        starts: np.ndarray,
    ) -> Tensor:
        """Differentiates by directions of shape (n, d_h), to (n_tasks, FOLDS, n_parameters)."""
        n_parameters = sum(parameter.numel() for parameter in parameters)
        G = parts.new_zeros(len(self.tasks), FOLDS, n_parameters)
        first = 0
        for k, size in enumerate(self._sizes):
            embedded = self._embed(encoder, k)
            fold = self._fold[first : first + size]
            for index, rows in enumerate(self._rows):
                here = np.flatnonzero((rows >= first) & (rows < first + size))
                at = rows[here] - first
                for f in np.unique(fold[at]).tolist():
                    chosen = fold[at] == f
                    direction = torch.zeros_like(embedded)
                    direction[at[chosen]] = parts[starts[index] + here[chosen]]
                    G[index, f] += flat_gradient(embedded, parameters, direction)
            first += size
        return G

    def _embed(self, encoder: nn.Module, batch: int) -> Tensor:
        """Embeds the examples of a batch, shape (b, d_h).

        Raises:
            ConfigError: If the encoder gives something else.
            NumericalError: If it is not finite.
        """
        Z = encoder(_moved(self._inputs[batch], self._problem.device))
        wanted = self._sizes[batch]
        if not isinstance(Z, Tensor) or Z.ndim != 2 or len(Z) != wanted:
            got = f"shape {tuple(Z.shape)}" if isinstance(Z, Tensor) else type(Z).__name__
            raise ConfigError(
                f"The encoder must give one embedding an example, shape ({wanted}, d_h); got "
                f"{got}. Name the submodule after pooling, or wrap it in one that pools."
            )
        if not torch.isfinite(Z).all():
            raise NumericalError(NOT_FINITE)
        return Z


def _moved(inputs: Any, device: torch.device) -> Any:
    """Gives inputs on a device: objects with `to`, or lists, tuples and mappings of them."""
    if hasattr(inputs, "to"):
        moved = inputs.to(device)
        return inputs if moved is None else moved  # some move in place, as Chemprop's batches do
    if isinstance(inputs, Mapping):
        return {key: _moved(value, device) for key, value in inputs.items()}
    if isinstance(inputs, list | tuple):
        parts = [_moved(value, device) for value in inputs]
        return type(inputs)(*parts) if hasattr(inputs, "_fields") else type(inputs)(parts)
    return inputs
