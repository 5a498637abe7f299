"""The loss of a panel with gaps: squared error or cross-entropy of what is labelled."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TaskLoss(nn.Module):
    """Masked loss: squared error of scaled targets, binary cross-entropy of logits."""

    def __init__(self, kinds: Sequence[str], weights: Sequence[float] | None = None) -> None:
        """Stores the kinds.

        Args:
            kinds: T kinds, "regression" or "binary".
            weights: T weights of a label of each task; None weighs all labels alike.
        """
        super().__init__()
        binary = torch.tensor([kind == "binary" for kind in kinds])
        self.register_buffer("_binary", binary, persistent=False)
        self._any_binary = bool(binary.any())
        self._all_binary = bool(binary.all())
        given = [1.0] * len(kinds) if weights is None else list(weights)
        self.register_buffer("_weights", torch.tensor(given), persistent=False)

    def per_label(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Gives the loss of every cell, shape (n, T), zero where there is no label."""
        if self._all_binary:
            loss = F.binary_cross_entropy_with_logits(outputs, targets, reduction="none")
        else:
            loss = (outputs - targets) ** 2
            if self._any_binary:
                entropy = F.binary_cross_entropy_with_logits(
                    outputs, targets.clamp(0, 1), reduction="none"
                )
                loss = torch.where(self.get_buffer("_binary"), entropy, loss)
        return loss * mask

    def per_task(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Gives each task's mean over its labels, shape (T,), zero for a task without any."""
        total = self.per_label(outputs, targets, mask).sum(dim=0)
        return total / mask.sum(dim=0).clamp(min=1)

    def forward(self, outputs: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Gives the weighted mean over the labels of a batch, a scalar.

        The divisor is the number of labels, not the sum of their weights: with weights that make
        every task count alike over the training set, a batch that happens to hold one label of a
        rare task would otherwise be ruled by it.
        """
        weighted = self.per_label(outputs, targets, mask) * self.get_buffer("_weights")
        return weighted.sum() / mask.sum().clamp(min=1)


def label_weights(n_labels: Sequence[int], mean: str) -> list[float] | None:
    """Gives the weight of a label of each task.

    Args:
        n_labels: Labels of each task in the training split.
        mean: "labels" (all alike) or "tasks" (each task's labels sum to the same weight).

    Returns:
        T weights whose mean over the labels is 1, or None where all labels weigh alike.
    """
    if mean == "labels":
        return None
    total, n_tasks = sum(n_labels), sum(n > 0 for n in n_labels)
    return [total / (n_tasks * n) if n else 0.0 for n in n_labels]
