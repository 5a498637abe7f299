"""The joint training that the estimators of single steps watch."""

import logging
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from admet.config import TaskAffinityConfig
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity.problems import AffinityProblem, Batch
from admet.progress import Work

log = logging.getLogger(__name__)

_STEP = "step"


@dataclass(frozen=True, eq=False)
class Step:
    """A step of the training, before the network takes it.

    Attributes:
        batch: Its examples.
        tasks: Tasks with a label in the batch.
        losses: Loss of each of the T tasks, shape (T,).
        gradients: For each of `tasks` and each parameter the derivative of the task's loss.
    """

    batch: Batch
    tasks: list[int]
    losses: Tensor
    gradients: list[list[Tensor | None]]


class JointTraining:
    """A network on its way along the mean of its tasks' losses, by Adam at a constant rate."""

    def __init__(
        self,
        network: nn.Module,
        problem: AffinityProblem,
        config: TaskAffinityConfig,
        *,
        fill: bool,
    ) -> None:
        """Prepares the training.

        Args:
            network: The network; it is trained.
            problem: Where the batches come from.
            config: The `task_affinity` section.
            fill: Whether a parameter that a task's loss does not reach gets a gradient of zero.
                Otherwise it gets none, and a parameter that no task reaches is left out of the
                step; with a gradient of zero, Adam's momentum would move it on.
        """
        self.network = network
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self._loss = TaskLoss(problem.kinds).to(problem.device)
        self._batches = problem.batches(network, config.affinity_batch_size, config.seed)
        self._optimizer = torch.optim.Adam(self.parameters, lr=config.affinity_lr, fused=True)
        self._n_epochs = config.affinity_epochs
        self._fill = fill

    def losses(self, batch: Batch) -> Tensor:
        """Gives the loss of each task at the network as it is, shape (T,)."""
        outputs = self.network(batch.inputs)
        return self._loss.per_task(outputs, batch.targets, batch.mask, batch.limits)

    def steps(self) -> Iterator[Step]:
        """Goes through the epochs; the network takes a step once the next one is asked for.

        Yields:
            Each step of a batch that holds a label.
        """
        self.network.train()
        n = len(self._batches) if isinstance(self._batches, Sized) else 1
        with Work("Affinity", {_STEP: n * self._n_epochs}) as work:
            for epoch in range(self._n_epochs):
                for batch in self._batches:
                    tasks = torch.nonzero(batch.mask.any(dim=0)).flatten().tolist()
                    if not tasks:
                        continue
                    losses = self.losses(batch)
                    gradients = self._gradients(losses, tasks)
                    yield Step(batch, tasks, losses, gradients)
                    self._take(gradients)
                    work.done(_STEP)
                log.info("Affinity epoch %d of %d", epoch + 1, self._n_epochs)

    def _gradients(self, losses: Tensor, tasks: list[int]) -> list[list[Tensor | None]]:
        """Differentiates each task's loss: a list over tasks of lists over parameters."""
        found: list[list[Tensor | None]] = []
        for task in tasks:
            parts: Sequence[Tensor | None] = torch.autograd.grad(
                losses[task], self.parameters, retain_graph=task != tasks[-1], allow_unused=True
            )
            pairs = zip(parts, self.parameters, strict=True)
            found.append([torch.zeros_like(p) if g is None and self._fill else g for g, p in pairs])
        return found

    def _take(self, gradients: list[list[Tensor | None]]) -> None:
        """Takes the step; the gradient of the mean loss is the mean of the tasks' own."""
        for index, parameter in enumerate(self.parameters):
            known = [g for own in gradients if (g := own[index]) is not None]
            parameter.grad = torch.stack(known).sum(dim=0) / len(gradients) if known else None
        self._optimizer.step()
