"""What would settle an open comparison."""

import numpy as np
import pytest

from admet.study.settle import SETTLED, Needed, in_words, needed, rounded
from admet.study.statistics import contrast

ONE = np.zeros(1, int)


def losses(mean, spread, rounds=1, folds=5, seed=0):
    """Two arms whose relative difference has exactly this mean and standard deviation."""
    noise = np.random.default_rng(seed).normal(size=(rounds, folds))
    noise = (noise - noise.mean()) / noise.std(ddof=1)
    second = np.ones((rounds, folds))
    return second * (1 + mean) + spread * noise, second


def test_what_is_clear_needs_nothing():
    assert needed(*losses(-0.2, 0.02), 0.2, 0.02, ONE) == SETTLED
    assert needed(*losses(0.0, 0.001), 0.2, 0.02, ONE) == SETTLED
    assert in_words([SETTLED, SETTLED], 100, forward=False) == ""


@pytest.mark.parametrize("mean", [-0.1, 0.08, 0.01])
def test_that_many_labels_make_it_clear_and_fewer_do_not(mean):
    first, second = losses(mean, 0.3)
    assert contrast(first[0], second[0], 0.2, 0.02).verdict == "unclear"
    times = needed(first, second, 0.2, 0.02, ONE).times
    assert times > 1
    for share, words in ((1.02, {"better", "worse", "same"}), (0.98, {"unclear"})):
        narrower, _ = losses(mean, 0.3 / np.sqrt(times * share))
        assert contrast(narrower[0], second[0], 0.2, 0.02).verdict in words


def test_a_difference_of_just_what_counts_as_none_is_never_settled():
    found = needed(*losses(0.02, 0.1), 0.2, 0.02, ONE)
    assert found.times > 1e6
    assert in_words([found], 100, forward=False) == "over 20 times the labels"


def test_rounds_that_would_do_are_counted_by_the_test_itself():
    first, second = losses(-0.1, 0.09)
    found = needed(first, second, 0.2, 0.02, ONE)
    assert found.rounds is not None
    for rounds, verdict in ((found.rounds, "better"), (found.rounds - 1, "unclear")):
        many = [a.ravel() for a in losses(-0.1, 0.09, rounds)]
        assert contrast(*many, 0.2, 0.02).verdict == verdict
    assert in_words([found], 100, forward=False) == f"{found.rounds} repeats"
    assert in_words([found], 100, forward=True) == f"{found.rounds} seeds"


def test_training_sets_in_common_cannot_be_repeated_away():
    found = needed(*losses(-0.05, 0.5), 0.2, 0.02, ONE)
    assert found.rounds is None
    assert in_words([found], 100, forward=False).startswith("over")


def test_seeds_are_asked_for_where_they_are_the_cause():
    rng = np.random.default_rng(3)
    second = np.ones((4, 5))
    by_seed = second - 0.06 + rng.normal(0, 0.09, (4, 5))
    by_fold = second - 0.06 + rng.normal(0, 0.09, 5) + rng.normal(0, 1e-3, (4, 5))
    repeats = np.zeros(4, int)
    assert needed(by_seed, second, 0.2, 0.02, repeats).seeds is True
    assert needed(by_fold, second, 0.2, 0.02, repeats).seeds is False
    assert needed(by_fold, second, 0.2, 0.02, np.arange(4)).seeds is None
    few = Needed(3.0, 6, False)
    assert in_words([few], 100, forward=True) == "about 200 more labels"


def test_without_two_folds_nothing_is_known():
    first, second = losses(0.1, 0.1)
    first[0, 1:] = np.nan
    found = needed(first, second, 0.2, 0.02, ONE)
    assert np.isnan(found.times)
    assert in_words([found, SETTLED], 100, forward=False) == "labels in more folds"


def test_words_and_numbers():
    assert in_words([Needed(2.34, None, None)], 137, forward=False) == "about 190 more labels"
    assert in_words([Needed(2.34, None, None)], None, forward=False) == "2.3 times the labels"
    assert [rounded(x) for x in (0.2, 9.5, 123, 2010)] == [1, 10, 130, 2100]
