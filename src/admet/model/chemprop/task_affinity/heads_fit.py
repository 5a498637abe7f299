"""Heads fitted in closed form to fixed embeddings."""

import torch
from torch import Tensor

_LAMBDAS = torch.logspace(-6, 3, 28, dtype=torch.float64)  # relative to the mean eigenvalue
_NEWTON_STEPS = 4


def fit_head(Z: Tensor, y: Tensor, *, binary: bool) -> tuple[Tensor, Tensor]:
    """Fits a linear head with intercept.

    Regression is ridge regression whose penalty minimises the generalised cross-validation score
    (Golub, Heath and Wahba, Technometrics 1979, 21, 215). A binary task takes the penalty that
    regression on its labels would, and a few Newton steps of the penalised logistic likelihood.

    Args:
        Z: Embeddings, shape (n, d); not differentiated.
        y: Scaled targets or labels 0 and 1, shape (n,).
        binary: Whether the task is binary.

    Returns:
        The weights, shape (d,), and the residuals that the loss's gradient is made of, prediction
        minus target, shape (n,); both in the precision of Z.
    """
    Z64, y64 = Z.detach().double(), y.double()
    mean = Z64.mean(dim=0)
    centred = Z64 - mean  # (n, d)
    eigenvalues, Q = torch.linalg.eigh(centred.T @ centred)  # (d,), (d, d)
    eigenvalues = eigenvalues.clamp(min=0)
    residual = y64 - y64.mean()
    projected = Q.T @ (centred.T @ residual)  # (d,)
    scale = eigenvalues.mean().clamp(min=torch.finfo(torch.float64).tiny)
    penalties = _LAMBDAS.to(Z.device) * scale  # (n_lambdas,)
    shrunk = eigenvalues / (eigenvalues + penalties[:, None])  # (n_lambdas, d)
    # Residual sum of squares of each penalty, from the eigenvectors alone.
    positive = eigenvalues > eigenvalues.max() * 1e-12
    explained = torch.where(positive, projected**2 / eigenvalues.clamp(min=1e-300), 0.0)  # (d,)
    rss = (residual @ residual) - (explained * (1 - (1 - shrunk) ** 2)).sum(dim=1)
    freedom = (len(y) - 1 - shrunk.sum(dim=1)).clamp(min=1e-3)
    best = int(torch.argmin(rss / freedom**2))
    w = Q @ (projected / (eigenvalues + penalties[best]))
    if not binary:
        error = centred @ w - residual
        return w.to(Z.dtype), error.to(Z.dtype)
    # 4 × the penalty of regression: a logistic likelihood is at most a quarter as curved.
    design = torch.cat([centred, torch.ones_like(centred[:, :1])], dim=1)  # (n, d + 1)
    ridge = torch.full((design.shape[1],), float(penalties[best]) / 4, dtype=torch.float64)
    ridge = ridge.to(Z.device)
    ridge[-1] = 1e-8
    rate = y64.mean().clamp(1e-3, 1 - 1e-3)
    beta = torch.zeros(design.shape[1], dtype=torch.float64, device=Z.device)
    beta[-1] = torch.logit(rate)
    for _ in range(_NEWTON_STEPS):
        p = torch.sigmoid(design @ beta)
        gradient = design.T @ (p - y64) + ridge * beta
        curvature = (p * (1 - p)).clamp(min=1e-4)
        beta = beta - torch.linalg.solve(
            (design * curvature[:, None]).T @ design + torch.diag(ridge), gradient
        )
    error = torch.sigmoid(design @ beta) - y64
    return beta[:-1].to(Z.dtype), error.to(Z.dtype)
