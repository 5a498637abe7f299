"""The loss of a panel with gaps: the loss of each kind of task, where there is a label."""

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from admet.config.loss import LossConfig, LossName
from admet.kinds import Kind

NOISE = 0.7
"""Standard deviation σ of what a network leaves unexplained of a scaled target, where half of its
variance is explained. `benchmarks/censored_labels.py` shows how much depends on it."""

BEND = 0.5
"""Standard deviations of a scaled target at which Huber's loss turns from square to straight."""


class TaskLoss(nn.Module):
    """Masked loss of tasks of several kinds."""

    def __init__(
        self,
        kinds: Sequence[Kind],
        weights: Sequence[float] | None = None,
        limit_loss: Literal["tobit", "bounded"] = "tobit",
        *,
        form: LossName = "mse",
        task_weights: Sequence[float] | None = None,
        class_weights: np.ndarray | None = None,
    ) -> None:
        """Stores the kinds.

        Args:
            kinds: T kinds.
            weights: T weights of a label of each task; None weighs all labels alike.
            limit_loss: The loss of a limit: "tobit", by how unlikely a true value beyond it is; or
                "bounded", that of its distance, and nothing beyond.
            form: The loss of a measured value of a scaled task.
            task_weights: T factors of the tasks where these are averaged; None counts them alike.
            class_weights: Factors of labels 0 and 1, shape (2, T), 1 for tasks that are not binary;
                None for none.
        """
        super().__init__()
        self._limit_loss = limit_loss
        self._form: LossName = form
        self.task_weights = None if task_weights is None else torch.tensor(list(task_weights))
        given_classes = None if class_weights is None else torch.from_numpy(class_weights).float()
        self._weighs_classes = class_weights is not None
        self.register_buffer("_class_weights", given_classes, persistent=False)
        self._kinds = list(dict.fromkeys(kinds))
        columns = torch.tensor([[own is kind for own in kinds] for kind in self._kinds])
        self.register_buffer("_columns", columns, persistent=False)  # (n_kinds, T)
        given = [1.0] * len(kinds) if weights is None else list(weights)
        self.register_buffer("_weights", torch.tensor(given), persistent=False)

    def per_label(
        self, outputs: Tensor, targets: Tensor, mask: Tensor, limits: Tensor | None = None
    ) -> Tensor:
        """Gives the loss of every cell, shape (n, T), zero where there is no label.

        Args:
            outputs: Shape (n, T).
            targets: Shape (n, T).
            mask: Where there is a label, shape (n, T), bool.
            limits: Where the true value is above (1) or below (−1) the target, shape (n, T), int8;
                None where none is a limit.
        """
        bounded = limits is not None and self._limit_loss == "bounded"
        if limits is not None and bounded:
            outputs = met(outputs, targets, limits)
        first, *others = self._kinds
        loss = self._of_kind(first, outputs, targets)
        for kind, columns in zip(others, self.get_buffer("_columns")[1:], strict=True):
            loss = torch.where(columns, self._of_kind(kind, outputs, targets), loss)
        if self._weighs_classes:
            negative, positive = self.get_buffer("_class_weights")
            loss = loss * torch.where(targets > 0.5, positive, negative)
        if limits is not None and not bounded:
            loss = torch.where(limits != 0, tobit(outputs, targets, limits), loss)
        return loss * mask

    def _of_kind(self, kind: Kind, outputs: Tensor, targets: Tensor) -> Tensor:
        if self._form == "mse" or not kind.scaled:
            return kind.loss(outputs, targets)
        return _FORMS[self._form](outputs, targets)

    def per_task(
        self, outputs: Tensor, targets: Tensor, mask: Tensor, limits: Tensor | None = None
    ) -> Tensor:
        """Gives each task's mean over its labels, shape (T,), zero for a task without any."""
        total = self.per_label(outputs, targets, mask, limits).sum(dim=0)
        return total / mask.sum(dim=0).clamp(min=1)

    def forward(
        self, outputs: Tensor, targets: Tensor, mask: Tensor, limits: Tensor | None = None
    ) -> Tensor:
        """Gives the weighted mean over the labels of a batch, a scalar.

        The divisor is the number of labels, not the sum of their weights. Otherwise, with weights
        that make every task count alike over the training set, one label of a rare task would
        dominate the batch that happens to hold it.
        """
        weighted = self.per_label(outputs, targets, mask, limits) * self.get_buffer("_weights")
        return weighted.sum() / mask.sum().clamp(min=1)


