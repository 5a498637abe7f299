"""A cheap instrument: what company brings a task, measured with many small networks at once.

A network of a task set reads frozen inputs, not graphs, so that it is trained in a fraction of a
second, and errors of seeds differ less than those of networks on graphs. What company gains there
is measured out of fold.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from admet.data import Panel, Split, check_learnable, folds
from admet.data.scales import decided
from admet.errors import DataError
from admet.evaluation.metrics import met
from admet.model.chemprop import TargetScaler, TaskLoss
from admet.model.frozen.scaling import InputScaler
from admet.progress import Work

TaskSet = tuple[int, ...]
"""Columns of tasks that one network learns, increasing."""

N_FOLDS = 3
_WIDTH = 256  # leading directions of the inputs that are kept
_HIDDEN = 128
_STEPS, _BATCH = 300, 64  # the same for all networks: few labels are seen more often
_RATE, _DECAY, _DROPOUT = 3e-3, 0.01, 0.35
_PART = "part"
_AT_ONCE = 12  # networks; more do not get faster


@dataclass(frozen=True, eq=False)
class Errors:
    """Errors of networks on molecules that they had not seen.

    Attributes:
        sums: Task set → Σ of errors, shape (B, T), for each block (a fold and a seed) and task.
        counts: Tested labels, shape (B, T).
    """

    sums: dict[TaskSet, np.ndarray]
    counts: np.ndarray

    def of(self, tasks: TaskSet, kept: np.ndarray | None = None) -> np.ndarray:
        """Gives the mean error of each task in a set, shape (T,); NaN for tasks outside it.

        Args:
            tasks: The set.
            kept: The blocks that count, a mask of shape (B,); None takes all.
        """
        rows = slice(None) if kept is None else kept
        with np.errstate(invalid="ignore"):
            return np.asarray(self.sums[tasks][rows].sum(axis=0) / self.counts[rows].sum(axis=0))

    def of_plan(self, plan: Sequence[TaskSet]) -> np.ndarray:
        """Gives each block's mean error of each task, one network a set of tasks, shape (B, T)."""
        found = np.full(self.counts.shape, np.nan)
        with np.errstate(invalid="ignore"):
            for tasks in plan:
                found[:, tasks] = self.sums[tasks][:, tasks] / self.counts[:, tasks]
        return found


