import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admet.errors import ConfigError
from admet.model.chemprop.task_affinity import TaskGrouper
from admet.model.chemprop.task_affinity.groups import partition, transfer_scores
from admet.model.chemprop.task_affinity.groups.partition import best_partition, within


def all_labels(n):
    """Lists all partitions of n tasks, as labels numbered by first task."""
    for labels in itertools.product(range(n), repeat=n):
        if all(label <= max(labels[:i], default=-1) + 1 for i, label in enumerate(labels)):
            yield np.array(labels)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10_000), st.integers(2, 6), st.one_of(st.none(), st.integers(1, 6)))
def test_it_is_the_best_of_all_partitions(seed, n, n_groups):
    scores = np.random.default_rng(seed).standard_normal((n, n))
    n_groups = None if n_groups is None else min(n, n_groups)
    found = best_partition(scores, n_groups)
    weights = scores + scores.T
    np.fill_diagonal(weights, 0)
    allowed = [labels for labels in all_labels(n) if n_groups in (None, len(np.unique(labels)))]
    assert within(weights, found) == pytest.approx(max(within(weights, p) for p in allowed))
    assert any(np.array_equal(found, labels) for labels in allowed)


@pytest.mark.parametrize("n_groups", [None, 4])
def test_the_search_of_many_tasks_finds_what_is_planted(n_groups, monkeypatch):
    rng = np.random.default_rng(0)
    planted = np.arange(40) % 4
    scores = np.where(planted[:, None] == planted, 0.5, -0.3) + 0.3 * rng.standard_normal((40, 40))
    assert np.array_equal(best_partition(scores, n_groups), planted)
    small = scores[:9, :9]
    exact = best_partition(small, n_groups)
    monkeypatch.setattr(partition, "EXACT_UP_TO", 1)
    assert np.array_equal(best_partition(small, n_groups), exact)


def test_a_small_task_gains_from_a_large_one_and_not_the_other_way_round():
    scores = transfer_scores(np.array([[1, 0.5], [0.5, 1]]), np.array([900, 100]))
    assert scores.tolist() == [[0, 0.5 * 900 / 400], [0.5 * 100 / 1200, 0]]
    assert np.isfinite(transfer_scores(np.eye(2), np.array([0, 5]))).all()


def test_transfer_joins_what_gains_and_leaves_out_what_costs(caplog):
    names = ["large", "small", "foe"]
    affinity = np.array([[1, 0.3, -0.4], [0.3, 1, -0.1], [-0.4, -0.1, 1]])
    counts = np.array([1000, 50, 800])
    with caplog.at_level("INFO"):
        grouper = TaskGrouper("auto", "transfer")
        groups = grouper.cluster(affinity, names, [affinity, affinity], counts)
    assert groups == [["large", "small"], ["foe"]]
    assert grouper.agreement == 1.0
    assert "auto chose 2 (highest predicted gain)" in caplog.text
    assert TaskGrouper(1, "transfer").cluster(affinity, names) == [names]
    with pytest.raises(ConfigError, match="`n_labels` must hold a number for each of the 3 tasks"):
        grouper.cluster(affinity, names, n_labels=counts[:2])