def _absolute(outputs: Tensor, targets: Tensor) -> Tensor:
    return (outputs - targets).abs()


def _huber(outputs: Tensor, targets: Tensor) -> Tensor:
    """Gives e² up to |e| = δ, and behind it the tangent 2 δ |e| − δ² (Huber 1964)."""
    return 2 * F.huber_loss(outputs, targets, reduction="none", delta=BEND)


_FORMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mae": _absolute, "huber": _huber}


def loss_of(
    config: LossConfig,
    kinds: Sequence[Kind],
    names: Sequence[str],
    targets: np.ndarray,
    times: np.ndarray | None = None,
) -> TaskLoss:
    """Makes the loss that a configuration asks for.

    Args:
        config: What is asked for.
        kinds: T kinds.
        names: Their T names; one may occur several times.
        targets: What is learnt, shape (n, T), NaN where absent.
        times: How often each column is learnt, shape (T,); None learns each once.
    """
    n_labels = (~np.isnan(targets)).sum(axis=0)
    weights = label_weights((n_labels * (1 if times is None else times)).tolist(), config.loss_mean)
    own = [config.task_weights.get(name, 1.0) for name in names]
    weighted = any(value != 1 for value in own)
    if weighted:
        weights = [a * b for a, b in zip(weights or [1.0] * len(own), own, strict=True)]
    return TaskLoss(
        kinds,
        weights,
        config.limit_loss,
        form=config.loss,
        task_weights=own if weighted else None,
        class_weights=balanced(kinds, targets) if config.class_weights == "balanced" else None,
    )


def balanced(kinds: Sequence[Kind], targets: np.ndarray) -> np.ndarray:
    """Gives factors by which both classes of a binary task weigh the same in sum.

    A class of k among n labels has n / (2 k): the mean factor of a label is 1.

    Args:
        kinds: T kinds.
        targets: Shape (n, T), NaN where absent.

    Returns:
        Factors of labels 0 and 1, shape (2, T); 1 for other kinds, and where one class is absent.
    """
    found = np.ones((2, len(kinds)))
    for column, kind in enumerate(kinds):
        y = targets[:, column]
        counts = np.array([(y == 0).sum(), (y == 1).sum()])
        if not kind.scaled and counts.all():
            found[:, column] = counts.sum() / (2 * counts)
    return found


def met(outputs: Tensor, targets: Tensor, limits: Tensor) -> Tensor:
    """Moves outputs that lie beyond their limit onto it, where they have no error or gradient.

    This is the bounded loss of Chemprop's `BoundedMSE`.

    Args:
        outputs: Shape (n, T).
        targets: Shape (n, T).
        limits: 1 where the true value is above the target, −1 where below, else 0; shape (n, T).
    """
    beyond = ((limits > 0) & (outputs > targets)) | ((limits < 0) & (outputs < targets))
    return torch.where(beyond, targets, outputs)


def tobit(outputs: Tensor, targets: Tensor, limits: Tensor) -> Tensor:
    """Gives −2 σ² log Φ(±(output − limit) / σ): how unlikely a true value beyond the limit is.

    That is −log of the likelihood of Tobin (Econometrica 1958, 26, 24) for noise of size σ,
    `NOISE`, multiplied by 2 σ²; on that scale the loss of a measured label is its squared error.

    Args:
        outputs: Shape (n, T).
        targets: Shape (n, T).
        limits: 1 where the true value is above the target, −1 where below, else 0; shape (n, T).
    """
    log_chance: Tensor = torch.special.log_ndtr((outputs - targets) * limits / NOISE)
    return -2 * NOISE**2 * log_chance


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
