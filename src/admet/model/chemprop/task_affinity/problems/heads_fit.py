"""Heads fitted in closed form to fixed embeddings, those of many tasks at once."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from admet.kinds import Kind

_PENALTIES = torch.logspace(-6, 3, 28, dtype=torch.float64)  # relative to the mean eigenvalue


def fit_heads(
    Z: Tensor, y: Tensor, starts: np.ndarray, kinds: Sequence[Kind]
) -> tuple[Tensor, Tensor]:
    """Fits a linear head with intercept for each task.

    Regression is ridge regression whose penalty minimises the generalised cross-validation score
    (Golub, Heath and Wahba, Technometrics 1979, 21, 215). A task of another kind takes the penalty
    that regression on its labels would, and then its own fit (`Kind.fit_head`).

    Args:
        Z: Embeddings of the molecules of T tasks, one task after the other, shape (n, d); they are
            not differentiated.
        y: Their scaled targets, or labels 0 and 1, shape (n,).
        starts: First molecule of each task and the end, shape (T + 1,).
        kinds: T kinds.

    Returns:
        The weights, shape (T, d), and the targets less their task's mean, shape (n,); both in the
        precision of Z.
    """
    Z64, y64 = Z.detach().double(), y.double()
    bounds = list(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True))
    n = torch.from_numpy(np.diff(starts)).to(Z64)  # (T,)
    centred = [Z64[i:j] - Z64[i:j].mean(dim=0) for i, j in bounds]
    residual = [y64[i:j] - y64[i:j].mean() for i, j in bounds]
    gram = torch.stack([C.T @ C for C in centred])  # (T, d, d)
    moment = torch.stack([C.T @ r for C, r in zip(centred, residual, strict=True)])  # (T, d)
    total = torch.stack([r @ r for r in residual])  # (T,)
    values, Q = torch.linalg.eigh(gram)  # (T, d), (T, d, d)
    values = values.clamp(min=0)
    projected = (Q.mT @ moment.unsqueeze(2)).squeeze(2)  # (T, d)
    tiny = torch.finfo(torch.float64).tiny
    penalties = _PENALTIES.to(Z.device) * values.mean(dim=1, keepdim=True).clamp(min=tiny)
    # The share of each direction that a penalty leaves. With it, the sum of squares and the degrees
    # of freedom of the residual follow from the eigenvectors alone. Directions that the embeddings
    # do not have are left whole.
    left = penalties.unsqueeze(2) / (values.unsqueeze(1) + penalties.unsqueeze(2))  # (T, n_pen, d)
    seen = values > values.max(dim=1, keepdim=True).values * 1e-12  # (T, d)
    explained = torch.where(seen, projected**2 / values.clamp(min=tiny), 0.0)  # (T, d)
    rest = n - 1 - seen.sum(dim=1)  # (T,), 0 where the embeddings can explain everything
    beyond = torch.where(rest > 0, (total - explained.sum(dim=1)).clamp(min=0), 0.0)
    rss = (explained.unsqueeze(1) * left**2).sum(dim=2) + beyond.unsqueeze(1)
    freedom = (left * seen.unsqueeze(1)).sum(dim=2) + rest.clamp(min=0).unsqueeze(1)  # (T, n_pen)
    best = torch.argmin(rss / freedom.clamp(min=tiny) ** 2, dim=1, keepdim=True)
    penalty = penalties.gather(1, best)  # (T, 1)
    W = (Q @ (projected / (values + penalty)).unsqueeze(2)).squeeze(2)  # (T, d)
    for task, (i, j) in enumerate(bounds):
        W[task] = kinds[task].fit_head(W[task], centred[task], y64[i:j], penalty[task])
    return W.to(Z.dtype), torch.cat(residual).to(Z.dtype)
