from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

from admet.config.task_affinity import ClusteringMethod
from admet.errors import ConfigError
from admet.model.chemprop.task_affinity import (
    TaskGrouper,
    affinity_matrix_to_dataframe,
    get_task_group_indices,
)
from admet.model.chemprop.task_affinity.groups import METHODS, group

HOW = {"n_groups": 2, "method": "agglomerative", "seed": 0, "singleton_score": 0.0}


def blocks(sizes, within=0.8, between=0.05, seed=0):
    rng = np.random.default_rng(seed)
    label = np.repeat(np.arange(len(sizes)), sizes)
    matrix = np.where(label[:, None] == label, within, between) + 0.02 * rng.standard_normal(
        (len(label), len(label))
    )
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    return matrix, label


def names(n):
    return [f"T{i}" for i in range(n)]


@pytest.mark.parametrize("method", ["agglomerative", "spectral"])
def test_blocks_are_found_in_any_order_of_tasks(method):
    matrix, label = blocks([3, 2, 4])
    order = np.random.default_rng(1).permutation(9)
    groups = TaskGrouper(3, method).cluster(
        matrix[np.ix_(order, order)], [names(9)[i] for i in order]
    )
    found = {frozenset(group) for group in groups}
    assert found == {
        frozenset(name for name, g in zip(names(9), label, strict=True) if g == k) for k in range(3)
    }


@pytest.mark.parametrize("method", ["agglomerative", "spectral"])
def test_groups_stand_by_first_task_and_tasks_in_input_order(method):
    matrix, _ = blocks([2, 2, 2])
    order = [4, 0, 2, 1, 5, 3]
    task_names = [names(6)[i] for i in order]
    groups = TaskGrouper(3, method).cluster(matrix[np.ix_(order, order)], task_names)
    assert groups == [["T4", "T5"], ["T0", "T1"], ["T2", "T3"]]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 8), st.sampled_from(["agglomerative", "spectral"]))
def test_any_matrix_gives_a_partition_and_always_the_same(seed, n_groups, method):
    rng = np.random.default_rng(seed)
    matrix = rng.uniform(-1, 1, (8, 8))
    matrix = (matrix + matrix.T) / 2
    groups = TaskGrouper(n_groups, method).cluster(matrix, names(8))
    assert sorted(name for group in groups for name in group) == names(8)
    assert groups == TaskGrouper(n_groups, method).cluster(matrix, names(8))
    assert len(groups) == n_groups


def test_agglomerative_is_average_linkage(rng):
    matrix = rng.uniform(-1, 1, (10, 10))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1)
    tree = linkage(squareform(1 - matrix, checks=False), "average")
    labels = fcluster(tree, 4, "maxclust")
    expected = {
        frozenset(n for n, lab in zip(names(10), labels, strict=True) if lab == k)
        for k in set(labels)
    }
    assert {frozenset(g) for g in TaskGrouper(4).cluster(matrix, names(10))} == expected


def test_one_group_and_one_a_task():
    matrix, _ = blocks([2, 2])
    assert TaskGrouper(1).cluster(matrix, names(4)) == [names(4)]
    assert TaskGrouper(4).cluster(matrix, names(4)) == [[n] for n in names(4)]


@pytest.mark.parametrize(
    ("sizes", "expected"), [([3, 3], 2), ([3, 2, 3], 3), ([2, 2, 2, 2], 4), ([5, 5, 5, 5, 5], 5)]
)
def test_auto_finds_the_number_of_blocks(sizes, expected):
    matrix, _ = blocks(sizes)
    assert len(TaskGrouper("auto").cluster(matrix, names(sum(sizes)))) == expected


def test_auto_on_too_few_tasks():
    assert TaskGrouper("auto").cluster(np.eye(1), ["A"]) == [["A"]]
    together = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert TaskGrouper("auto").cluster(together, ["A", "B"]) == [["A", "B"]]
    assert TaskGrouper("auto").cluster(-together, ["A", "B"]) == [["A"], ["B"]]


def test_unknown_pairs_count_as_the_mean_and_the_log_says_so(caplog):
    matrix, _ = blocks([2, 2])
    matrix[0, 3] = matrix[3, 0] = np.nan
    before = matrix.copy()
    assert TaskGrouper(2).cluster(matrix, names(4)) == [["T0", "T1"], ["T2", "T3"]]
    assert "1 unknown pair(s) enter the grouping with the mean" in caplog.text
    assert np.array_equal(matrix, before, equal_nan=True)
    assert len(TaskGrouper(2).cluster(np.full((3, 3), np.nan), names(3))) == 2


def test_a_directed_matrix_is_averaged():
    matrix = np.array([[1, 0.9, 0.0], [0.1, 1, 0.3], [0.0, 0.3, 1]])
    assert TaskGrouper(2).cluster(matrix, names(3)) == [["T0", "T1"], ["T2"]]