@dataclass(frozen=True, eq=False)
class Instrument:
    """Measures sets of tasks of a panel.

    Attributes:
        X: Frozen inputs of n molecules, shape (n, d).
        panel: The molecules and their labels.
        division: Seed by which the panel is divided into folds.
        seeds: Trainings of each network on each fold.
    """

    X: np.ndarray
    panel: Panel
    division: int
    seeds: int = 1
    _known: dict[TaskSet, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, inputs: np.ndarray, panel: Panel, division: int, seeds: int = 1) -> "Instrument":
        """Keeps the leading directions of frozen inputs, (n, d_in) → (n, d), d at most 256."""
        return cls(leading(inputs, _WIDTH), panel, division, seeds)

    def divided(self, division: int) -> "Instrument":
        """Gives the same instrument on other folds."""
        return Instrument(self.X, self.panel, division, self.seeds)

    @cached_property
    def _splits(self) -> list[Split]:
        """The folds.

        Raises:
            DataError: If a fold cannot be made, or a task has no two labels outside one.
        """
        remedy = "Take another `estimator`, as residual, which needs no folds."
        try:
            found = folds(self.panel, "scaffold", n_folds=N_FOLDS, val_share=0, seed=self.division)
            for split in found:
                check_learnable(self.panel, split.train, self.panel.task_names)
        except DataError as error:
            why = f"`estimator` measured needs {N_FOLDS} folds by scaffold: "
            raise DataError(f"{why}{str(error).splitlines()[0].rstrip('.')}. {remedy}") from None
        return found

    @cached_property
    def _blocks(self) -> list[tuple[Split, int]]:
        """The folds, each with a seed of the training."""
        return [
            (split, 1000 * seed + place)
            for seed in range(self.seeds)
            for place, split in enumerate(self._splits)
        ]

    @cached_property
    def _counts(self) -> np.ndarray:
        present = self.panel.labels.present
        return np.stack([present[split.test].sum(axis=0) for split, _ in self._blocks])

    def errors(self, sets: Sequence[TaskSet]) -> Errors:
        """Measures sets of tasks; those that were measured before are not measured again."""
        missing = list(dict.fromkeys(own for own in sets if own not in self._known))
        found = {own: np.full(self._counts.shape, np.nan) for own in missing}
        starts = range(0, len(missing), _AT_ONCE)
        with Work("Sets of tasks", {_PART: len(starts) * len(self._blocks)}) as work:
            for block, (split, seed) in enumerate(self._blocks):
                lesson = _Lesson.of(self.X, self.panel, split)
                for start in starts:
                    chosen = missing[start : start + _AT_ONCE]
                    sums = lesson.tested(lesson.trained(chosen, seed))
                    for own, values in zip(chosen, sums, strict=True):
                        found[own][block, own] = values[list(own)]
                    work.done(_PART)
        self._known.update(found)
        return Errors({own: self._known[own] for own in sets}, self._counts)

    def heads(self, sets: Sequence[TaskSet]) -> np.ndarray:
        """Measures one network whose first layer all sets share, each with a head of its own.

        Args:
            sets: The tasks of each head; together all of them, none twice.

        Returns:
            Each block's mean error of each task, shape (B, T).
        """
        found = np.full(self._counts.shape, np.nan)
        with Work("Heads on one layer", {_PART: len(self._blocks)}) as work:
            for block, (split, seed) in enumerate(self._blocks):
                lesson = _Lesson.of(self.X, self.panel, split)
                sums = lesson.tested(lesson.trained(sets, seed, shared=True))
                for own, values in zip(sets, sums, strict=True):
                    found[block, own] = values[list(own)]
                work.done(_PART)
        with np.errstate(invalid="ignore"):
            return np.asarray(found / self._counts)


@dataclass(frozen=True, eq=False)
class _Lesson:
    """One fold: what is learnt, and what is tested."""

    panel: Panel
    X: Tensor  # (n, d)
    Y: Tensor  # (n, T), scaled, NaN where absent
    limits: Tensor | None
    split: Split

    @classmethod
    def of(cls, X: np.ndarray, panel: Panel, split: Split) -> "_Lesson":
        panel = decided(panel, split.train)
        labels = panel.labels
        scaler = TargetScaler.fit(labels.values[split.train], panel.kinds, panel.transforms)
        Y = torch.from_numpy(scaler.scale_labels(labels.values).astype(np.float32))
        limits = None if labels.limits is None else torch.from_numpy(labels.limits)
        return cls(panel, torch.from_numpy(X), Y, limits, split)

    def trained(self, sets: Sequence[TaskSet], seed: int, *, shared: bool = False) -> "_Networks":
        """Trains M networks, or M heads of one network."""
        draw = torch.Generator().manual_seed(seed)
        networks = _Networks(len(sets), self.X.shape[1], self.Y.shape[1], draw, shared=shared)
        present = self.panel.labels.present[self.split.train]
        rng = np.random.default_rng(seed)
        rows = np.stack(
            [_stream(self.split.train[present[:, list(own)].any(axis=1)], rng) for own in sets],
            axis=1,
        )  # (steps, M, b)
        learns = torch.zeros(len(sets), 1, self.Y.shape[1], dtype=torch.bool)
        for place, own in enumerate(sets):
            learns[place, 0, list(own)] = True
        loss = TaskLoss(self.panel.kinds, form="mae")
        optimiser = torch.optim.AdamW(
            networks.parameters(), lr=_RATE, weight_decay=_DECAY, fused=True
        )
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=_STEPS)
        for step in torch.from_numpy(rows):
            Y = self.Y[step]  # (M, b, T)
            mask = learns & ~Y.isnan()
            limits = None if self.limits is None else self.limits[step]
            cells = loss.per_label(networks(self.X[step], draw), Y.nan_to_num(), mask, limits)
            means = cells.sum(dim=(1, 2)) / mask.sum(dim=(1, 2)).clamp(min=1)  # (M,)
            optimiser.zero_grad()
            means.sum().backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
        return networks

    def tested(self, networks: "_Networks") -> np.ndarray:
        """Gives the sum of errors of each of M networks on the tested molecules, (M, T)."""
        X = self.X[self.split.test]
        found = []
        with torch.inference_mode():
            for start in range(0, networks.n, _AT_ONCE):
                some = slice(start, start + _AT_ONCE)
                outputs = networks(X, some=some).double().numpy()
                found += [self.errors(values) for values in outputs]
        return np.stack(found)

    def errors(self, outputs: np.ndarray) -> np.ndarray:
        """Gives the sum of errors of each task, (m, T) → (T,): absolute, or squared of classes."""
        y = self.Y[self.split.test].double().numpy()
        reached = outputs
        if self.limits is not None:
            reached = met(y, reached, self.limits[self.split.test].numpy())
        scaled = np.array([kind.scaled for kind in self.panel.kinds])
        chance = 1 / (1 + np.exp(-np.clip(reached, -50, 50)))
        return np.asarray(np.nansum(np.where(scaled, np.abs(reached - y), (chance - y) ** 2), 0))


