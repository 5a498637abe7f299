import logging
from types import SimpleNamespace
from typing import get_args

import numpy as np
import pytest

from admet.config import TaskAffinityConfig
from admet.config.task_affinity import ClusteringMethod
from admet.model.chemprop.task_affinity import TaskGrouper
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.estimate import Doubt
from admet.model.chemprop.task_affinity.groups import group_tasks
from admet.model.chemprop.task_affinity.groups.evidence import (
    contrast,
    matrices_of_chance,
    share_of_chance,
)


def estimate(matrix, noise, rng):
    """A measurement of a true matrix with independent noise, and its doubt."""
    n_tasks = len(matrix)
    components = noise / 3 * rng.standard_normal((9, n_tasks, n_tasks))
    components = (components + components.transpose(0, 2, 1)) / np.sqrt(2)
    off = noise * rng.standard_normal((n_tasks, n_tasks))
    measured = matrix + (off + off.T) / np.sqrt(2)
    np.fill_diagonal(measured, 1.0)
    for component in components:
        np.fill_diagonal(component, 0.0)
    measured = np.clip(measured, -1, 1)
    steps = np.full(matrix.shape, 10)
    doubt = Doubt(measured - 1, measured + 1, np.ones(n_tasks), components, n_runs=4)
    return AffinityEstimate(measured, steps, 10, np.full(matrix.shape, 100), doubt)


def planted(sizes):
    label = np.repeat(np.arange(len(sizes)), sizes)
    return np.where(label[:, None] == label, 0.6, -0.2)


def config(method="agglomerative", n_groups="auto"):
    return TaskAffinityConfig(clustering_method=method, n_groups=n_groups)


def names(n):
    return [f"T{i}" for i in range(n)]


@pytest.mark.parametrize("n_groups", [3, "auto"])
@pytest.mark.parametrize("method", get_args(ClusteringMethod))
def test_noise_is_no_evidence_and_planted_groups_are(method, n_groups, caplog):
    rng = np.random.default_rng(0)
    claimed = 0
    for _ in range(4):
        noise = estimate(np.zeros((7, 7)), 0.1, rng)
        claimed += group_tasks(noise, names(7), config(method, n_groups)).is_told_from_chance
    assert claimed == 0  # one in twenty by its level
    assert "No evidence for these groups; a grouping cannot be told from chance" in caplog.text
    assert "stable" not in caplog.text
    clear = estimate(planted([3, 2, 2]), 0.03, rng)
    with caplog.at_level(logging.INFO):
        found = group_tasks(clear, names(7), config(method, n_groups))
    assert found.is_told_from_chance
    assert "is stable: 1.00" in caplog.text


@pytest.mark.parametrize("n_groups", [1, 2, "auto"])
@pytest.mark.parametrize("method", get_args(ClusteringMethod))
def test_two_tasks_have_nothing_to_disagree_on(method, n_groups, caplog):
    found = estimate(planted([2]), 0.05, np.random.default_rng(0))
    with caplog.at_level(logging.INFO):
        grouping = group_tasks(found, names(2), config(method, n_groups))
    assert grouping.co_assignment is None
    assert np.isnan(grouping.agreement)
    assert np.isnan(grouping.stability).all()
    assert "stable" not in caplog.text


@pytest.mark.parametrize("method", get_args(ClusteringMethod))
def test_the_only_grouping_there_is_claims_nothing(method):
    found = estimate(planted([3, 2]), 0.05, np.random.default_rng(0))
    assert group_tasks(found, names(5), config(method, 1)).co_assignment is None
    alone = group_tasks(found, names(5), config(method, 5))
    assert (alone.co_assignment is None) == (method != "network_selection")


@pytest.mark.parametrize("n_groups", [2, "auto"])
def test_a_matrix_without_a_known_pair_is_no_evidence(n_groups, caplog):
    matrix = np.full((5, 5), np.nan)
    np.fill_diagonal(matrix, 1.0)
    doubt = Doubt(matrix, matrix, np.ones(5), np.zeros((9, 5, 5)), n_runs=4)
    known = SimpleNamespace(
        matrix=matrix,
        strength=matrix,
        either_sign=False,
        doubt=doubt,
        n_common=np.full((5, 5), 9),
        pair_steps=np.zeros((5, 5)),
        meter=None,
    )
    grouping = group_tasks(known, names(5), config(n_groups=n_groups))
    assert not grouping.is_told_from_chance
    assert "No evidence for these groups" in caplog.text
    assert "stable" not in caplog.text


def test_draws_choose_one_group_or_single_tasks_anew():
    """Where no cut has a positive silhouette the sign of the mean decides, in every draw too."""
    alike = np.full((3, 3), 0.02)
    np.fill_diagonal(alike, 1.0)
    against = np.where(np.eye(3, dtype=bool), 1.0, -alike)
    grouper = TaskGrouper("auto")
    assert grouper.cluster(alike, names(3), [alike, against] * 10) == [names(3)]
    assert grouper.agreement == 0.0


def test_contrast_and_its_share_of_chance():
    matrix = np.array([[1, 0.8, 0.1], [0.8, 1, 0.3], [0.1, 0.3, 1]])
    assert contrast(matrix, np.array([0, 0, 1])) == pytest.approx(0.6)
    assert np.isnan(contrast(matrix, np.array([0, 0, 0])))
    assert np.isnan(contrast(matrix, np.array([0, 1, 2])))
    labels = np.array([0, 0, 1])
    weak = np.array([[1, 0.5, 0.1], [0.5, 1, 0.3], [0.1, 0.3, 1]])
    assert share_of_chance(0.6, [(weak, labels)] * 19 + [(matrix, labels)]) == 2 / 21
    assert share_of_chance(0.6, [(weak, labels)] * 20) == 1 / 21
    assert np.isnan(share_of_chance(0.6, [(weak, labels)] * 19))
    assert np.isnan(share_of_chance(np.nan, [(weak, labels)] * 20))


def test_matrices_of_chance_have_the_mean_and_the_noise(rng):
    matrix = planted([2, 2])
    draws = [matrix + 0.1 * rng.standard_normal((4, 4)) for _ in range(40)]
    found = list(matrices_of_chance(matrix, draws))
    assert len(found) == 80
    off = ~np.eye(4, dtype=bool)
    noise = (draws[0] - matrix)[off]
    np.testing.assert_allclose(found[0][off], matrix[off].mean() + noise)
    np.testing.assert_allclose(found[1][off], matrix[off].mean() - noise)
    assert all(np.array_equal(np.diag(one), np.diag(matrix)) for one in found)


def test_a_task_of_which_nothing_was_seen_is_in_no_stable_group(rng):
    matrix = np.full((5, 5), 0.1)
    matrix[:2, :2] = matrix[2:4, 2:4] = 0.9
    matrix[4] = matrix[:, 4] = np.nan
    np.fill_diagonal(matrix, 1.0)
    noise = 0.01 * rng.standard_normal((40, 5, 5))
    draws = list(matrix + noise + noise.swapaxes(1, 2))
    grouper = TaskGrouper(3)
    groups = grouper.cluster(matrix, names(5), draws)
    inside = np.array([[name in group for name in names(5)] for group in groups])
    (own,) = [members for members in inside if members[4]]
    assert grouper.agreement < 0.9
    assert grouper.co_assignment[4][own & (np.arange(5) != 4)].max(initial=0.0) < 0.9
    assert grouper.co_assignment[0, 1] > 0.8
