"""The estimator whose heads are fitted, not random.

The product of two tasks' encoder gradients holds the product of their heads' output weights. With
random heads its expectation is zero, and its sign and size depend on the seed. Here each task's
head is the best one for the encoder as it is, so that the gradient says in which direction the task
itself would move the encoder.
"""

import itertools
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.sums import ResampledSums
from admet.model.chemprop.task_affinity.problems.base import FOLDS, AffinityProblem, Batch

log = logging.getLogger(__name__)

_WINDOW = 64  # batches that each run goes through in an order of its own; bounds the memory
_TOO_FEW = (
    "A task has fewer than two labels there, or only equal ones. Add labels, or leave it out."
)


class AlignedAffinity:
    """Compares the encoder gradients of tasks whose heads point in their final direction.

    For `affinity_runs` initialisations of a narrow proxy network, after every one of
    `affinity_epochs` epochs of joint training, each task's linear head w is fitted in closed form
    to the embeddings of up to `affinity_max_labels` of its molecules. The sum of y · Z w is then
    differentiated with respect to the encoder: how far this head's outputs Z w follow the centred
    labels y. That is the gradient of a squared error or cross-entropy whose head points along w but
    is still small, as at the start of a training. Each such look is a step of `GradientSums`.

    The residual of the fitted head in place of y would give the gradient of the profiled loss
    itself. It compares only what the heads could not explain, mostly noise, and loses what two
    simple tasks share.

    The doubt has two sources. One is other molecules: each of `FOLDS` folds of them is left out
    (the delete-a-group jackknife). The other is other initial weights and orders of the batches:
    the spread of the runs.
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol."""
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
        sums = ResampledSums(len(proxy.kinds), proxy.device, FOLDS, config.affinity_runs)
        # The runs share the batches, so that each is cut once, and go through them in orders of
        # their own.
        batches = proxy.batches(runs[0].network, config.affinity_batch_size, seed)
        loss = TaskLoss(proxy.kinds).to(proxy.device)
        for epoch in range(config.affinity_epochs):
            for run in runs:
                run.network.train()
            for window in _windows(batches):
                for run in runs:
                    run.follow(loss, window)
            for index, run in enumerate(runs):
                if examples.tasks:
                    G = examples.look(run.network, config.encoder_param_patterns)
                    sums.add(G, examples.tasks, index)
            log.info("Affinity epoch %d of %d", epoch + 1, config.affinity_epochs)
        return replace(sums.result(config, problem.n_common()), unknown=_TOO_FEW)


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
