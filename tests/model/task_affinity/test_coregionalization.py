"""The estimator that correlates structure–activity relationships."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch

from admet.config import NetworkConfig, TaskAffinityConfig
from admet.data import Panel
from admet.errors import ConfigError, NoGradientStepsError
from admet.featurize import featurize
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators import coregionalization as module
from admet.model.chemprop.task_affinity.estimators.coregionalization import (
    CoregionalizationAffinity,
)
from admet.model.chemprop.task_affinity.estimators.pair_sums import PARTS, pair_sums
from admet.model.chemprop.task_affinity.groups import group_tasks
from admet.model.chemprop.task_affinity.problems import MoleculeProblem
from admet.model.inputs import vectors

CPU = torch.device("cpu")
CHAINS = ["C" * n for n in range(1, 12)]
ENDS = ["O", "N", "Cl", "C(=O)O", "c1ccccc1", "c1ccncc1", "C#N", "S(=O)(=O)C", "OC", "F"]
SMILES = [chain + end for chain in CHAINS for end in ENDS]


def kernel(counts: np.ndarray) -> np.ndarray:
    """The similarity as its definition says."""
    capped = np.minimum(counts, 4)
    low = np.minimum(capped[:, None], capped[None]).sum(axis=2)
    high = np.maximum(capped[:, None], capped[None]).sum(axis=2)
    return low / high


@pytest.fixture(scope="module")
def counts() -> np.ndarray:
    return vectors(["morgan"], SMILES)


def functions(counts: np.ndarray, seed: int, correlation: float) -> np.ndarray:
    """Draws two functions of the structure with a correlation, shape (n, 2)."""
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(kernel(counts) + 1e-6 * np.eye(len(counts)))
    a, b = root @ rng.standard_normal((2, len(counts), 1))
    return np.hstack([a, correlation * a + np.sqrt(1 - correlation**2) * b])


def panel_of(values: np.ndarray, smiles: list[str] = SMILES) -> pd.DataFrame:
    columns = {f"task {i}": values[:, i] for i in range(values.shape[1])}
    return pd.DataFrame({"SMILES": smiles} | columns)


def estimated(frame: pd.DataFrame, seed: int = 0) -> AffinityEstimate:
    from admet.model.chemprop.task_affinity.frames import panel_from_frame

    panel: Panel = panel_from_frame(frame, "SMILES", [c for c in frame if c != "SMILES"])
    problem = MoleculeProblem.of(panel, featurize(panel.smiles), NetworkConfig(), CPU)
    return CoregionalizationAffinity().estimate(problem, TaskAffinityConfig(seed=seed))


def standardised(values: np.ndarray) -> np.ndarray:
    return (values - np.nanmean(values, axis=0)) / np.nanstd(values, axis=0)


def with_gaps(values: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(values.shape) < 0.4, np.nan, values)


def test_the_slope_is_that_of_a_regression_over_all_pairs(counts: np.ndarray):
    y = standardised(with_gaps(np.random.default_rng(1).standard_normal((len(counts), 3)), 2))
    whole, left_out = pair_sums(counts, y, 0, CPU)
    k = kernel(counts)

    def slopes(rows: np.ndarray) -> np.ndarray:
        found = np.zeros((3, 3))
        for a, b in itertools.product(range(3), repeat=2):
            pairs = [
                (k[i, j], y[i, a] * y[j, b])
                for i, j in itertools.permutations(rows.tolist(), 2)
                if np.isfinite(y[i, a]) and np.isfinite(y[j, b])
            ]
            found[a, b] = np.polyfit(*np.array(pairs).T, 1)[0]
        return found

    np.testing.assert_allclose(whole.slope, slopes(np.arange(len(y))), atol=2e-4)
    part = np.random.default_rng(0).permutation(len(y)) % PARTS
    for number in (0, PARTS - 1):
        np.testing.assert_allclose(
            left_out[number].slope, slopes(np.flatnonzero(part != number)), atol=2e-4
        )


@pytest.mark.parametrize("true", [0.9, -0.9, 0.0])
def test_it_finds_a_correlation_of_functions_without_a_shared_molecule(
    counts: np.ndarray, true: float
):
    found = []
    for seed in range(12):
        values = functions(counts, seed, true)
        values += 0.5 * np.random.default_rng(seed).standard_normal(values.shape)
        first = np.random.default_rng(seed).permutation(len(values)) % 2 == 0
        values[first, 0], values[~first, 1] = np.nan, np.nan
        found.append(estimated(panel_of(values)).matrix[0, 1])
    assert np.nanmean(found) == pytest.approx(true, abs=0.25)


def test_noise_that_two_assays_share_is_no_affinity(counts: np.ndarray):
    own = np.random.default_rng(3)
    values = np.hstack([functions(counts, 4, 0.0)[:, :1], functions(counts, 5, 0.0)[:, :1]])
    apart = estimated(panel_of(values)).matrix[0, 1]
    common = own.standard_normal((len(values), 1))
    noisy = values + 1.0 * common
    assert np.corrcoef(noisy.T)[0, 1] > 0.4
    assert abs(estimated(panel_of(noisy)).matrix[0, 1] - apart) < 0.35


def test_neither_scale_nor_order_matters_and_a_sign_turns_the_sign(counts: np.ndarray):
    values = with_gaps(functions(counts, 6, 0.7), 7)
    matrix = estimated(panel_of(values)).matrix
    scaled = estimated(panel_of(values * [3.0, 0.1] + [5.0, -2.0])).matrix
    turned = estimated(panel_of(values * [1.0, -1.0])).matrix
    order = np.random.default_rng(8).permutation(len(values))
    shuffled = estimated(panel_of(values[order], [SMILES[i] for i in order])).matrix
    np.testing.assert_allclose(scaled, matrix, atol=1e-3)
    np.testing.assert_allclose(shuffled, matrix, atol=1e-3)
    assert turned[0, 1] == pytest.approx(-matrix[0, 1], abs=1e-3)


def test_another_seed_changes_the_doubt_only(counts: np.ndarray):
    frame = panel_of(functions(counts, 9, 0.5))
    one, other = estimated(frame, 1), estimated(frame, 2)
    np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-4)
    assert one.doubt is not None
    assert other.doubt is not None
    assert not np.allclose(one.doubt.low, other.doubt.low)


def test_intervals_hold_what_other_molecules_give(counts: np.ndarray):
    held = []
    for seed in range(30):
        values = functions(counts, 100 + seed, 0.5)
        half = np.random.default_rng(seed).permutation(len(values)) % 2 == 0
        doubt = estimated(panel_of(np.where(half[:, None], values, np.nan))).doubt
        other = estimated(panel_of(np.where(half[:, None], np.nan, values))).matrix[0, 1]
        assert doubt is not None
        if np.isfinite(doubt.low[0, 1]) and np.isfinite(other):
            held.append(doubt.low[0, 1] <= other <= doubt.high[0, 1])
    assert len(held) > 20
    # The other half is as uncertain, so that √2 as much lies between: 95 % become 86 %.
    assert np.mean(held) > 0.7


def test_a_task_that_structure_does_not_explain_is_unknown_or_doubtful(counts: np.ndarray):
    rng = np.random.default_rng(10)
    values = np.hstack([functions(counts, 11, 0.5), rng.standard_normal((len(counts), 1))])
    found = estimated(panel_of(values))
    assert found.doubt is not None
    assert found.doubt.too_few_labels().tolist() == [False, False, True]


def test_a_task_whose_neighbours_differ_most_is_doubtful(counts: np.ndarray):
    rest = np.repeat((-1.0) ** np.arange(len(CHAINS)), len(ENDS))[:, None]
    values = np.hstack([functions(counts, 12, 0.5), rest])
    found = estimated(panel_of(values))
    assert found.doubt is not None
    assert np.isfinite(found.matrix).all()
    assert found.doubt.reliability[2] == 0
    assert found.doubt.too_few_labels().tolist() == [False, False, True]


def test_opposed_tasks_are_grouped_like_tasks_that_agree(counts: np.ndarray):
    near = functions(counts, 13, 0.9)
    far = functions(counts, 14, 0.9)
    frame = panel_of(np.hstack([near * [1, -1], far]))
    found = estimated(frame)
    assert found.matrix[0, 1] < -0.5
    names = [f"task {i}" for i in range(4)]
    grouping = group_tasks(found, names, TaskAffinityConfig(n_groups=2))
    assert [list(part.tasks) for part in grouping.groups] == [names[:2], names[2:]]


def test_a_large_panel_keeps_the_labels_of_small_tasks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MOST", 50)
    present = np.zeros((1000, 2), dtype=bool)
    present[:, 0] = True
    present[[3, 500, 999], 1] = True
    rows = module._chosen(present, 0)
    assert len(rows) <= 50
    assert {3, 500, 999} <= set(rows.tolist())
    assert (np.diff(rows) > 0).all()
    monkeypatch.setattr(module, "_MOST", 1000)
    assert module._chosen(present, 0).tolist() == list(range(1000))


def test_no_label_at_all_is_said():
    frame = panel_of(np.full((len(SMILES), 2), np.nan))
    with pytest.raises(NoGradientStepsError, match="all target values are missing"):
        estimated(frame)


@pytest.mark.parametrize(
    ("keys", "used"),
    [
        ({}, "coregionalization"),
        ({"n_groups": 2, "seed": 7}, "coregionalization"),
        ({"affinity_epochs": 1, "affinity_type": "cosine"}, "coregionalization"),  # the defaults
        ({"affinity_epochs": 2}, "residual"),
        ({"encoder_param_patterns": ["message"]}, "residual"),
        ({"estimator": "coregionalization", "affinity_epochs": 2}, "coregionalization"),
    ],
)
def test_auto_takes_gradients_where_their_keys_are_set(keys: dict[str, object], used: str):
    config = TaskAffinityConfig.model_validate(keys)
    assert config.measured_by == used
    assert type(TaskAffinityComputer(config).estimator).__name__.lower().startswith(used)


def test_a_loader_has_no_molecules():
    config = TaskAffinityConfig(estimator="coregionalization")
    computer = TaskAffinityComputer(config)
    with pytest.raises(ConfigError, match="Take residual"):
        computer.compute_from_loader(torch.nn.Module(), [], ["a"])


@pytest.mark.parametrize(("n", "known"), [(5, False), (6, True)])
def test_tasks_of_a_handful_of_labels_are_unknown_and_no_group_is_sure_of_them(counts, n, known):
    values = functions(counts, 0, 0.8)
    few = np.full((len(values), 1), np.nan)
    few[:n, 0] = np.random.default_rng(1).normal(size=n)
    found = estimated(panel_of(np.hstack([values, few])))
    assert np.isfinite(found.matrix[0, 2]) == known
    assert np.isfinite(found.matrix[0, 1])
    assert found.matrix[2, 2] == 1
    assert (found.pair_steps[0, 2] > 0) == known
    assert "fewer than 6 labels" in found.unknown
