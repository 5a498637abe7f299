"""For each endpoint the mixture of arms that their out-of-fold predictions favour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from admet.evaluation.metrics import met

_STEPS = 30  # additions of an arm; weights are multiples of a thirtieth
_SHRINK = 150  # labels at which half of the weight goes by the mean of the good arms
_CLEARLY = 2.0  # standard errors by which an arm is worse than the best to be left out of that mean


@dataclass(frozen=True, eq=False)
class Mixture:
    """Weights of arms for one endpoint.

    Attributes:
        weights: Shape (A,), at least 0, their sum is 1.
        n: Labels that chose them.
    """

    weights: np.ndarray
    n: int


def choose_weights(
    labels: np.ndarray,
    predictions: np.ndarray,
    limits: np.ndarray | None = None,
    *,
    squared: bool = False,
) -> Mixture:
    """Chooses weights by predictions of molecules that no arm had seen.

    Greedy forward selection with replacement adds, one at a time, the arm that lowers the error of
    the mean most; it is drawn towards the mean of all arms that are not clearly worse than the
    best, the more the fewer labels there are: with n labels, that mean has the weight
    150 / (150 + n).

    Source: Caruana et al., ICML 2004 (the selection).

    Args:
        labels: Shape (n,), NaN where absent, on the scale that is learnt.
        predictions: Shape (A, n), likewise.
        limits: Which labels are limits, shape (n,), as in `Labels`; None for none.
        squared: Whether errors are squared (for probabilities) or absolute.

    Returns:
        The weights.
    """
    known = np.isfinite(labels) & np.isfinite(predictions).all(axis=0)
    y, P = labels[known], predictions[:, known]
    own = None if limits is None else limits[known]
    n_arms, n = P.shape
    if n == 0:
        return Mixture(np.full(n_arms, 1 / n_arms), 0)

    def errors(mixed: np.ndarray) -> np.ndarray:
        """Gives the error of each molecule, shape (…, n)."""
        reached = mixed if own is None else met(np.broadcast_to(y, mixed.shape), mixed, own)
        return np.asarray((reached - y) ** 2 if squared else np.abs(reached - y))

    alone = errors(P)  # (A, n)
    best = int(alone.mean(axis=1).argmin())
    counts = np.zeros(n_arms)
    total = np.zeros(n)
    for step in range(1, _STEPS + 1):
        chosen = int(errors((total + P) / step).mean(axis=1).argmin())
        counts[chosen] += 1
        total += P[chosen]
    excess = alone - alone[best]
    error = excess.std(axis=1, ddof=1) / np.sqrt(n) if n > 1 else np.zeros(n_arms)
    good = excess.mean(axis=1) <= _CLEARLY * error
    shrink = _SHRINK / (_SHRINK + n)
    return Mixture((1 - shrink) * counts / _STEPS + shrink * good / good.sum(), n)


def nested_mixture(
    labels: np.ndarray,
    predictions: np.ndarray,
    folds: Sequence[np.ndarray],
    limits: np.ndarray | None = None,
    *,
    squared: bool = False,
) -> np.ndarray:
    """Mixes the arms on each fold with weights that the other folds chose.

    Args:
        labels: Shape (n,), on the scale that is learnt.
        predictions: Shape (A, n), each molecule's from the fit that tested it.
        folds: The rows that each fold tests.
        limits: As for `choose_weights`.
        squared: As for `choose_weights`.

    Returns:
        Shape (n,); NaN for rows of no fold.
    """
    found = np.full(len(labels), np.nan)
    for rows in folds:
        others = np.ones(len(labels), bool)
        others[rows] = False
        own = None if limits is None else limits[others]
        mixture = choose_weights(labels[others], predictions[:, others], own, squared=squared)
        found[rows] = mixture.weights @ predictions[:, rows]
    return found
