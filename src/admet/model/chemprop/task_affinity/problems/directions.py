"""In which direction each task would move the embeddings of its examples."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from admet.kinds import Kind
from admet.model.chemprop.task_affinity.problems.base import FOLDS
from admet.model.chemprop.task_affinity.problems.heads_fit import fit_heads


class Directions(Protocol):
    """Gives derivatives of the tasks' losses by the embeddings."""

    def __call__(
        self, Z: Tensor, y: Tensor, starts: np.ndarray, fold: np.ndarray, kinds: Sequence[Kind]
    ) -> list[Tensor]:
        """Gives one or more sets of derivatives.

        Args:
            Z: Embeddings of the examples of T tasks, one task after the other, shape (n, d_h).
            y: Their targets, shape (n,).
            starts: First example of each task and the end, shape (T + 1,).
            fold: Fold of each example, shape (n,).
            kinds: T kinds.

        Returns:
            Each of shape (n, d_h).
        """
        ...


Reduction = Callable[[int, Tensor], list[Tensor]]
"""Makes of the gradients of one set of directions what is kept of them."""


def label_directions(
    Z: Tensor,
    y: Tensor,
    starts: np.ndarray,
    fold: np.ndarray,  # noqa: ARG001 - the heads are those of all examples
    kinds: Sequence[Kind],
) -> list[Tensor]:
    """Differentiates each task's −mean(y · Z w), w its fitted head, by the embeddings."""
    W, centred = fit_heads(Z, y, starts, kinds)  # (T, d_h), (n,)
    return [-centred.unsqueeze(1) * _per_example(W, starts)]


def residual_directions(
    Z: Tensor,
    y: Tensor,
    starts: np.ndarray,
    fold: np.ndarray,
    kinds: Sequence[Kind],
    first: Sequence[int] | None,
) -> list[Tensor]:
    """Differentiates each task's profiled loss: that of the head which is best at the embeddings.

    By the envelope theorem it is −mean(r · Z w), r being what the fitted head w leaves unexplained
    (Golub and Pereyra, SIAM J. Numer. Anal. 1973, 10, 413: variable projection).

    Args:
        Z: Embeddings of the examples of T tasks, one task after the other, shape (n, d_h).
        y: Their targets, shape (n,).
        starts: First example of each task and the end, shape (T + 1,).
        fold: Fold of each example, shape (n,).
        kinds: T kinds.
        first: Folds of the first of two parts; the others make the second. None makes no parts.

    Returns:
        Each of shape (n, d_h): from heads of all examples; with parts also from heads that each one
        has for itself, so that its gradient knows nothing of the other; then for each fold from
        heads of all others, 0 in the fold.
    """
    whole = _residual(Z, y, starts, kinds)
    if first is None:
        return [whole]
    in_first = np.isin(fold, first)
    parts = torch.zeros_like(Z)
    without = [torch.zeros_like(Z) for _ in range(FOLDS)]
    wanted = [(in_first, parts), (~in_first, parts)]
    wanted += [(fold != left_out, into) for left_out, into in enumerate(without)]
    for chosen, into in wanted:
        rows = np.flatnonzero(chosen)
        own = np.searchsorted(rows, starts)  # first of each task among them
        told = np.flatnonzero(np.diff(own) > 1)  # tasks with two examples here
        kept = np.concatenate([rows[own[t] : own[t + 1]] for t in told] or [rows[:0]])
        if len(kept):
            ends = np.concatenate([[0], np.cumsum(np.diff(own)[told])])
            at = torch.from_numpy(kept).to(Z.device)
            into[at] = _residual(Z[at], y[at], ends, [kinds[t] for t in told.tolist()])
    return [whole, parts, *without]


def whole_folds(place: int, G: Tensor) -> list[Tensor]:  # noqa: ARG001 - see `summed_folds`
    """Leaves each fold's part of the gradients, (n_tasks, FOLDS, n_parameters), as it is."""
    return [G]


def summed_folds(place: int, G: Tensor, first: Sequence[int] | None) -> list[Tensor]:
    """Adds up folds of what one of the `residual_directions` gave, as soon as it is there.

    Args:
        place: Which of them.
        G: Each fold's part of the gradients, shape (n_tasks, FOLDS, n_parameters).
        first: Folds of the first part.

    Returns:
        Each of shape (n_tasks, n_parameters): the sum of all folds; for the two parts that of each.
    """
    if place != 1:
        return [G.sum(dim=1)]
    chosen = torch.zeros(FOLDS, dtype=torch.bool, device=G.device)
    chosen[list(first or ())] = True
    return [G[:, chosen].sum(dim=1), G[:, ~chosen].sum(dim=1)]


def _residual(Z: Tensor, y: Tensor, starts: np.ndarray, kinds: Sequence[Kind]) -> Tensor:
    W, _ = fit_heads(Z, y, starts, kinds)  # (T, d_h)
    Z64, y64 = Z.detach().double(), y.double()
    rest = []
    for task, (i, j) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        scores = (Z64[i:j] - Z64[i:j].mean(dim=0)) @ W[task].double()
        rest.append(kinds[task].residual(scores, y64[i:j]))
    return -torch.cat(rest).to(Z.dtype).unsqueeze(1) * _per_example(W, starts)


def _per_example(W: Tensor, starts: np.ndarray) -> Tensor:
    """Gives each example its task's head divided by its number of examples, shape (n, d_h)."""
    n = torch.from_numpy(np.diff(starts)).to(W.device)  # (T,)
    return torch.repeat_interleave(W / n.unsqueeze(1), n, dim=0)
