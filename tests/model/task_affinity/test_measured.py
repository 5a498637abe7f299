import logging
import re
from dataclasses import replace

import numpy as np
import pytest

from admet.config import DataConfig, TaskAffinityConfig
from admet.data import build_panel, table_from_frame
from admet.data.demo import make_demo_panel
from admet.data.labels import Labels
from admet.errors import ConfigError, DataError
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.measured import (
    InstrumentMeter,
    _ridge,
    _sets,
    _shares,
)
from admet.model.chemprop.task_affinity.groups import by_gain, group_tasks
from admet.model.frozen import instrument
from admet.model.frozen.instrument import Errors, Instrument, leading
from admet.model.inputs import vectors

COLUMNS = ["LogD", "KSOL", "PAMPA", "hERG"]


def panel_of(n=300, columns=COLUMNS, seed=2):
    frame = make_demo_panel(n, seed=seed)
    return build_panel(table_from_frame(frame), DataConfig(target_columns=columns))


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(instrument, "_STEPS", 30)


def test_sets_hold_every_pair_and_all_together():
    sets = _sets(6, 0)
    assert {(i, j) for i in range(6) for j in range(i + 1, 6)} <= set(sets)
    assert (0, 1, 2, 3, 4, 5) in sets
    assert len(sets) == len(set(sets))
    assert _sets(1, 0) == []
    assert _sets(2, 0) == [(0, 1)]
    many = _sets(40, 0)
    assert 400 < len(many) < 500
    assert all(2 <= len(own) <= 20 for own in many[:-1])


def test_shares_are_those_that_were_put_in():
    """Gains that add up over who is there are read off exactly, but for the penalty."""
    rng = np.random.default_rng(0)
    true = rng.normal(size=(5, 5)) / 20
    np.fill_diagonal(true, 0)
    sets = _sets(5, 1)
    counts = np.full((3, 5), 10)
    sums = {}
    for own in [*sets, *((t,) for t in range(5))]:
        errors = np.full((3, 5), np.nan)
        for target in own:
            errors[:, target] = 10 * (1 - sum(true[s, target] for s in own if s != target))
        sums[own] = errors
    found = _shares(Errors(sums, counts), sets, np.ones(3, bool))
    np.testing.assert_allclose(found, true, atol=2e-3)


def test_the_penalty_follows_the_noise():
    rng = np.random.default_rng(0)
    A = rng.integers(0, 2, size=(60, 8)).astype(float)
    clean = A @ np.arange(8.0)
    np.testing.assert_allclose(_ridge(A, clean), np.arange(8.0), atol=0.01)
    assert np.abs(_ridge(A, rng.normal(size=60))).max() < 0.5


def test_leading_directions_keep_what_varies():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 2)) @ rng.normal(size=(2, 10))
    found = leading(X, 4)
    assert found.shape == (50, 4)
    assert found[:, 2:].std() < 1e-3 * found[:, :2].std()
    X[3, 0] = np.nan
    assert np.isfinite(leading(X, 4)).all()


def test_company_of_the_same_property_helps_and_that_of_noise_does_not(quick, monkeypatch):
    monkeypatch.setattr(instrument, "_STEPS", 150)
    panel = panel_of(600)
    labels = panel.labels.values.copy()
    rng = np.random.default_rng(0)
    labels[:, 1] = labels[:, 0] + 0.1 * rng.normal(size=len(labels))
    labels[rng.random(len(labels)) < 0.8, 0] = np.nan  # a small task and its large sister
    labels[:, 2] = rng.normal(size=len(labels))
    panel = replace(panel, labels=Labels(labels))
    measured = Instrument.of(vectors(["rdkit"], panel.smiles), panel, 1)
    errors = measured.errors([(0,), (0, 1), (0, 2)])
    alone, sister, noise = (errors.of(own)[0] for own in [(0,), (0, 1), (0, 2)])
    assert sister < 0.95 * alone
    assert sister < noise