class _Networks(nn.Module):
    """M networks with two hidden layers and an output for each task; the first may be common."""

    def __init__(
        self, n: int, d_in: int, n_tasks: int, draw: torch.Generator, *, shared: bool = False
    ) -> None:
        super().__init__()
        self.n = n
        sizes = [(1 if shared else n, d_in, _HIDDEN), (n, _HIDDEN, _HIDDEN), (n, _HIDDEN, n_tasks)]
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for m, d, d_out in sizes:
            bound = d**-0.5
            self.weights.append(torch.empty(m, d, d_out).uniform_(-bound, bound, generator=draw))
            self.biases.append(torch.empty(m, 1, d_out).uniform_(-bound, bound, generator=draw))

    def forward(
        self, X: Tensor, draw: torch.Generator | None = None, some: slice = slice(None)
    ) -> Tensor:
        """Gives scaled values and logits, (M, b, d_in) or (b, d_in) → (M, b, T).

        Args:
            X: The inputs.
            draw: What drops units; None drops none.
            some: The networks that are asked.
        """
        own = range(self.n)[some]
        X = X.expand(len(own), *X.shape[-2:])
        *hidden, last = (
            (weight.expand(self.n, -1, -1)[some], bias.expand(self.n, -1, -1)[some])
            for weight, bias in zip(self.weights, self.biases, strict=True)
        )
        for weight, bias in hidden:
            X = functional.silu(torch.baddbmm(bias, X, weight))
            if draw is not None:
                kept = torch.rand(X.shape, generator=draw) >= _DROPOUT
                X = X * kept / (1 - _DROPOUT)
        weight, bias = last
        return torch.baddbmm(bias, X, weight)


def leading(inputs: np.ndarray, width: int) -> np.ndarray:
    """Projects inputs onto their leading principal directions, of mean variance 1 together.

    Args:
        inputs: Shape (n, d_in); NaN where one is not defined.
        width: Directions to keep at most.

    Returns:
        Shape (n, d), float32.
    """
    X = InputScaler.fit(inputs).scale_inputs(inputs).astype(np.float64)
    X = X - X.mean(axis=0)
    values, vectors = np.linalg.eigh(X.T @ X / len(X))
    values, vectors = values[::-1][:width], vectors[:, ::-1][:, :width]
    total = float(np.maximum(values, 0).mean())
    return np.asarray(X @ vectors / np.sqrt(total if total > 0 else 1.0), dtype=np.float32)


def _stream(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Gives the rows of each step, (n,) → (steps, b): all of them before any comes again."""
    needed = _STEPS * _BATCH
    rounds = [rng.permutation(rows) for _ in range(-(-needed // max(len(rows), 1)))]
    return np.concatenate(rounds)[:needed].reshape(_STEPS, _BATCH)
