import numpy as np
import pytest
from scipy import stats

from admet.study.statistics import contrast
from admet.study.tukey import Tukey, all_pairs

NAMES = ("a", "b", "c", "d")


def blocks(n=6, k=4, seed=0, noise=0.1, gap=0.0):
    """Losses of arms, (n, k): what is common to a block, and noise; the last arm is worse."""
    rng = np.random.default_rng(seed)
    table = rng.normal(1, 0.5, (n, 1)) + rng.normal(0, noise, (n, k))
    table[:, -1] += gap
    return table


def test_the_residual_is_that_of_an_analysis_of_variance():
    """The same sum of squares by least squares with a column per arm and per block."""
    x = blocks()
    n, k = x.shape
    design = np.hstack([np.kron(np.ones((n, 1)), np.eye(k)), np.kron(np.eye(n), np.ones((k, 1)))])
    coefficients, *_ = np.linalg.lstsq(design, x.ravel(), rcond=None)
    left = ((x.ravel() - design @ coefficients) ** 2).sum()
    df = n * k - np.linalg.matrix_rank(design)
    found = Tukey(NAMES, x, 0.0)
    assert found.df == df
    assert found.error == pytest.approx(np.sqrt(left / df / n))


def test_pairs_agree_with_a_simulated_studentized_range():
    rng = np.random.default_rng(0)
    found = Tukey(NAMES, blocks(gap=0.12), 0.0)
    means = rng.normal(size=(200_000, 4))
    spread = np.sqrt(rng.chisquare(found.df, 200_000) / found.df)
    ranges = np.ptp(means, axis=1) / spread
    for pair in found.pairs:
        assert pair.p == pytest.approx(
            (ranges > abs(pair.difference) / found.error).mean(), abs=4e-3
        )
    assert found.reach == pytest.approx(np.quantile(ranges, 0.95) * found.error, rel=0.01)
    assert len(found.pairs) == 6


def test_an_interval_leaves_out_zero_where_p_is_below_five_percent():
    found = Tukey(NAMES, blocks(gap=0.2), 0.2)
    for pair in found.pairs:
        assert (pair.p < 0.05) == (pair.low > 0 or pair.high < 0)
        assert pair.low < pair.difference < pair.high
    assert {p.other for p in found.pairs if p.p < 0.05} == {"d"}


def test_two_arms_are_the_corrected_paired_test():
    x = blocks(k=2, n=10)
    a, b = x.T
    (pair,) = Tukey(("a", "b"), x, 0.2).pairs
    (plain,) = Tukey(("a", "b"), x, 0.0).pairs
    assert plain.p == pytest.approx(stats.ttest_rel(a, b).pvalue)
    same = contrast(a, b, 0.2, 0.0)
    scale = b.mean()
    assert pair.relative == pytest.approx(same.mean)
    assert (pair.low, pair.high) == pytest.approx((same.low * scale, same.high * scale))
    assert pair.p == pytest.approx(2 * min(same.better, same.worse))
    assert pair.cohens_d == pytest.approx((a - b).mean() / (a - b).std(ddof=1))


def test_equal_arms_have_p_one_and_constant_gaps_none():
    x = blocks(k=1)
    equal = Tukey(NAMES, np.repeat(x, 4, axis=1), 0.2)
    assert [pair.p for pair in equal.pairs] == [1.0] * 6
    assert [pair.cohens_d for pair in equal.pairs] == [0.0] * 6
    flat = np.tile([1.0, 2.0], (4, 1))
    (pair,) = Tukey(("a", "b"), flat, 0.2).pairs
    assert (pair.difference, pair.relative, pair.cohens_d, pair.p) == (-1.0, -0.5, -np.inf, 0.0)


@pytest.mark.parametrize(("test_share", "least", "most"), [(0.0, 0.03, 0.07), (0.2, 0.0, 0.01)])
def test_arms_that_are_alike_differ_in_one_study_of_twenty_at_most(test_share, least, most):
    """Independent blocks: five percent of the families without the factor, fewer with it."""
    found = [Tukey(NAMES, blocks(n=5, seed=seed), test_share) for seed in range(1000)]
    wrong = np.mean([np.ptp(study.means) > study.reach for study in found])
    assert least <= wrong <= most


def test_a_block_without_a_loss_is_left_out_for_all_arms():
    x = blocks()
    losses = dict(zip(NAMES, x.T.copy(), strict=True))
    losses["b"][2] = np.nan
    found = all_pairs(losses, 0.2)
    expected = Tukey(NAMES, np.delete(x, 2, axis=0), 0.2)
    assert found.n == 5
    assert found.frame.equals(expected.frame)
    losses["c"][:] = np.nan
    assert all_pairs(losses, 0.2).arms == ("a", "b", "d")


def test_too_little_gives_nan_and_no_fault():
    one = Tukey(NAMES, blocks(n=1), 0.2)
    assert one.means == pytest.approx(blocks(n=1)[0])
    assert one.frame[["low", "high", "p", "cohens_d"]].isna().all(axis=None)
    none = all_pairs({name: np.full(5, np.nan) for name in NAMES}, 0.2)
    assert np.isnan(none.means).all()
    assert len(none.frame) == 6
    alone = all_pairs({"a": np.ones(5)}, 0.2)
    assert alone.frame.empty
    assert np.isnan(alone.reach)


def test_effect_sizes_come_before_p():
    columns = list(Tukey(NAMES, blocks(), 0.2).frame)
    assert columns == [
        "arm", "other", "difference", "low", "high", "relative", "cohens_d", "p", "blocks"
    ]  # fmt: skip