@pytest.mark.parametrize(
    ("n_groups", "message"),
    [
        (0, "`n_groups` must be between 1 and the number of tasks; got 0"),
        (-2, "got -2"),
        (2.5, "got 2.5"),
        (True, "got True"),
        ("many", "got 'many'"),
    ],
)
def test_a_wrong_number_of_groups_is_refused_at_once(n_groups, message):
    with pytest.raises(ValueError, match=message):
        TaskGrouper(n_groups)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"number of tasks \(3\); got 4. Lower it, or add"):
        TaskGrouper(4).cluster(np.eye(3), names(3))
    with pytest.raises(ValueError, match="`method` must be"):
        TaskGrouper(2, "kmeans")
    with pytest.raises(ValueError, match=r"must have shape \(2, 2\).*got \(3, 3\)"):
        TaskGrouper(2).cluster(np.eye(3), names(2))
    with pytest.raises(ValueError, match="finite"):
        TaskGrouper(2).cluster(np.full((2, 2), np.inf), names(2))
    with pytest.raises(ValueError, match="must differ"):
        TaskGrouper(2).cluster(np.eye(2), ["A", "A"])


def test_the_matrix_as_a_frame():
    frame = affinity_matrix_to_dataframe(np.array([[1.0, 0.2], [0.2, 1.0]]), ["A", "B"])
    assert frame.loc["A", "B"] == 0.2
    assert list(frame.columns) == ["A", "B"]


def test_groups_state_how_stable_they_are():
    sure = np.array([[1, 0.9, 0.0], [0.9, 1, 0.1], [0.0, 0.1, 1]])
    other = np.array([[1, 0.0, 0.9], [0.0, 1, 0.1], [0.9, 0.1, 1]])
    grouper = TaskGrouper(2)
    assert grouper.cluster(sure, ["a", "b", "c"], [sure, sure, sure, other]) == [["a", "b"], ["c"]]
    expected = [[1, 0.75, 0.25], [0.75, 1, 0], [0.25, 0, 1]]
    np.testing.assert_allclose(grouper.co_assignment, expected)
    assert grouper.agreement == pytest.approx((1 + adjusted_rand_score([0, 0, 1], [0, 1, 0])) / 2)
    found = group(sure, ["a", "b", "c"], draws=[sure, sure, sure, other], **HOW)
    assert found.stability == pytest.approx([0.8125, 0.875])
    assert np.isnan(group(sure, ["a", "b", "c"], **HOW).stability).all()


def test_auto_passes_over_a_number_whose_groups_do_not_come_out_again(caplog):
    # Four tight pairs; which pairs lie near each other is a matter of chance.
    def matrix(near):
        affinity = np.full((8, 8), 0.1)
        for a, b in near:
            affinity[np.ix_([2 * a, 2 * a + 1], [2 * b, 2 * b + 1])] = 0.93
            affinity[np.ix_([2 * b, 2 * b + 1], [2 * a, 2 * a + 1])] = 0.93
        for pair in range(4):
            affinity[2 * pair : 2 * pair + 2, 2 * pair : 2 * pair + 2] = 0.95
        return affinity

    first, second = matrix([(0, 1), (2, 3)]), matrix([(0, 2), (1, 3)])
    assert len(TaskGrouper("auto").cluster(first, names(8))) == 2
    with caplog.at_level("INFO"):
        chosen = TaskGrouper("auto").cluster(first, names(8), [first, second] * 5)
    assert [len(group) for group in chosen] == [2, 2, 2, 2]
    assert "auto chose 4" in caplog.text
    assert "agreement" not in caplog.text  # that number is the grouping's, said once


@pytest.mark.parametrize("method", ["agglomerative", "spectral", "network_selection"])
def test_draws_of_a_clear_matrix_agree(method):
    matrix, label = blocks([3, 2, 4])
    rng = np.random.default_rng(0)
    draws = [np.clip(matrix + 0.02 * rng.standard_normal(matrix.shape), -1, 1) for _ in range(10)]
    grouper = TaskGrouper(3, method)
    grouper.cluster(matrix, names(9), draws)
    assert grouper.agreement == 1.0
    np.testing.assert_array_equal(grouper.co_assignment, label[:, None] == label)


@pytest.mark.parametrize("method", get_args(ClusteringMethod))
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"affinity_matrix": [[1, 0], [0]]}, "must be an array of real numbers"),
        ({"affinity_matrix": [["a"] * 3] * 3}, "must be an array of real numbers"),
        ({"affinity_matrix": np.eye(3) * 1j}, "complex"),
        ({"affinity_matrix": np.eye(3) * 1e308}, r"at most 1e\+100 in size"),
        ({"task_names": [["a"], ["b"], ["c"]]}, "`task_names` must hold names"),
        ({"draws": [np.eye(2)] * 3}, "`affinity_matrix` must have shape"),
        (
            {"draws": [np.full((3, 3), np.inf)] * 3},
            "must hold NaN or finite numbers",
        ),
        ({"n_labels": ["a", "b", "c"]}, "`n_labels` must be an array of real numbers"),
        ({"n_labels": [1, -2, 3]}, "`n_labels` must hold numbers ≥ 0"),
    ],
)
def test_misuse_is_named(method, options, message):
    arguments = {"affinity_matrix": np.eye(3), "task_names": list("abc")} | options
    with pytest.raises(ConfigError, match=message):
        TaskGrouper(2, method).cluster(**arguments)


