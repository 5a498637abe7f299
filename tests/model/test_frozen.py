import numpy as np
import pytest
import torch

from admet.config.frozen import BoostedConfig, FrozenMLPConfig, KernelConfig
from admet.data import Labels, Panel, Task
from admet.errors import NumericalError
from admet.kinds import kind_of
from admet.model.chemprop.plan import NetworkPlan, disjoint, overlapping
from admet.model.frozen import fit_mlp as module
from admet.model.frozen.boosted import fit_trees
from admet.model.frozen.fit_mlp import MLPJob, fit_mlps
from admet.model.frozen.kernel import Process, fit_kernel, matern
from admet.model.frozen.mlp import Layout, Reading, StackedMLP
from admet.model.frozen.scaling import InputScaler

NAMES = ["a", "b", "c"]
SMALL = FrozenMLPConfig(hidden_size=32, epochs=40, batch_size=32, dropout=0.0)
TOGETHER = NetworkPlan.together(NAMES)
OWN = NetworkPlan.of(disjoint([[n] for n in NAMES]), NAMES)


@pytest.fixture
def panel():
    """Three tasks of 300 molecules that are functions of eight inputs; c is binary, a has gaps."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 8)).astype(np.float32)
    a, b = 10 + 3 * X[:, 0], np.sin(2 * X[:, 1]) + X[:, 2]
    values = np.stack([a, b, (X[:, 0] + X[:, 3] > 0).astype(float)], axis=1)
    values[rng.random(values.shape) < 0.2] = np.nan
    tasks = tuple(
        Task(n, kind_of(k))
        for n, k in zip(NAMES, ("regression", "regression", "binary"), strict=True)
    )
    smiles = np.array([f"{'C' * (i + 1)}O" for i in range(300)], dtype=object)
    return X, Panel(smiles, Labels(values), tasks, np.arange(300))


def error(panel, predicted, rows):
    truth = panel.labels.values[rows]
    spread = np.nanstd(truth, axis=0)
    return np.sqrt(np.nanmean((predicted - truth) ** 2, axis=0)) / spread


@pytest.mark.parametrize("plan", [TOGETHER, OWN])
def test_networks_learn_what_inputs_say(panel, plan):
    X, panel = panel
    train, test = np.arange(200), np.arange(200, 300)
    (fitted,) = fit_mlps(X, panel, [MLPJob(plan, train, 0)], SMALL)
    predicted = fitted.predict(X[test])
    assert (error(panel, predicted, test) < [0.3, 0.6, 0.8]).all()
    assert ((predicted[:, 2] >= 0) & (predicted[:, 2] <= 1)).all()


def test_networks_of_classes_learn_for_few_steps(panel, monkeypatch):
    X, panel = panel
    epochs = []
    real = module._fit_alike

    def counted(panel, entries, config):
        epochs.append(config.epochs)
        return real(panel, entries, config.model_copy(update={"epochs": 1}))

    monkeypatch.setattr(module, "_fit_alike", counted)
    rows = np.arange(300)
    for class_steps, expected in ((24, 3), (1, 1), (10_000, 40)):  # 8 steps an epoch
        config = SMALL.model_copy(update={"class_steps": class_steps})
        plans = [NetworkPlan.together(["c"]), NetworkPlan.together(["a", "c"])]
        fit_mlps(X, panel, [MLPJob(plan, rows, 0) for plan in plans], config)
        assert sorted(epochs) == sorted([expected, 40])
        epochs.clear()


def test_a_network_is_the_same_alone_and_beside_others(panel):
    X, panel = panel
    config = FrozenMLPConfig(hidden_size=16, epochs=3, batch_size=32)
    jobs = [MLPJob(OWN, np.arange(k, 200 + k), k) for k in range(3)]
    jobs += [
        MLPJob(TOGETHER, np.arange(64), 5),
        MLPJob(NetworkPlan.together(["b"]), np.arange(90), 6),
    ]
    for job, together in zip(jobs, fit_mlps(X, panel, jobs, config), strict=True):
        (alone,) = fit_mlps(X, panel, [job], config)
        for ours, theirs in zip(together.weights, alone.weights, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-5)


def test_heads_make_the_same_of_the_rows_that_they_read_as_of_all_rows():
    config = FrozenMLPConfig(hidden_size=8, num_layers=3, dropout=0.0)
    network = StackedMLP(5, 2, 3, config, [0, 1])
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(9, 5, generator=draw)
    read = [torch.rand(n, 2, generator=draw) < 0.5 for n in (4, 5)]
    read[0][:, 1] = False  # a head may have nothing to read
    every = network(X, Reading.of([torch.ones_like(each) for each in read]))
    for some, whole, each in zip(network(X, Reading.of(read)), every, read, strict=True):
        torch.testing.assert_close(some, whole[each.T.ravel()])


def test_a_molecule_with_a_label_of_each_of_256_tasks_is_learnt_from():
    X = np.random.default_rng(0).normal(size=(300, 4)).astype(np.float32)
    tasks = tuple(Task(f"t{i}", kind_of("regression")) for i in range(256))
    smiles = np.array([f"{'C' * (i + 1)}O" for i in range(300)], dtype=object)
    panel = Panel(smiles, Labels(np.tile(X[:, :1], 256)), tasks, np.arange(300))
    job = MLPJob(NetworkPlan.together(panel.task_names), np.arange(200), 0)
    (fitted,) = fit_mlps(X, panel, [job], SMALL)
    assert np.corrcoef(fitted.predict(X[200:])[:, 0], X[200:, 0])[0, 1] > 0.95


def test_a_network_serves_its_tasks_only(panel):
    X, panel = panel
    groups = overlapping([["a", "b"], ["b", "c"]], {"b": 1})
    layout = Layout.of(NetworkPlan.of(groups, NAMES), NAMES)
    assert layout.learns.tolist() == [[True, True, False], [False, True, True]]
    assert layout.serves.tolist() == [0, 1, 1]
    (fitted,) = fit_mlps(X, panel, [MLPJob(NetworkPlan.together(["b"]), np.arange(50), 0)], SMALL)
    assert np.isnan(fitted.predict(X)[:, [0, 2]]).all()
    assert np.isfinite(fitted.predict(X)[:, 1]).all()


def test_other_labels_do_not_reach_a_network(panel):
    """Only labels of its own training rows and tasks count."""
    X, panel = panel
    job = MLPJob(NetworkPlan.together(["a", "b"]), np.arange(100), 0)
    changed = panel.labels.values.copy()
    changed[100:] = 77
    changed[:, 2] = np.where(np.isnan(changed[:, 2]), np.nan, 1 - changed[:, 2])
    other = Panel(panel.smiles, Labels(changed), panel.tasks, panel.lines)
    first, second = (fit_mlps(X, p, [job], SMALL)[0].predict(X)[:, :2] for p in (panel, other))
    np.testing.assert_array_equal(first, second)


def test_limits_count_as_limits(panel):
    X, panel = panel
    values = panel.labels.values.copy()
    true = values[:, 0].copy()
    above = values[:, 0] > 11
    values[above, 0] = 11
    limits = np.zeros(values.shape, np.int8)
    limits[above, 0] = 1
    capped = Panel(panel.smiles, Labels(values), panel.tasks, panel.lines)
    limited = Panel(panel.smiles, Labels(values, limits), panel.tasks, panel.lines)
    job = MLPJob(NetworkPlan.together(["a"]), np.arange(300), 0)
    means = [fit_mlps(X, p, [job], SMALL)[0].predict(X)[above, 0].mean() for p in (capped, limited)]
    assert means[0] < 11.3 < means[1]
    assert true[above].mean() > 12


def test_labels_that_break_a_training_are_named(panel):
    X, panel = panel
    wild = FrozenMLPConfig(hidden_size=16, epochs=5, learning_rate=1e30)
    with pytest.raises(NumericalError, match="diverged. Lower its learning_rate"):
        fit_mlps(X, panel, [MLPJob(TOGETHER, np.arange(200), 0)], wild)


def test_gaussian_processes_learn_and_know_their_doubt(panel):
    X, panel = panel
    train, test = np.arange(200), np.arange(200, 300)
    fitted = fit_kernel(X, panel, train, KernelConfig(), 0)
    mean, spread = fitted.predict(X)
    units = fitted.targets.to_units(torch.from_numpy(mean))
    assert (error(panel, units[test], test)[:2] < [0.2, 0.5]).all()
    far = np.full((1, 8), 4.9, np.float32) * fitted.inputs.scale
    assert (fitted.predict(far)[1] > spread[train].mean(axis=0)).all()


def test_a_process_is_that_of_scikit_learn():
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import Matern, WhiteKernel

    rng = np.random.default_rng(1)
    X, Z = rng.normal(size=(60, 4)), rng.normal(size=(9, 4))
    y = X[:, 0] + rng.normal(size=60) / 3
    kernel = 1.0 * Matern(length_scale=2.0, nu=2.5) + WhiteKernel(0.1)
    theirs = GaussianProcessRegressor(kernel, optimizer=None).fit(X, y)
    mean, variance = Process(X, np.arange(60), y, 0.0, 2.0, 0.1, 1.0).predict(Z)
    expected, deviation = theirs.predict(Z, return_std=True)
    np.testing.assert_allclose(mean, expected, atol=1e-8)
    np.testing.assert_allclose(variance, deviation**2, atol=1e-8)
    np.testing.assert_allclose(matern(X, X, 2.0), Matern(2.0, nu=2.5)(X), atol=1e-6)


def test_many_labels_are_dealt_to_several_processes(panel):
    X, panel = panel
    whole, parts = (
        fit_kernel(X, panel, np.arange(300), KernelConfig(exact_up_to=size), 0)
        for size in (5_000, 100)
    )
    assert [len(p) for p in whole.processes] == [1, 1, 1]
    assert {len(p) for p in parts.processes} == {3}
    assert np.corrcoef(whole.predict(X)[0][:, 0], parts.predict(X)[0][:, 0])[0, 1] > 0.95


def test_trees_learn_and_come_back_from_text(panel):
    X, panel = panel
    train, test = np.arange(200), np.arange(200, 300)
    fitted = fit_trees(X, panel, train, BoostedConfig(n_trees=100, column_share=1), 0)
    units = fitted.targets.to_units(torch.from_numpy(fitted.predict(X[test])))
    assert (error(panel, units, test) < [0.6, 0.8, 0.9]).all()
    again = fit_trees(X, panel, train, BoostedConfig(n_trees=100, column_share=1), 0)
    assert again.models == fitted.models


def test_inputs_are_scaled_by_the_training_side_and_bounded():
    inputs = np.array([[1, 5, 0], [3, 5, np.nan], [1e9, 5, 2]], np.float32)
    scaler = InputScaler.fit(inputs[:2])
    scaled = scaler.scale_inputs(inputs)
    np.testing.assert_allclose(scaled[:, 0], [-1, 1, 5])
    np.testing.assert_array_equal(scaled[:, 1], [0, 0, 0])
    assert scaled[1, 2] == 0
    assert np.isfinite(scaled).all()
