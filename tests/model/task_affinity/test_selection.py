import itertools

import numpy as np
import pytest

from admet.model.chemprop.task_affinity import TaskGrouper
from admet.model.chemprop.task_affinity.groups import selection
from admet.model.chemprop.task_affinity.groups.selection import select_groups, upper_bound

# The affinities that Google published for Taskonomy with Fifty et al. (NeurIPS 2021), rows the
# receiving task: s, d, n, k, t = segmentation, depth, normals, keypoints, edges.
TASKONOMY = {
    "s": {"d": 0.11537429894122785, "n": 0.04891036220837213, "k": 0.00454724706606927,
          "t": 0.008776140044461892},
    "d": {"s": 0.41355850961858076, "n": 0.2914147606289435, "k": 0.01353652075974951,
          "t": 0.07395688217092156},
    "n": {"s": 0.13982367687578146, "d": 0.22096194178241185, "k": 0.010493772045577332,
          "t": 0.07645966827511533},
    "k": {"s": 0.021098526716001414, "d": 0.013365983131803236, "n": 0.010729013557423,
          "t": 0.6897358940641894},
    "t": {"s": 0.056692022190245474, "d": 0.03668338077695892, "n": 0.03600666458561003,
          "k": 0.30372134710544996},
}  # fmt: skip
NAMES = list(TASKONOMY)


def taskonomy():
    """Our way round: entry [i, j] is what training on i does to j."""
    return np.array([[TASKONOMY[j].get(i, 0.0) for j in NAMES] for i in NAMES])


def brute_force(affinity, k, single):
    """Every choice of at most k groups, each task served by its best."""
    n = len(affinity)
    groups = [g for size in range(1, n + 1) for g in itertools.combinations(range(n), size)]

    def score(j, group):
        others = [i for i in group if i != j]
        return np.mean([affinity[i, j] for i in others]) if others else single

    best = -np.inf
    for chosen in itertools.combinations(groups, min(k, n)):
        served = [[score(j, g) for g in chosen if j in g] for j in range(n)]
        if all(served):
            best = max(best, np.mean([max(s) for s in served]))
    return best


@pytest.mark.parametrize(
    ("k", "groups", "objective"),
    [
        (2, [{"s", "d", "n"}, {"k", "t"}], 0.321696),
        (3, [{"s", "d"}, {"d", "n"}, {"k", "t"}], 0.348670),
        (4, [{"s", "d"}, {"d", "n"}, {"k", "t"}], 0.348670),
    ],
)
def test_the_published_matrix_gives_the_published_groups(k, groups, objective):
    grouper = TaskGrouper(n_groups=k, method="network_selection", singleton_score=-1e6)
    found = grouper.cluster(taskonomy(), NAMES)
    assert {frozenset(g) for g in found} == {frozenset(g) for g in groups}
    assert grouper.objective == pytest.approx(objective, abs=5e-7)
    assert grouper.bound == grouper.objective
    for name, index in grouper.serves.items():
        assert name in found[index]


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("single", [-1.0, 0.0, 0.3])
def test_the_exact_search_is_exact_and_the_bound_holds(k, single, rng):
    affinity = rng.uniform(-0.5, 0.8, (4, 4))
    best = brute_force(affinity, k, single)
    chosen = select_groups(affinity, k, single)
    assert chosen.objective == pytest.approx(best)
    assert upper_bound(affinity, k, single) >= best - 1e-9
    assert len(chosen.groups) <= k


@pytest.mark.parametrize("k", [2, 4])
def test_local_search_comes_near_the_exact_search(k, rng, monkeypatch):
    block = np.kron(np.eye(3), np.full((4, 4), 0.5)) + 0.1 * rng.standard_normal((12, 12))
    exact = select_groups(block, k, 0.0)
    monkeypatch.setattr(selection, "EXACT_UP_TO", 3)
    near = select_groups(block, k, 0.0)
    assert near.objective >= 0.98 * exact.objective
    assert near.objective <= exact.objective + 1e-9 <= near.bound + 2e-9
    assert near == select_groups(block, k, 0.0)


def test_many_tasks_come_with_a_bound():
    rng = np.random.default_rng(1)
    planted = np.arange(24) % 4
    affinity = np.where(planted[:, None] == planted, 0.6, 0.0) + 0.02 * rng.standard_normal(
        (24, 24)
    )
    grouper = TaskGrouper(4, "network_selection", singleton_score=0.0)
    groups = grouper.cluster(affinity, [str(i) for i in range(24)])
    served = {name: {int(other) % 4 for other in groups[g]} for name, g in grouper.serves.items()}
    assert all(sets == {int(name) % 4} for name, sets in served.items())
    assert grouper.objective <= grouper.bound < 1.1 * grouper.objective


def test_a_task_that_nobody_helps_stands_alone():
    affinity = np.full((3, 3), -0.4)
    affinity[0, 1] = affinity[1, 0] = 0.5
    grouper = TaskGrouper(3, "network_selection")
    assert grouper.cluster(affinity, ["a", "b", "c"]) == [["a", "b"], ["c"]]
    assert grouper.objective == pytest.approx(1 / 3)


def test_clustering_states_its_objective_too():
    grouper = TaskGrouper(2)
    groups = grouper.cluster(taskonomy(), NAMES)
    exact = TaskGrouper(2, "network_selection")
    exact.cluster(taskonomy(), NAMES)
    assert grouper.serves == {name: i for i, group in enumerate(groups) for name in group}
    assert grouper.objective <= exact.objective + 1e-12
