"""Short joint trainings of narrow networks, at which an estimator looks after every epoch."""

import itertools
import logging
import math
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity.problems.base import (
    AffinityProblem,
    Batch,
    LabelledExamples,
)
from admet.progress import Work

log = logging.getLogger(__name__)

_TRAINING, _LOOK = "training", "look"
_WINDOW = 64  # batches that each run goes through in an order of its own; bounds the memory

TOO_FEW = "A task has fewer than two labels there, or only equal ones. Add labels, or leave it out."
"""Why a pair is unknown to an estimator that fits heads, and what to do about it."""


@dataclass(frozen=True, eq=False)
class Look:
    """A network after an epoch.

    Attributes:
        run: Which of the trainings it belongs to.
        network: The network as it is.
        examples: The labelled examples, the same at every look.
    """

    run: int
    network: nn.Module
    examples: LabelledExamples


def looks(problem: AffinityProblem, config: TaskAffinityConfig) -> Iterator[Look]:
    """Trains `affinity_runs` narrow networks from initialisations of their own.

    Args:
        problem: The labelled examples and the network.
        config: The `task_affinity` section.

    Yields:
        After each of `affinity_epochs` epochs every network, where a task has two labels.
    """
    proxy = problem.narrow(config.affinity_hidden_size)
    sequence = np.random.SeedSequence(config.seed)
    seed, *seeds = sequence.generate_state(config.affinity_runs + 1).tolist()
    runs = []
    for own in seeds:
        torch.manual_seed(own)
        network = proxy.network()
        optimizer = torch.optim.Adam(network.parameters(), lr=config.affinity_lr, fused=True)
        runs.append(_Run(network, optimizer, np.random.default_rng(own)))
    examples = proxy.labelled(config.affinity_max_labels, seed)
    # The runs share the batches, so that each is cut once, and go through them in orders of their
    # own.
    batches = proxy.batches(runs[0].network, config.affinity_batch_size, seed)
    loss = TaskLoss(proxy.kinds).to(proxy.device)
    with _work(config, batches, bool(examples.tasks)) as work:
        for epoch in range(config.affinity_epochs):
            for run in runs:
                run.network.train()
            for window in _windows(batches):
                for run in runs:
                    run.follow(loss, window)
                    work.done(_TRAINING)
            if examples.tasks:
                for index, run in enumerate(runs):
                    yield Look(index, run.network, examples)
                    work.done(_LOOK)
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)


def _work(config: TaskAffinityConfig, batches: Iterable[Batch], looking: bool) -> Work:
    """Counts what there is to do: windows of batches and looks, for each epoch and run."""
    n = len(batches) if isinstance(batches, Sized) else 1
    each = config.affinity_epochs * config.affinity_runs
    return Work("Affinity", {_TRAINING: math.ceil(n / _WINDOW) * each, _LOOK: looking * each})


def _windows(batches: Iterable[Batch]) -> Iterator[list[Batch]]:
    """Gives `_WINDOW` batches at a time."""
    waiting = iter(batches)
    while window := list(itertools.islice(waiting, _WINDOW)):
        yield window


@dataclass(frozen=True)
class _Run:
    """One training of the proxy."""

    network: nn.Module
    optimizer: torch.optim.Optimizer
    rng: np.random.Generator

    def follow(self, loss: TaskLoss, batches: list[Batch]) -> None:
        """Takes one step per batch along the mean of the tasks' losses: tasks weigh alike."""
        for index in self.rng.permutation(len(batches)).tolist():
            inputs, targets, mask, limits = batches[index]
            losses = loss.per_task(self.network(inputs), targets, mask, limits)  # (T,)
            mean: Tensor = losses.sum() / mask.any(dim=0).sum().clamp(min=1)
            self.optimizer.zero_grad()
            mean.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
