"""How sure a difference is that was measured on folds, whose training sets overlap."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

LEVEL = 0.95
CLEAR = 0.9
"""Probability from which a difference is called one."""


@dataclass(frozen=True)
class Contrast:
    """The difference of two arms in one metric; below 0 the first one is better.

    Attributes:
        mean: Mean over folds, repeats and seeds, relative to the second arm's mean.
        low: Lower end of its 95 % interval.
        high: Upper end.
        better: Probability that the first arm is better by more than is equivalent.
        same: Probability that the difference is within what counts as none.
        worse: Probability that it is worse by more.
    """

    mean: float
    low: float
    high: float
    better: float
    same: float
    worse: float

    @property
    def verdict(self) -> str:
        """Says in a word what is known: better, worse, same, or unclear."""
        for word in ("better", "worse", "same"):
            if getattr(self, word) >= CLEAR:
                return word
        return "unclear"


def contrast(
    first: np.ndarray, second: np.ndarray, test_share: float, equivalence: float
) -> Contrast:
    """Compares two arms on the same folds by the corrected resampled t-test.

    The same posterior gives the probabilities: a t-distribution around the mean difference, whose
    variance counts that training sets overlap.

    Source: Nadeau and Bengio, Machine Learning 2003, 52, 239; Benavoli et al., J. Mach. Learn. Res.
    2017, 18, 1, Eq. 6 (the Bayesian correlated t-test).

    Args:
        first: Losses of the first arm, shape (k,), one per fold, repeat and seed.
        second: Those of the second.
        test_share: Share of the molecules that a fold tests, which is the correlation.
        equivalence: Share of the second arm's mean below which a difference counts as none.

    Returns:
        The contrast; NaN where there are fewer than two values.
    """
    known = np.isfinite(first) & np.isfinite(second)
    k = int(known.sum())
    if k < 2:
        return Contrast(*[np.nan] * 6)
    relative = (first[known] - second[known]) / (np.abs(second[known]).mean() or 1.0)
    mean = float(relative.mean())
    error = float(np.sqrt(relative.var(ddof=1) * (1 / k + test_share / (1 - test_share))))
    if error == 0:
        ends = (float(mean < -equivalence), float(abs(mean) <= equivalence))
        return Contrast(mean, mean, mean, *ends, float(mean > equivalence))
    posterior = stats.t(k - 1, mean, error)
    low, high = posterior.interval(LEVEL)
    better = float(posterior.cdf(-equivalence))
    worse = float(posterior.sf(equivalence))
    return Contrast(mean, float(low), float(high), better, 1 - better - worse, worse)


def known_mean(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Gives the mean of what is not NaN, along an axis or of all; NaN where nothing is known."""
    known = ~np.isnan(values)
    n = known.sum(axis=axis)
    return np.asarray(np.where(known, values, 0).sum(axis=axis) / np.where(n > 0, n, np.nan))
