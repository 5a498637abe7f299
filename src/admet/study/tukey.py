"""All arms against one another at once, on the same folds: Tukey's HSD over repeated measures."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from admet.study.statistics import LEVEL

_SEVERAL = 2  # arms, and blocks, from which there is something to compare


@dataclass(frozen=True)
class Pair:
    """The difference of two of the arms; below 0 the first one is better.

    Attributes:
        arm: The first arm.
        other: The second one.
        difference: Mean difference of their losses.
        low: Lower end of its interval; those of all pairs hold together with 95 %.
        high: Upper end.
        relative: The difference as a share of the second arm's mean loss; NaN where that is 0.
        cohens_d: Mean of the paired differences over their standard deviation (n − 1).
        p: Were all arms alike, the probability that some pair of them differs by as much.
    """

    arm: str
    other: str
    difference: float
    low: float
    high: float
    relative: float
    cohens_d: float
    p: float


@dataclass(frozen=True, eq=False)
class Tukey:
    """Tukey's honestly significant differences of k arms, with n blocks as repeated measures.

    A block is one fold of one repeat and seed: what makes it hard or easy for all arms is taken
    out. The rest is the residual of the two-way table, with (k − 1)(n − 1) degrees of freedom. All
    pairs share it, as if it were the same for all of them; an arm that varies much widens the
    intervals of all.

    Folds share most of their training molecules, so that blocks are not independent, and the plain
    test finds too much. As in `admet.study.statistics.contrast`, the variance of a mean therefore
    has the factor 1 / n + test share / (1 − test share) in place of 1 / n. With two arms this is
    the corrected paired t-test. The factor is a rule of thumb: it was derived for random divisions.

    Source: Ash et al., Practically significant method comparison protocols for machine learning in
    small molecule drug discovery, 2024 (the test and its use); Nadeau and Bengio, Machine Learning
    2003, 52, 239 (the factor).

    Attributes:
        arms: k names.
        losses: Shape (n, k), no NaN.
        test_share: Share of the molecules that a fold tests; 0 gives the plain test.
    """

    arms: tuple[str, ...]
    losses: np.ndarray
    test_share: float

    @property
    def n(self) -> int:
        """Number of blocks."""
        return len(self.losses)

    @cached_property
    def means(self) -> np.ndarray:
        """Mean loss of each arm, shape (k,); NaN without a block."""
        if not self.n:
            return np.full(len(self.arms), np.nan)
        return np.asarray(self.losses.mean(axis=0))

    @property
    def df(self) -> int:
        """Degrees of freedom of the residual; 0 where there are too few arms or blocks."""
        return max(0, (len(self.arms) - 1) * (self.n - 1))

    @cached_property
    def error(self) -> float:
        """Standard error of the mean of an arm, without what is common to a block; may be NaN."""
        if not self.df:
            return float("nan")
        own = self.losses - self.losses.mean(axis=1, keepdims=True)
        residual = own - own.mean(axis=0)
        variance = (residual**2).sum() / self.df
        return float(np.sqrt(variance * (1 / self.n + self.test_share / (1 - self.test_share))))

    @property
    def reach(self) -> float:
        """Difference from which two arms differ with 95 %; NaN where that is not known."""
        return _critical(len(self.arms), self.df) * self.error if self.df else float("nan")

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Every two arms, each pair once."""
        return tuple(self.pair(a, b) for a, b in combinations(self.arms, 2))

    def pair(self, arm: str, other: str) -> Pair:
        """Compares two of the arms."""
        i, j = self.arms.index(arm), self.arms.index(other)
        difference = float(self.means[i] - self.means[j])
        return Pair(
            arm=arm,
            other=other,
            difference=difference,
            low=difference - self.reach,
            high=difference + self.reach,
            relative=_ratio(difference, abs(float(self.means[j]))),
            cohens_d=self._cohens_d(i, j),
            p=self._p(difference),
        )

    def _cohens_d(self, i: int, j: int) -> float:
        if self.n < _SEVERAL:
            return float("nan")
        paired = self.losses[:, i] - self.losses[:, j]
        return _ratio(float(paired.mean()), float(paired.std(ddof=1)), endless=np.inf)

    def _p(self, difference: float) -> float:
        if not self.df:
            return float("nan")
        steps = _ratio(abs(difference), self.error, endless=np.inf)
        return float(stats.studentized_range.sf(steps, len(self.arms), self.df))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per pair; effect sizes come before p.

        The columns are those of `Pair`, then blocks.
        """
        names = list(Pair.__dataclass_fields__)
        rows = pd.DataFrame([asdict(pair) for pair in self.pairs], columns=names)
        return rows.assign(blocks=self.n)


def all_pairs(losses: Mapping[str, np.ndarray], test_share: float) -> Tukey:
    """Compares arms on the blocks in which all of them have a loss.

    Args:
        losses: Arm → losses, each of shape (m,), one per fold, repeat and seed, in one order; NaN
            where a fold does not say.
        test_share: Share of the molecules that a fold tests.

    Returns:
        The comparison. An arm without any loss takes part in it with NaN only where no other has
        one, and is left out otherwise.
    """
    some = {arm: own for arm, own in losses.items() if np.isfinite(own).any()} or dict(losses)
    table = np.stack(list(some.values()), axis=1)  # (m, k)
    return Tukey(tuple(some), table[np.isfinite(table).all(axis=1)], test_share)


@lru_cache(maxsize=512)
def _critical(k: int, df: int) -> float:
    """Gives the studentized range of k means that chance stays below with 95 %."""
    return float(stats.studentized_range.ppf(LEVEL, k, df))


def _ratio(part: float, whole: float, endless: float = np.nan) -> float:
    """Divides; nothing of nothing is 0, and something of nothing `endless` with its sign."""
    if whole != 0:
        return part / whole
    return 0.0 if part == 0 else float(np.copysign(endless, part))
