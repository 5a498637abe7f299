"""Trains networks on frozen inputs, those that take equally many steps at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from admet.config.frozen import FrozenMLPConfig
from admet.data import Panel
from admet.errors import NumericalError
from admet.model.averaging import WeightAverage, averaged
from admet.model.chemprop import TargetScaler, TaskLoss
from admet.model.chemprop.losses import loss_of
from admet.model.chemprop.plan import NetworkPlan
from admet.model.frozen.mlp import Layout, Reading, StackedMLP, apply_layers
from admet.model.frozen.scaling import InputScaler

_MOST_AT_ONCE = 16  # networks; more do not get faster, and take memory


@dataclass(frozen=True, eq=False)
class MLPJob:
    """One network to train.

    Attributes:
        plan: Its groups.
        train: Rows of the panel to train on.
        seed: Seed of its weights, batches and dropout.
    """

    plan: NetworkPlan
    train: np.ndarray
    seed: int


@dataclass(frozen=True, eq=False)
class FittedMLP:
    """A trained network on frozen inputs.

    Attributes:
        layout: Who learns and serves what.
        weights: Its layers: weight (n, d_in, d_out) and bias (n, 1, d_out) by turns, n being 1 for
            the first and G for the others.
        inputs: How inputs are scaled.
        targets: How outputs are turned into labels' units.
    """

    layout: Layout
    weights: tuple[np.ndarray, ...]
    inputs: InputScaler
    targets: TargetScaler

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts n molecules.

        Args:
            inputs: Shape (n, d), as they are computed.

        Returns:
            Shape (n, T), in the unit of the labels; NaN for tasks that this network does not serve.

        Raises:
            NumericalError: If a prediction is not finite.
        """
        n_heads, n_tasks = self.layout.learns.shape
        tensors = [torch.from_numpy(array) for array in self.weights]
        layers = list(zip(tensors[0::2], tensors[1::2], strict=True))
        X = torch.from_numpy(self.inputs.scale_inputs(inputs))
        reading = Reading.of([torch.ones(len(X), n_heads, dtype=torch.bool)])
        with torch.inference_mode():
            outputs = apply_layers(X, layers, reading).view(n_heads, len(X), n_tasks)
        columns = torch.arange(n_tasks)
        served = outputs[np.maximum(self.layout.serves, 0), :, columns].T  # (n, T)
        found = self.targets.to_units(served)
        if not np.isfinite(found[:, self.layout.serves >= 0]).all():
            raise NumericalError(
                "A prediction became NaN or infinite. The model is damaged, or was trained on "
                "extreme target values; train it anew."
            )
        found[:, self.layout.serves < 0] = np.nan
        return found