def test_a_set_is_measured_once_and_the_same_beside_others(quick):
    panel = panel_of(150)
    X = np.random.default_rng(0).normal(size=(len(panel), 5))
    first = Instrument.of(X, panel, 1)
    a = first.errors([(0, 1)]).of((0, 1))
    again = first.errors([(0, 1), (2,)])
    np.testing.assert_array_equal(again.of((0, 1)), a)
    assert np.isnan(a[2])
    assert (a[[0, 1]] > 0).all()


def computer(**keys):
    config = {"estimator": "measured", "inputs": ["rdkit"], "log_affinity_matrix": False}
    return TaskAffinityComputer(TaskAffinityConfig(**(config | keys)))


def test_the_matrix_is_directed_bounded_and_the_same_for_one_seed(quick):
    panel = panel_of(150)
    one, two = (computer(seed=3).compute(panel) for _ in range(2))
    np.testing.assert_array_equal(one.matrix, two.matrix)
    assert np.abs(one.matrix).max() == 1
    assert (one.matrix.diagonal() == 1).all()
    assert not np.allclose(one.matrix, one.matrix.T)
    assert (one.doubt.low <= one.matrix).all()
    assert (one.matrix <= one.doubt.high).all()


def test_a_network_of_ones_own_has_no_molecules_to_measure():
    import torch

    loader = [(torch.randn(8, 3), torch.randn(8, 2), torch.ones(8, 2, dtype=torch.bool))]

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.head = torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)

        def forward(self, x):
            return self.head(self.encoder(x))

    with pytest.raises(ConfigError, match="measured reads molecules"):
        computer().compute_from_loader(Net, loader, ["A", "B"])


class Meter:
    """Errors that a test says, by the number of groups."""

    test_share = 1 / 3

    def __init__(self, errors, noise=0.001):
        self.errors = errors
        self.rng = np.random.default_rng(0)
        self.noise = noise

    def relative_errors(self, plan, form="networks"):
        key = len(plan) if form == "networks" else (form, len(plan))
        return self.errors.get(key, 1.1) + self.noise * self.rng.standard_normal(6)


@pytest.mark.parametrize(
    ("errors", "groups", "answer", "how"),
    [
        ({1: 0.9, 2: 0.95, 3: 0.95, 4: 1.0}, 1, "together", "multi_task"),
        ({1: 1.2, 2: 0.95, 3: 1.1, 4: 1.0}, 2, "2 groups", "share_encoder: false"),
        ({1: 1.2, 2: 1.1, 3: 1.1, 4: 1.0}, 4, "each alone", "single_task"),
        ({1: 1.0, 2: 1.0, 3: 1.0, 4: 1.0}, 1, "no difference", "multi_task"),
        ({1: 1.2, 2: 1.1, 3: 1.1, 4: 1.0, ("heads", 4): 0.8}, 4, "own heads", "encoder: true"),
        ({1: 1.2, 2: 0.95, 3: 1.1, 4: 1.0, ("heads", 2): 0.8}, 2, "2 heads", "encoder: true"),
        (
            {1: 1.2, 2: 0.95, 3: 1.1, 4: 1.0, ("partners", 4): 0.8},
            2, "each with partners", "frozen_partners",
        ),
        ({1: 0.9, 4: 1.0, ("heads", 4): 0.899, ("partners", 4): 0.898}, 1, "together", "multi"),
    ],
)  # fmt: skip
def test_auto_answers_as_measured(errors, groups, answer, how, caplog):
    rng = np.random.default_rng(0)
    matrix = np.eye(4)
    matrix[0, 1] = matrix[1, 0] = matrix[2, 3] = matrix[3, 2] = 0.5
    noise = 0.0 if answer == "no difference" else 0.001
    meter = Meter(errors, noise)
    counts = rng.integers(5, 9, size=(4, 4))
    steps = np.ones((4, 4), dtype=int)
    estimate = AffinityEstimate(matrix, steps, 1, counts, meter=meter)
    config = TaskAffinityConfig(n_groups="auto", estimator="measured")
    with caplog.at_level(logging.INFO):
        found = group_tasks(estimate, COLUMNS, config)
    assert len(found.groups) == groups
    assert f"Answer: {answer}" in caplog.text
    assert re.search(f"To train it: .*{how}", caplog.text)
    assert "random groups of the same sizes" in caplog.text


