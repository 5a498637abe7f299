import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge

from admet.kinds import BINARY, REGRESSION
from admet.model.chemprop.task_affinity.problems.heads_fit import _PENALTIES, fit_heads


@pytest.fixture
def problem(rng):
    n = np.array([60, 9, 200])  # the second has fewer than the embeddings have columns
    Z = rng.standard_normal((n.sum(), 12)) @ rng.standard_normal((12, 12))
    y = Z @ rng.standard_normal(12) + 2 * rng.standard_normal(n.sum()) + 5
    return torch.tensor(Z), torch.tensor(y), np.concatenate([[0], np.cumsum(n)])


def gcv(Z, y, penalty):
    """The score by its definition: residuals over the square of the trace of what is left."""
    n = len(y)
    centring = np.eye(n) - 1 / n
    kernel = centring @ Z @ Z.T @ centring
    left = penalty * np.linalg.inv(kernel + penalty * np.eye(n)) @ centring  # 1 − hat, centred
    residual = left @ y
    return residual @ residual / np.trace(left) ** 2


def penalties(Z):
    return _PENALTIES.numpy() * np.linalg.eigvalsh(np.cov(Z.T, bias=True) * len(Z)).mean()


def test_regression_is_ridge_with_the_penalty_of_gcv(problem):
    Z, y, starts = problem
    W, centred = fit_heads(Z, y, starts, [REGRESSION] * 3)
    for task in range(3):
        i, j = starts[task : task + 2]
        own, target = Z[i:j].numpy(), y[i:j].numpy()
        best = min(penalties(own), key=lambda p: gcv(own, target, p))
        ridge = Ridge(alpha=best).fit(own, target)
        np.testing.assert_allclose(W[task], ridge.coef_, rtol=1e-6, atol=1e-9)
        np.testing.assert_allclose(centred[i:j], target - target.mean(), atol=1e-12)


def test_a_binary_head_is_logistic_regression(problem):
    Z, y, starts = problem
    labels = (y > y.mean()).double()
    W, _ = fit_heads(Z, labels, starts, [BINARY] * 3)
    i, j = starts[2:4]
    own, target = Z[i:j].numpy(), labels[i:j].numpy()
    best = min(penalties(own), key=lambda p: gcv(own, target, p)) / 4
    reference = LogisticRegression(C=1 / best, tol=1e-10, max_iter=10_000).fit(own, target)
    np.testing.assert_allclose(W[2], reference.coef_[0], rtol=1e-3, atol=1e-5)


def test_labels_that_say_nothing_give_a_flat_head():
    Z = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    W, centred = fit_heads(Z, torch.zeros(30), np.array([0, 30]), [REGRESSION])
    assert W.abs().max() == 0
    assert centred.abs().max() == 0
    flat = torch.zeros(30, 5)
    for kind, y in ((REGRESSION, torch.randn(30)), (BINARY, torch.arange(30) % 2)):
        W, _ = fit_heads(flat, y.float(), np.array([0, 30]), [kind])
        assert torch.isfinite(W).all()
