"""What would settle a comparison that the folds leave open: more labels, or more rounds."""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr

from admet.study.statistics import CLEAR

_MOST_ROUNDS = 20  # repeats times seeds; more are not worth their time
_MOST_TIMES = 20  # as many labels; beyond, the difference is too near to what counts as none
_TINY = 1e-6  # times the difference: a standard error that no number of labels gives
_DOMINATES = 0.5  # share of the variance from which seeds are the cause of it


@dataclass(frozen=True)
class Needed:
    """What an open comparison needs, if the mean difference stays as it was measured.

    Attributes:
        times: As many labels as there are, times this; infinity where no number would do, NaN where
            the folds know nothing yet.
        rounds: Repeats times seeds that would do with the labels that there are; None for more than
            20, or no number.
        seeds: Whether trainings of one arm on one fold differ so much that seeds are what to
            repeat; None where each was trained once, so that nobody knows.
    """

    times: float
    rounds: int | None
    seeds: bool | None


SETTLED = Needed(1.0, 1, None)


def needed(
    first: np.ndarray,
    second: np.ndarray,
    test_share: float,
    equivalence: float,
    repeats: np.ndarray,
) -> Needed:
    """Estimates what would give one of better, same and worse a probability of 90 %.

    The test is that of `contrast`. Its standard error s is sqrt(v · (1 / k + c)) with k folds over
    all rounds, their variance v, and c = test share / (1 − test share), what training sets have in
    common. It takes the mean difference to stay. Then

    - with m times the labels in folds as many, s falls to s / sqrt(m), as the standard error of any
      mean does (the losses of a fold are means over its labels). Training sides that grow make arms
      better too, which this leaves out: it is a size, not a promise;
    - with more rounds only 1 / k falls, and s can never be less than sqrt(v · c).

    Source: Nadeau and Bengio, Machine Learning 2003, 52, 239 (s); for 1 / sqrt(n), the central
    limit theorem.

    Args:
        first: Losses of one arm, shape (rounds, folds); NaN where a fold does not say.
        second: Those of the other.
        test_share: As in `contrast`.
        equivalence: As in `contrast`.
        repeats: The repeat of each round, shape (rounds,).

    Returns:
        What it needs; `SETTLED` where it needs nothing.
    """
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 2:
        return Needed(np.nan, None, None)
    difference = (first - second) / (np.abs(second[both]).mean() or 1.0)
    known = difference[both]
    k, mean, variance = len(known), float(known.mean()), float(known.var(ddof=1))
    common = test_share / (1 - test_share)
    error = np.sqrt(variance * (1 / k + common))
    if _clear(mean, error, k - 1, equivalence):
        return SETTLED
    share = _share_of_seeds(difference, repeats, variance)
    rounds, n_folds = None, k / len(first)
    for asked in range(len(first) + 1, _MOST_ROUNDS + 1):
        more = asked * n_folds
        if _clear(mean, np.sqrt(variance * (1 / more + common)), more - 1, equivalence):
            rounds = asked
            break
    enough = _enough(mean, k - 1, equivalence)
    times = (float(error) / enough) ** 2 if enough else np.inf
    return Needed(times, rounds, None if share is None else share > _DOMINATES)


def _clear(mean: float, error: float, df: float, equivalence: float) -> bool:
    """Tells whether one of better, same and worse has a probability of 90 %."""
    if error == 0:
        return True
    below = float(stdtr(df, (-equivalence - mean) / error))
    above = float(stdtr(df, (mean - equivalence) / error))
    return max(below, above, 1 - below - above) >= CLEAR


def _enough(mean: float, df: float, equivalence: float) -> float:
    """Gives the largest standard error at which a mean difference is clear, by bisection; or 0."""
    low, high = 0.0, max(abs(mean), equivalence, 1e-12)
    for _ in range(60):
        middle = (low + high) / 2
        if _clear(mean, middle, df, equivalence):
            low = middle
        else:
            high = middle
    return low if low > max(abs(mean), equivalence) * _TINY else 0.0


def _share_of_seeds(difference: np.ndarray, repeats: np.ndarray, variance: float) -> float | None:
    """Gives the share of the variance that lies between seeds of one fold; None without any."""
    parts = []
    for repeat in np.unique(repeats):
        own = difference[repeats == repeat]  # (seeds, folds)
        own = own[:, np.isfinite(own).all(axis=0)]
        if len(own) > 1 and own.size:
            parts.append(own.var(axis=0, ddof=1).mean())
    if not parts or variance == 0:
        return None
    return float(np.mean(parts)) / variance


def in_words(found: list[Needed], n: int | None, *, forward: bool) -> str:
    """Says what would settle all of some comparisons, in a few words; empty where nothing is open.

    Args:
        found: What each needs.
        n: Labels of the endpoint; None for all endpoints.
        forward: Whether the folds go forward in time, and so cannot be dealt anew.
    """
    times, rounds = together(found)
    if times == 1:
        return ""
    if np.isnan(times):
        return "labels in more folds"
    by_seeds = [need.seeds for need in found if need is not SETTLED]
    if rounds is not None and not (forward and False in by_seeds):
        only_seeds = forward or all(by_seeds)
        return f"{rounds} {'seeds' if only_seeds else 'repeats'}"
    if times > _MOST_TIMES:
        return f"over {_MOST_TIMES} times the labels"
    if n is None:
        return f"{times:.2g} times the labels"
    return f"about {rounded(n * (times - 1)):,} more labels"


def together(found: list[Needed]) -> tuple[float, int | None]:
    """Gives as many labels, times, and the rounds that would settle all of some comparisons."""
    times = max((need.times for need in found if not np.isnan(need.times)), default=1.0)
    if any(np.isnan(need.times) for need in found):
        times = np.nan
    rounds = [need.rounds for need in found]
    some = [number for number in rounds if number is not None]
    return times, max(some, default=1) if len(some) == len(rounds) else None


def rounded(number: float) -> int:
    """Rounds to two digits, upwards: more would claim to be exact."""
    if number < 10:
        return math.ceil(number)
    step: int = 10 ** (int(math.log10(number)) - 1)
    return math.ceil(number / step) * step