def fit_mlps(
    inputs: np.ndarray, panel: Panel, jobs: Sequence[MLPJob], config: FrozenMLPConfig
) -> list[FittedMLP]:
    """Trains networks; each has the weights that it would have alone, but for rounding.

    Args:
        inputs: Shape (n, d), of the panel's molecules; NaN where one is not defined.
        panel: n molecules and their labels; no transform is left undecided.
        jobs: The networks.
        config: Shape and schedule.

    Returns:
        The networks in the order of the jobs, with the weights after the last epoch, or their mean
        where weights are averaged.

    Raises:
        NumericalError: If a weight is not finite at the end.
    """
    alike: dict[tuple[int, int, int], list[int]] = defaultdict(list)
    prepared = [_Prepared.of(inputs, panel, job) for job in jobs]
    for place, entry in enumerate(prepared):
        steps = -(-len(entry.rows) // config.batch_size)
        epochs = _epochs(panel, entry, steps, config)
        alike[len(entry.layout.learns), steps, epochs].append(place)
    found: dict[int, FittedMLP] = {}
    for (_, _, epochs), places in alike.items():
        own = config.model_copy(update={"epochs": epochs})
        for start in range(0, len(places), _MOST_AT_ONCE):
            chosen = places[start : start + _MOST_AT_ONCE]
            fitted = _fit_alike(panel, [prepared[place] for place in chosen], own)
            found.update(zip(chosen, fitted, strict=True))
    return [found[place] for place in range(len(jobs))]


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A network to train, and what it sees."""

    layout: Layout
    rows: np.ndarray
    seed: int
    X: Tensor  # (n_rows, d), scaled
    Y: Tensor  # (n_rows, T), scaled, NaN where absent
    limits: Tensor | None  # (n_rows, T)
    read: Tensor  # (n_rows, G), whether a head has a label to learn there
    inputs: InputScaler
    targets: TargetScaler

    @classmethod
    def of(cls, inputs: np.ndarray, panel: Panel, job: MLPJob) -> "_Prepared":
        layout = Layout.of(job.plan, panel.task_names)
        own = layout.learns.any(axis=0)
        present = panel.labels.present[job.train][:, own].any(axis=1)
        rows = job.train[present]
        input_scaler = InputScaler.fit(inputs[job.train])
        scaler = TargetScaler.fit(panel.labels.values[job.train], panel.kinds, panel.transforms)
        labels = panel.labels.subset(rows)
        read = labels.present.astype(np.float32) @ layout.learns.T.astype(np.float32) > 0
        return cls(
            layout,
            rows,
            job.seed,
            torch.from_numpy(input_scaler.scale_inputs(inputs[rows])),
            torch.from_numpy(scaler.scale_labels(labels.values).astype(np.float32)),
            None if labels.limits is None else torch.from_numpy(labels.limits),
            torch.from_numpy(read),
            input_scaler,
            scaler,
        )


def _fit_alike(
    panel: Panel, entries: Sequence[_Prepared], config: FrozenMLPConfig
) -> list[FittedMLP]:
    """Trains networks with the same number of heads and of steps an epoch."""
    n_heads = len(entries[0].layout.learns)
    n_tasks = len(panel.tasks)
    steps = -(-len(entries[0].rows) // config.batch_size)
    network = StackedMLP(
        entries[0].X.shape[1], n_heads, n_tasks, config, [entry.seed for entry in entries]
    )
    draws = [torch.Generator().manual_seed(entry.seed + 1) for entry in entries]
    losses = [_loss(panel, entry, config) for entry in entries]
    optimiser = torch.optim.AdamW(
        network.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, config.learning_rate, total_steps=max(steps * config.epochs, 2)
    )
    mean = WeightAverage.of(network, config, config.epochs)
    for epoch in range(config.epochs):
        orders = [
            torch.randperm(len(entry.rows), generator=draw)
            for entry, draw in zip(entries, draws, strict=True)
        ]
        parts = [order.tensor_split(steps) for order in orders]
        for step in range(steps):
            batch = [part[step] for part in parts]
            given = list(zip(entries, batch, strict=True))
            reading = Reading.of([entry.read[rows] for entry, rows in given])
            X = torch.cat([entry.X[rows] for entry, rows in given])
            outputs = network(X, reading, draws)
            total = X.new_zeros(())
            for index, (entry, rows) in enumerate(given):
                heads, chosen = reading.heads[index], rows[reading.own[index]]
                Y = entry.Y[chosen]  # (R_m, T)
                mask = torch.from_numpy(entry.layout.learns)[heads] & ~Y.isnan()
                limits = None if entry.limits is None else entry.limits[chosen]
                total = total + losses[index](outputs[index], Y.nan_to_num(), mask, limits)
            optimiser.zero_grad()
            total.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            if mean is not None:
                mean.after_step()
        if mean is not None:
            mean.after_epoch(epoch + 1)
    if not all(torch.isfinite(p).all() for p in network.parameters()):
        raise NumericalError(
            "The training of a network on frozen inputs diverged. Lower its learning_rate, or look "
            "for extreme labels."
        )
    with averaged(mean):
        return [
            FittedMLP(entry.layout, _own(network, index), entry.inputs, entry.targets)
            for index, entry in enumerate(entries)
        ]


def _epochs(panel: Panel, entry: _Prepared, steps: int, config: FrozenMLPConfig) -> int:
    """Gives the epochs of a network: few, where all that it learns are classes."""
    learnt = np.flatnonzero(entry.layout.learns.any(axis=0))
    if any(panel.kinds[column].scaled for column in learnt):
        return config.epochs
    return min(config.epochs, max(1, round(config.class_steps / max(steps, 1))))


def _loss(panel: Panel, entry: _Prepared, config: FrozenMLPConfig) -> TaskLoss:
    learns = entry.layout.learns
    targets = np.where(learns.any(axis=0), entry.Y.numpy(), np.nan)
    return loss_of(config, panel.kinds, panel.task_names, targets, learns.sum(axis=0))


def _own(network: StackedMLP, index: int) -> tuple[np.ndarray, ...]:
    """Takes the layers of one network."""
    found = []
    M = len(network.weights[0])
    for weight, bias in zip(network.weights, network.biases, strict=True):
        for tensor in (weight, bias):
            each = len(tensor) // M
            found.append(tensor[index * each : (index + 1) * each].detach().numpy().copy())
    return tuple(found)