@pytest.mark.parametrize("seed", [-1, 2**70, 1.5, "1", True])
def test_a_seed_is_a_whole_number_that_all_libraries_take(seed):
    with pytest.raises(ConfigError, match="`seed` must be a whole number from 0 to 4294967295"):
        TaskGrouper(2, seed=seed)


def test_the_table_holds_what_the_configuration_names():
    assert tuple(METHODS) == get_args(ClusteringMethod)


def found_by(grouper):
    """All that a grouper says of its last call."""
    return {
        "labels": None if grouper.labels is None else grouper.labels.tolist(),
        "serves": grouper.serves,
        "objective": repr(grouper.objective),
        "bound": repr(grouper.bound),
        "co_assignment": None if grouper.co_assignment is None else grouper.co_assignment.tolist(),
        "agreement": repr(grouper.agreement),
        "chance": repr(grouper.chance),
    }


@pytest.mark.parametrize("n_groups", [2, "auto"])
@pytest.mark.parametrize("method", get_args(ClusteringMethod))
def test_a_second_call_keeps_nothing_of_the_first(method, n_groups):
    small, large = blocks([2, 1])[0], blocks([2, 3])[0]
    fresh, grouper = TaskGrouper(n_groups, method), TaskGrouper(n_groups, method)
    before = found_by(grouper)
    with_draws = grouper.cluster(small, names(3), [small] * 4)
    assert grouper.co_assignment.shape == (3, 3)
    assert grouper.cluster(large, names(5)) == fresh.cluster(large, names(5))
    assert found_by(grouper) == found_by(fresh)
    assert grouper.co_assignment is None
    assert np.isnan(grouper.agreement)
    assert np.isnan(grouper.bound) == (method != "network_selection")
    assert grouper.cluster(small, names(3), [small] * 4) == with_draws
    with pytest.raises(ConfigError):
        grouper.cluster(small, names(2))
    assert found_by(grouper) == before


def test_another_method_leaves_no_bound():
    grouper = TaskGrouper(2, "network_selection")
    grouper.cluster(blocks([2, 3])[0], names(5))
    assert np.isfinite(grouper.bound)
    grouper.method = "agglomerative"
    grouper.cluster(blocks([2, 3])[0], names(5))
    assert np.isnan(grouper.bound)


@pytest.mark.parametrize("method", get_args(ClusteringMethod))
def test_labels_are_the_groups_that_serve(method):
    matrix, _ = blocks([2, 3, 2])
    order = [4, 0, 2, 1, 5, 3, 6]
    task_names = [names(7)[i] for i in order]
    grouper = TaskGrouper(3, method)
    groups = grouper.cluster(matrix[np.ix_(order, order)], task_names)
    assert grouper.labels.tolist() == [grouper.serves[name] for name in task_names]
    assert all(
        name in groups[label] for name, label in zip(task_names, grouper.labels, strict=True)
    )


def test_names_may_be_any_that_differ():
    matrix, _ = blocks([2, 1])
    assert TaskGrouper(2).cluster(matrix, [7, "\ud800", "c"]) == [[7, "\ud800"], ["c"]]


def test_grouping_is_a_function_of_its_arguments():
    matrix, label = blocks([3, 2])
    before = matrix.copy()
    first = group(matrix, names(5), **HOW)
    group(blocks([1, 2])[0], names(3), **HOW | {"method": "network_selection"})
    again = group(matrix, names(5), **HOW)
    assert first.groups == again.groups
    assert first.labels.tolist() == label.tolist()
    assert first.groups[1].tasks == first.groups[1].serves == ("T3", "T4")
    assert first.members.tolist() == [[True] * 3 + [False] * 2, [False] * 3 + [True] * 2]
    assert np.array_equal(matrix, before)


def test_groups_as_columns():
    columns = ["LogD", "KSOL", "hERG"]
    assert get_task_group_indices([["hERG", "LogD"], ["KSOL", "hERG"]], columns) == [[2, 0], [1, 2]]
    assert get_task_group_indices([], columns) == []
    with pytest.raises(ConfigError, match="`groups` names 'herg', .* Nearest: 'hERG'"):
        get_task_group_indices([["herg"]], columns)
    with pytest.raises(ConfigError, match="`target_cols` must differ"):
        get_task_group_indices([["a"]], ["a", "a"])
    with pytest.raises(ConfigError, match="must hold lists of names; got the text 'LogD'"):
        get_task_group_indices(["LogD"], columns)