def test_heads_that_would_be_too_many_are_not_measured(monkeypatch, caplog):
    monkeypatch.setattr(by_gain, "_MOST_HEADS", 3)
    meter = Meter({1: 1.2, 2: 0.95, 3: 1.1, 4: 1.0, ("heads", 4): 0.1})
    matrix, ones = np.eye(4), np.ones((4, 4), dtype=int)
    matrix[0, 1] = matrix[1, 0] = 0.5
    estimate = AffinityEstimate(matrix, ones, 1, ones, meter=meter)
    with caplog.at_level(logging.INFO):
        group_tasks(estimate, COLUMNS, TaskAffinityConfig(n_groups="auto", estimator="measured"))
    assert "own heads" not in caplog.text
    assert "2 heads" in caplog.text


def test_heads_share_a_layer_and_their_errors_are_those_of_their_tasks(quick):
    panel = panel_of(150)
    own = Instrument.of(vectors(["rdkit"], panel.smiles), panel, 0)
    alone = [(task,) for task in range(len(COLUMNS))]
    heads, apart = own.heads(alone), own.errors(alone).of_plan(alone)
    assert heads.shape == apart.shape
    assert (heads > 0).all()
    assert not np.allclose(heads, apart)
    np.testing.assert_array_equal(heads, own.heads(alone))
    # With one head there is nothing to share: it is the network of all tasks.
    every = (tuple(range(len(COLUMNS))),)
    np.testing.assert_allclose(own.heads(every), own.errors(every).of_plan(every), rtol=1e-6)


def test_the_network_of_a_task_with_partners_serves_that_task(quick):
    panel = panel_of(150)
    meter = InstrumentMeter(Instrument.of(vectors(["rdkit"], panel.smiles), panel, 0))
    alone = [(task,) for task in range(len(COLUMNS))]
    np.testing.assert_allclose(
        meter.relative_errors(alone, "partners"), meter.relative_errors(alone)
    )
    every = [tuple(range(len(COLUMNS)))]
    np.testing.assert_allclose(
        meter.relative_errors(every * len(COLUMNS), "partners"), meter.relative_errors(every)
    )


def test_a_task_that_no_fold_can_learn_is_named_before_any_training(monkeypatch):
    panel = panel_of(150)
    labels = panel.labels.values.copy()
    labels[2:, 0] = np.nan  # two labels cannot be in every fold's training side
    few = replace(panel, labels=Labels(labels))
    monkeypatch.setattr(Instrument, "errors", None)
    with pytest.raises(DataError, match=r"needs 3 folds by scaffold: .*LogD.* Take another"):
        Instrument.of(np.ones((150, 2)), few, 1)._splits  # noqa: B018


def test_inputs_are_kept_only_where_somebody_asks(quick, tmp_path, monkeypatch):
    monkeypatch.setenv("ADMET_CACHE_DIR", str(tmp_path / "nobody"))
    monkeypatch.setattr("admet.featurize.cache._WORTH_KEEPING", 10)
    config = TaskAffinityConfig(estimator="measured", inputs=["rdkit"], log_affinity_matrix=False)
    panel = panel_of(150)
    TaskAffinityComputer(config).compute(panel)
    assert not (tmp_path / "nobody").exists()
    TaskAffinityComputer(config, cache=tmp_path / "kept").compute(panel)
    assert list((tmp_path / "kept").rglob("*.bin"))


@pytest.mark.usefixtures("quick")
def test_one_task_has_nobody_to_be_measured_with():
    config = TaskAffinityConfig(estimator="measured", inputs=["rdkit"], log_affinity_matrix=False)
    found = TaskAffinityComputer(config).compute(panel_of(columns=["LogD"]))
    assert found.matrix.tolist() == [[1.0]]
