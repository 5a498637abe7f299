"""For each endpoint the mixture of arms that their out-of-fold predictions favour."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from admet.evaluation.metrics import met

_STEPS = 30  # additions of an arm; weights are multiples of a thirtieth
_SHRINK = 500  # labels of a task at which half of its weights come from all tasks together
_CLEARLY = 2.0  # standard errors by which an arm is clearly worse than the best


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of the arms in one task, from molecules that they had not seen.

    Attributes:
        labels: Shape (n,), NaN where absent, on the scale that is learnt.
        predictions: Of A arms, shape (A, n), likewise.
        scale: Error of always predicting the mean, by which tasks are made comparable.
        limits: Which labels are limits, shape (n,), as in `Labels`; None for none.
        squared: Whether errors are squared (for probabilities) or absolute.
    """

    labels: np.ndarray
    predictions: np.ndarray
    scale: float
    limits: np.ndarray | None = None
    squared: bool = False

    def of(self, rows: np.ndarray) -> "Evidence":
        """Gives that of some molecules, indices or a mask."""
        limits = None if self.limits is None else self.limits[rows]
        return replace(
            self, labels=self.labels[rows], predictions=self.predictions[:, rows], limits=limits
        )

    @property
    def known(self) -> "Evidence":
        """That of the molecules with a label."""
        return self.of(np.isfinite(self.labels) & np.isfinite(self.predictions).all(axis=0))

    def errors(self, predictions: np.ndarray) -> np.ndarray:
        """Gives the error of each prediction, shape (…, n), in units of `scale`."""
        y, reached = self.labels, predictions
        if self.limits is not None:
            reached = met(np.broadcast_to(y, reached.shape), reached, self.limits)
        error = (reached - y) ** 2 if self.squared else np.abs(reached - y)
        return np.asarray(error / self.scale)


@dataclass(frozen=True, eq=False)
class Mixture:
    """Weights of arms for one endpoint.

    Attributes:
        weights: Shape (A,), at least 0, their sum is 1.
        n: Labels of the endpoint that chose them.
    """

    weights: np.ndarray
    n: int


def choose_weights(tasks: Sequence[Evidence]) -> list[Mixture]:
    """Chooses weights by predictions of molecules that no arm had seen.

    For each task greedy forward selection with replacement adds, one at a time, the arm that lowers
    the mean error of the mixture most. A task with few labels cannot choose well, so its weights
    are drawn towards common ones: with n labels those have the share 500 / (500 + n). The common
    weights are half those of the same selection over all tasks together, in which each task counts
    the same, and half the plain mean of all arms that are not clearly worse than the best there.

    Source: Caruana et al., ICML 2004 (the selection).

    Args:
        tasks: T tasks, of the same A arms.

    Returns:
        The weights of each task.
    """
    known = [task.known for task in tasks]
    labelled = [task for task in known if len(task.labels)]
    n_arms = len(tasks[0].predictions)
    if not labelled:
        return [Mixture(np.full(n_arms, 1 / n_arms), 0) for _ in tasks]
    good = _not_clearly_worse(labelled)
    common = 0.5 * _greedy(labelled) + 0.5 * good / good.sum()
    found = []
    for task in known:
        n = len(task.labels)
        share = _SHRINK / (_SHRINK + n)
        own = _greedy([task]) if n else common
        found.append(Mixture((1 - share) * own + share * common, n))
    return found


def _greedy(tasks: Sequence[Evidence]) -> np.ndarray:
    """Selects arms for tasks that share their weights, shape (A,)."""
    n_arms = len(tasks[0].predictions)
    counts = np.zeros(n_arms)
    totals = [np.zeros(len(task.labels)) for task in tasks]
    for step in range(1, _STEPS + 1):
        errors = np.zeros(n_arms)
        for task, total in zip(tasks, totals, strict=True):
            errors += task.errors((total + task.predictions) / step).mean(axis=1)
        chosen = int(errors.argmin())
        counts[chosen] += 1
        totals = [t + task.predictions[chosen] for task, t in zip(tasks, totals, strict=True)]
    return counts / _STEPS


def _not_clearly_worse(tasks: Sequence[Evidence]) -> np.ndarray:
    """Tells which arms are within two standard errors of the best, over all tasks, shape (A,)."""
    errors = [task.errors(task.predictions) for task in tasks]  # (A, n) each
    best = int(sum(error.mean(axis=1) for error in errors).argmin())
    excess = [error - error[best] for error in errors]
    mean = sum(part.mean(axis=1) for part in excess)
    variance = sum(part.var(axis=1) / part.shape[1] for part in excess)
    return np.asarray(mean <= _CLEARLY * np.sqrt(variance))


def nested_mixture(
    tasks: Sequence[Evidence], folds: Sequence[np.ndarray], choosing: Sequence[np.ndarray]
) -> np.ndarray:
    """Mixes the arms on each fold with weights that other folds chose.

    Args:
        tasks: T tasks, of the same n molecules; each prediction is from the fit that tested it.
        folds: The rows that each fold tests.
        choosing: For each of them the molecules that choose its weights, masks of shape (n,). Where
            none of these has a label, all arms count alike.

    Returns:
        Shape (n, T), on the scale that is learnt; NaN for rows of no fold.
    """
    n = len(tasks[0].labels)
    found = np.full((n, len(tasks)), np.nan)
    for rows, others in zip(folds, choosing, strict=True):
        mixtures = choose_weights([task.of(others) for task in tasks])
        for column, (task, mixture) in enumerate(zip(tasks, mixtures, strict=True)):
            found[rows, column] = mixture.weights @ task.predictions[:, rows]
    return found
