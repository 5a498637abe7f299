"""Fits in memory: the same model as a run, and a caller whose surroundings stay as they were."""

import random
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest
import torch

from admet.config import TrainConfig
from admet.data import build_panel, folds, split_panel, table_from_frame
from admet.data.demo import make_demo_panel
from admet.errors import ConfigError
from admet.featurize import featurize
from admet.model.chemprop.plan import Arm, NetworkPlan, Plan, disjoint
from admet.training import train
from admet.training.arms import ARMS, arm_of, plan_of
from admet.training.fit_model import fit_model

TASKS = ("LogD", "hERG", "PAMPA")
SMALL = {"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16, "num_layers": 1}}


def config_for(**sections):
    keys = {
        "data": {"target_columns": TASKS, "split_type": "random", "cache": False},
        "model": SMALL,
        "training": {"epochs": 2, "warmup_epochs": 1},
    }
    for name, value in sections.items():
        keys[name] = keys.get(name, {}) | value if isinstance(value, dict) else value
    return TrainConfig(**keys)


@pytest.fixture(scope="module")
def panel():
    return build_panel(table_from_frame(make_demo_panel(120)), config_for().data)


@pytest.fixture(scope="module")
def graphs(panel):
    return featurize(panel.smiles)


def fitted(panel, graphs, config):
    split = split_panel(panel, config.data, config.seed)
    return fit_model(panel, split, graphs, config, plan_of(config, panel.task_names))


@pytest.mark.parametrize("groups", ["multi_task", "single_task", [["LogD", "PAMPA"], ["hERG"]]])
def test_a_fit_in_memory_is_the_run(panel, graphs, tmp_path, groups):
    table = tmp_path / "panel.csv"
    make_demo_panel(120).to_csv(table, index=False)
    config = config_for(model={"groups": groups}, data_path=table, save_dir=tmp_path / "run")
    ours, run = fitted(panel, graphs, config), train(config)
    assert ours.spec == run.spec
    assert ours.run_dir is None
    a, b = ours.predictor.weights(), run.predictor.weights()
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert len(ours.history) == 2 * len(ours.spec.plan.networks)
    molecules = ["CCO", "c1ccccc1C(=O)NC", "nonsense"]
    pd.testing.assert_frame_equal(ours.predict(molecules), run.predict(molecules))


def test_a_fit_leaves_no_trace(panel, graphs, tmp_path, monkeypatch):
    """Neither in the folder, nor in the temporary one, nor in threads and random states."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002 - the state that a caller may use
    expected = torch.rand(3), random.random(), np.random.random(3)  # noqa: NPY002
    torch.manual_seed(5)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    threads = torch.get_num_threads()
    fitted(panel, graphs, config_for(training={"threads": threads + 1}))
    assert torch.get_num_threads() == threads
    found = torch.rand(3), random.random(), np.random.random(3)  # noqa: NPY002
    assert torch.equal(found[0], expected[0])
    assert found[1] == expected[1]
    assert np.array_equal(found[2], expected[2])
    assert torch.is_grad_enabled()
    assert list(Path(tmp_path).iterdir()) == []


@pytest.mark.slow
def test_a_run_with_threads_leaves_the_next_its_own(tmp_path):
    table = tmp_path / "panel.csv"
    make_demo_panel(120).to_csv(table, index=False)
    threads = torch.get_num_threads()
    state = torch.get_rng_state()
    train(
        config_for(
            data_path=table,
            save_dir=tmp_path / "run",
            training={"threads": threads + 1},
            task_affinity={"enabled": True, "n_groups": 2},
        )
    )
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_folds_are_fits_of_one_panel(panel, graphs):
    """What a study does: several fits on the folds of a panel that was read once."""
    config = config_for()
    plan = plan_of(config, panel.task_names)
    found = folds(panel, "random", n_folds=3)
    models = [fit_model(panel, split, graphs, config, plan) for split in found]
    means = {tuple(task.mean for task in model.spec.tasks) for model in models}
    assert len(means) == 3  # each scales its targets by its own training side
    for model, split in zip(models, found, strict=True):
        predicted = model.predictor.predict_graphs(graphs, split.test)
        assert predicted.mean.shape == (len(split.test), 3)
        assert predicted.spread is None


def test_a_plan_of_some_tasks_is_fitted_to_them(panel, graphs):
    config = config_for()
    split = split_panel(panel, config.data, 0)
    plan = Plan.of("manual_groups", disjoint([["PAMPA"]]), ["PAMPA"], share_encoder=True)
    model = fit_model(panel, split, graphs, config, plan)
    assert model.task_names == ["PAMPA"]
    assert list(model.predict("CCO").columns) == ["SMILES", "PAMPA_pred", "reason"]


def test_what_does_not_fit_the_panel_is_refused(panel, graphs):
    config = config_for()
    split = split_panel(panel, config.data, 0)
    strange = Plan.of("multi_task", disjoint([["LogD", "Papp"]]), ["LogD", "Papp"],
                      share_encoder=True)  # fmt: skip
    with pytest.raises(ConfigError, match="`plan` names 'Papp', which the panel does not have"):
        fit_model(panel, split, graphs, config, strange)
    few = graphs.subset(np.arange(10))
    with pytest.raises(ConfigError, match=r"`graphs` must be those of the panel's 1\d\d molecules"):
        fit_model(panel, split, few, config, plan_of(config, panel.task_names))


def test_the_table_of_arms_holds_all_but_the_measured_one():
    assert {*ARMS, "task_affinity"} == set(get_args(Arm))


def test_every_arm_that_needs_no_affinity_has_its_groups():
    for groups, arm in (
        ("multi_task", "multi_task"),
        ("single_task", "single_task"),
        ([["LogD"], ["hERG", "PAMPA"]], "manual_groups"),
    ):
        config = config_for(model={"groups": groups})
        assert arm_of(config) == arm
        assert arm in ARMS
        plan = plan_of(config, TASKS)
        assert plan.arm == arm
        assert len(plan.networks) == (3 if groups == "single_task" else 1)
    assert plan.networks == (NetworkPlan.of(disjoint([["LogD"], ["hERG", "PAMPA"]]), TASKS),)
