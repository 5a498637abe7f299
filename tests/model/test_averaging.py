"""The mean of weights, and trainings that are judged by it."""

import numpy as np
import pytest
import torch
from torch import nn

from admet.config import TrainConfig
from admet.config.averaging import AveragingConfig
from admet.config.frozen import FrozenMLPConfig
from admet.config.study import StudyRun
from admet.data import Labels, Panel, Task, build_panel, split_panel, table_from_frame
from admet.data.demo import make_demo_panel
from admet.featurize import featurize
from admet.kinds import kind_of
from admet.model.averaging import WeightAverage, averaged
from admet.model.chemprop.plan import NetworkPlan
from admet.model.frozen.fit_mlp import MLPJob, fit_mlps
from admet.study.folder import identity_of
from admet.training import callbacks
from admet.training.arms import plan_of
from admet.training.fit_model import fit_model

EMA, SWA = {"weight_averaging": "ema"}, {"weight_averaging": "swa"}


def walk(config, n_epochs=4, n_steps=3):
    """A weight that takes the values 1, 2, …, and the mean after each epoch."""
    weight = torch.zeros(1)
    mean = WeightAverage({"w": weight}, AveragingConfig(**config), n_epochs)
    found = []
    for epoch in range(n_epochs):
        for _ in range(n_steps):
            weight += 1
            mean.after_step()
        mean.after_epoch(epoch + 1)
        found.append(float(mean.means["w"]))
    assert float(weight) == n_epochs * n_steps  # the training itself is left alone
    return found


def test_a_moving_average_follows_the_steps():
    expected, found = 0.0, []
    for t in range(1, 13):
        decay = min(0.5, (1 + t) / (10 + t))
        expected += (1 - decay) * (t - expected)
        found.append(expected)
    assert walk(EMA | {"ema_decay": 0.5}) == pytest.approx(found[2::3])


def test_the_mean_of_the_last_epochs_begins_where_it_is_told():
    assert walk(SWA | {"swa_start": 0.5}) == [3, 6, 9, pytest.approx((9 + 12) / 2)]
    assert walk(SWA | {"swa_start": 0.0})[-1] == pytest.approx((3 + 6 + 9 + 12) / 4)


def test_a_weight_that_two_layers_share_is_exchanged_once():
    first, second = nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False)
    second.weight = first.weight
    network = nn.Sequential(first, second, nn.BatchNorm1d(2))
    assert WeightAverage.of(network, AveragingConfig(), 1) is None
    mean = WeightAverage.of(network, AveragingConfig(**EMA), 1)
    before = first.weight.detach().clone()
    with torch.no_grad():
        first.weight.add_(1)
    with averaged(mean):
        assert torch.equal(first.weight, before)
    assert torch.equal(first.weight, before + 1)


@pytest.fixture(scope="module")
def panel():
    return build_panel(table_from_frame(make_demo_panel(120)), config_for().data)


def config_for(**training):
    return TrainConfig(
        data={"target_columns": ["LogD", "hERG"], "split_type": "random", "cache": False},
        model={
            "message_passing": {"hidden_size": 16, "batch_norm": True},
            "ffn": {"hidden_size": 16, "num_layers": 1},
        },
        training={"epochs": 4, "warmup_epochs": 1, "learning_rate": 0.02, **training},
    )


def fitted(panel, config):
    split = split_panel(panel, config.data, config.seed)
    plan = plan_of(config, panel.task_names)
    return fit_model(panel, split, featurize(panel.smiles), config, plan)


@pytest.mark.parametrize("keys", [EMA, SWA | {"swa_start": 0.3}])
def test_averaging_changes_what_is_judged_and_kept_but_not_the_training(panel, keys, monkeypatch):
    plain = fitted(panel, config_for())
    judged = []
    keep = callbacks.EpochRecorder.on_train_epoch_end

    def also_look(self, trainer, module):
        keep(self, trainer, module)
        means = {k: v.clone() for k, v in self.mean.means.items()}
        judged.append((self.history[-1]["val_loss"], means))

    monkeypatch.setattr(callbacks.EpochRecorder, "on_train_epoch_end", also_look)
    ours = fitted(panel, config_for(**keys))
    losses = [[row["train_loss"] for row in model.history] for model in (plain, ours)]
    assert losses[0] == losses[1]
    assert [row["val_loss"] for row in plain.history] != [row["val_loss"] for row in ours.history]
    best = min(judged, key=lambda entry: entry[0])[1]
    kept = ours.predictor.weights()
    assert all(torch.equal(kept[f"networks.0.{name}"], mean) for name, mean in best.items())


def test_networks_on_inputs_are_averaged_too():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4)).astype(np.float32)
    y = X[:, :1] + rng.normal(size=(200, 1))
    smiles = np.array([f"{'C' * (i + 1)}O" for i in range(200)], dtype=object)
    noisy = Panel(smiles, Labels(y), (Task("a", kind_of("regression")),), np.arange(200))
    jobs = [MLPJob(NetworkPlan.together(["a"]), np.arange(100), 0)]

    def error(**keys):
        config = FrozenMLPConfig(
            hidden_size=16, epochs=8, batch_size=32, learning_rate=0.02, **keys
        )
        (own,) = fit_mlps(X, noisy, jobs, config)
        return own.predict(X[100:])

    plain, ema, swa = error(), error(**EMA), error(**SWA, swa_start=0.0)
    assert not np.array_equal(plain, ema)
    assert not np.array_equal(ema, swa)
    assert np.corrcoef(plain[:, 0], swa[:, 0])[0, 1] > 0.9


def test_a_study_without_averaging_is_the_study_of_an_earlier_version():
    off, on = (StudyRun(data_path="x.csv", training=keys) for keys in ({}, EMA))
    kept = identity_of(off, "0", {})["config"]
    named = AveragingConfig.model_fields.keys()
    assert not named & (kept["training"].keys() | kept["study"]["frozen_mlp"].keys())
    assert named <= identity_of(on, "0", {})["config"]["training"].keys()
