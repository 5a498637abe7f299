import numpy as np
import pytest
from scipy import stats

from admet.study.composite import Evidence, choose_weights, nested_mixture
from admet.study.statistics import contrast, known_mean


def test_the_interval_counts_that_training_sets_overlap():
    rng = np.random.default_rng(0)
    a, b = rng.normal(1.0, 0.1, 10), rng.normal(1.1, 0.1, 10)
    found = contrast(a, b, 0.2, 0.02)
    d = (a - b) / b.mean()
    naive = stats.ttest_1samp(d, 0).confidence_interval(0.95)
    wider = np.sqrt(1 + 10 * 0.2 / 0.8)  # Nadeau and Bengio: 1/k + n_test / n_train
    assert found.mean == pytest.approx(d.mean())
    assert found.high - found.low == pytest.approx((naive.high - naive.low) * wider)
    assert found.better + found.same + found.worse == pytest.approx(1)


def test_one_arm_in_ten_is_called_better_by_chance_at_most():
    """Losses of two arms that are alike: a shared part per fold, and noise of their own."""
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(400):
        shared = rng.normal(1, 0.2, 5)
        a, b = (shared + rng.normal(0, 0.05, 5) for _ in range(2))
        wrong += contrast(a, b, 0.2, 0.0).verdict != "unclear"
    assert wrong / 400 < 0.1


def test_words_of_a_contrast():
    base = np.linspace(0.9, 1.1, 5)
    noise = np.array([1, -1, 2, -2, 0.5]) / 1000
    assert contrast(base * 0.8 + noise, base, 0.2, 0.02).verdict == "better"
    assert contrast(base * 1.3 + noise, base, 0.2, 0.02).verdict == "worse"
    assert contrast(base + noise, base, 0.2, 0.02).verdict == "same"
    assert contrast(base + 200 * noise, base, 0.2, 0.02).verdict == "unclear"
    assert contrast(base, base, 0.2, 0.02).verdict == "same"
    assert np.isnan(contrast(base[:1], base[:1], 0.2, 0.02).mean)
    gap = np.where(np.arange(5) == 2, np.nan, base)
    assert np.isfinite(contrast(gap, base, 0.2, 0.02).mean)


def test_what_nothing_is_known_of_is_nan_without_a_warning():
    nothing = np.full(5, np.nan)
    assert np.isnan(contrast(nothing, nothing, 0.2, 0.02).mean)
    assert np.isnan(known_mean(nothing))
    np.testing.assert_array_equal(known_mean(np.array([[1, np.nan, 3], nothing[:3]]), axis=1)[0], 2)


def arms(n, noise, seed=0):
    """Labels and predictions of arms whose errors are independent, of the given sizes."""
    rng = np.random.default_rng(seed)
    y = rng.normal(size=n)
    return y, np.stack([y + rng.normal(0, size, n) for size in noise])


def mix(y, P, **keys):
    return choose_weights([Evidence(y, P, 1.0, **keys)])[0].weights


def test_equal_arms_share_the_weight_and_a_bad_one_has_none():
    weights = mix(*arms(4_000, [0.5, 0.5, 5.0]))
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights, [0.5, 0.5, 0], atol=0.06)


def test_a_task_with_few_labels_takes_the_weights_of_all_tasks():
    """Twelve labels would choose one arm or another by chance; the large tasks know better."""
    large = [Evidence(*arms(2_000, [0.4, 0.8, 2.0], seed), 1.0) for seed in range(3)]
    few = Evidence(*arms(12, [0.6, 0.6, 0.6], 7), 1.0)
    *_, alone = choose_weights([few])
    *others, own = choose_weights([*large, few])
    common = np.mean([mixture.weights for mixture in others], axis=0)
    assert np.abs(own.weights - common).max() < 0.12
    assert own.weights[2] < 0.05 < alone.weights[2]
    assert own.n == 12


def test_without_labels_arms_count_alike():
    _, P = arms(5, [0.5, 0.5, 0.5])
    assert mix(np.full(5, np.nan), P) == pytest.approx([1 / 3] * 3)


def test_labels_of_a_fold_do_not_choose_its_weights():
    y, P = arms(200, [0.5, 0.7, 0.9])
    folds = np.array_split(np.random.default_rng(0).permutation(200), 5)
    choosing = [np.isin(np.arange(200), rows, invert=True) for rows in folds]
    mixed = nested_mixture([Evidence(y, P, 1.0)], folds, choosing)[:, 0]
    changed = y.copy()
    changed[folds[2]] = 1e3
    again = nested_mixture([Evidence(changed, P, 1.0)], folds, choosing)[:, 0]
    np.testing.assert_array_equal(mixed[folds[2]], again[folds[2]])
    assert not np.array_equal(mixed, again)
    assert np.abs(mixed - y).mean() < np.abs(P[0] - y).mean()


def test_a_prediction_beyond_a_limit_is_no_error():
    y, limits = np.full(50, 1.0), np.ones(50, np.int8)
    beyond, below = np.full(50, 9.0), np.full(50, 0.5)
    assert mix(y, np.stack([beyond, below]), limits=limits)[0] > 0.95
