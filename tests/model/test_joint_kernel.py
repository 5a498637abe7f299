import numpy as np
import pytest
import torch

import admet
from admet.config.frozen import KernelConfig
from admet.config.study import StudyRun
from admet.data import Labels, Panel, Task
from admet.kinds import kind_of
from admet.model.frozen import joint_kernel
from admet.model.frozen.joint_kernel import fit_joint_kernel, nearest_correlation
from admet.model.frozen.kernel import fit_kernel, matern
from admet.model.frozen.members import JointKernel, targets_of
from admet.study import run
from admet.study.arms import frozen
from admet.study.folder import identity_of

RELATED = np.array([[1.0, 0.95, 0.0], [0.95, 1.0, 0.0], [0.0, 0.0, 1.0]])


@pytest.fixture
def panel():
    """A task of 20 labels, its sister of 250, and a binary task that is not related."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6)).astype(np.float32)
    signal = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]
    few = signal + 0.1 * rng.normal(size=400)
    many = 5 + 3 * signal + 0.3 * rng.normal(size=400)
    values = np.stack([few, many, (X[:, 4] > 0).astype(float)], axis=1)
    values[20:300, 0] = np.nan
    values[:50, 1] = np.nan
    tasks = tuple(
        Task(n, kind_of(k))
        for n, k in zip("abc", ("regression", "regression", "binary"), strict=True)
    )
    smiles = np.array([f"{'C' * (i + 1)}O" for i in range(400)], dtype=object)
    return X, Panel(smiles, Labels(values), tasks, np.arange(400))


TRAIN, TEST = np.arange(300), np.arange(300, 400)


def errors(panel, fitted, scaled):
    units = fitted.targets.to_units(torch.from_numpy(scaled))
    truth = panel.labels.values[TEST]
    return np.nanmean(np.abs(units - truth), axis=0)


def test_few_labels_learn_from_a_sister_and_others_stay_as_they_are(panel):
    X, panel = panel
    alone = fit_kernel(X, panel, TRAIN, KernelConfig(), 0)
    joint = fit_joint_kernel(X, panel, TRAIN, RELATED, KernelConfig(), 0)
    first = errors(panel, alone, alone.predict(X[TEST])[0])
    second = errors(panel, joint, joint.predict(X[TEST]))
    assert second[0] < 0.75 * first[0]
    assert second[1] < 1.2 * first[1]
    assert second[2] < 1.1 * first[2]


def test_a_correlation_that_is_not_there_is_not_believed(panel, monkeypatch):
    X, panel = panel
    believed = []
    likeliest = joint_kernel._likeliest
    monkeypatch.setattr(
        joint_kernel, "_likeliest", lambda *a: believed.append(likeliest(*a)) or believed[-1]
    )
    wrong = np.array([[1.0, 0.0, 0.9], [0.0, 1.0, 0.9], [0.9, 0.9, 1.0]])
    for correlation in (RELATED, wrong):
        fit_joint_kernel(X, panel, TRAIN, correlation, KernelConfig(), 0)
    assert believed[0] >= 0.8
    assert believed[1] <= 0.2


def test_coefficients_solve_the_equations_of_all_labels(panel, monkeypatch):
    """The same as the textbook's formula with one large matrix (Rasmussen and Williams, 2.25)."""
    X, panel = panel
    monkeypatch.setattr(joint_kernel, "_SHARES", (0.5,))
    monkeypatch.setattr(joint_kernel, "_STEP", 1e9)  # one length for all
    kept = []
    of = joint_kernel._Problem.of
    monkeypatch.setattr(joint_kernel._Problem, "of", lambda *a: kept.append(of(*a)) or kept[-1])
    fitted = fit_joint_kernel(X, panel, TRAIN, RELATED, KernelConfig(), 0)
    (problem,) = kept
    B = 0.5 * nearest_correlation(RELATED) + 0.5 * np.eye(3)
    rows, tasks = np.nonzero(~np.isnan(problem.y))
    own = fitted.X.astype(float)
    K = matern(own[rows], own[rows], problem.pooled) * B[np.ix_(tasks, tasks)]
    alpha = np.linalg.solve(K + np.diag(problem.noises[tasks]), problem.y[rows, tasks])
    Z = fitted.inputs.scale_inputs(X[TEST]).astype(float)
    k = matern(Z, own[rows], problem.pooled)
    for task in range(2):
        expected = fitted.centres[task] + problem.signals[task] * (k * B[task, tasks]) @ alpha
        np.testing.assert_allclose(fitted.predict(X[TEST])[:, task], expected, atol=1e-6)


def test_other_rows_and_their_labels_do_not_count(panel):
    X, panel = panel
    changed = panel.labels.values.copy()
    changed[TEST] = 0.25
    other = Panel(panel.smiles, Labels(changed), panel.tasks, panel.lines)
    first, second = (
        fit_joint_kernel(X, p, TRAIN, RELATED, KernelConfig(), 0).predict(X[TEST])
        for p in (panel, other)
    )
    np.testing.assert_array_equal(first, second)


def test_a_process_has_no_more_labels_than_is_said(panel, monkeypatch):
    X, panel = panel
    sizes = []
    solve = joint_kernel._Kernel.solve

    def counting(self, B):
        sizes.append(len(self.y))
        return solve(self, B)

    monkeypatch.setattr(joint_kernel._Kernel, "solve", counting)
    whole = fit_joint_kernel(X, panel, TRAIN, RELATED, KernelConfig(), 0).predict(X[TEST])
    assert set(sizes) == {570}
    sizes.clear()
    config = KernelConfig(joint_up_to=280)
    parts = fit_joint_kernel(X, panel, TRAIN, RELATED, config, 0).predict(X[TEST])
    # a and b with one another, c by two halves of its own labels
    assert sorted(set(sizes)) == [150, 270]
    assert sizes.count(150) == 2
    assert np.corrcoef(whole[:, 2], parts[:, 2])[0, 1] > 0.9
    np.testing.assert_allclose(whole[:, 0], parts[:, 0], atol=0.05)


@pytest.mark.parametrize(
    ("noise", "precisions"),
    [(0.1, ["f"]), (1e-9, ["f", "d"])],
    ids=["single precision leads", "no factor in single precision"],
)
def test_a_system_has_the_solution_of_double_precision(noise, precisions, monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 2))
    X[75:] = X[:75] + 1e-5 * rng.normal(size=(75, 2))  # nearly the same molecules
    places, tasks = np.nonzero(rng.random((150, 3)) < 0.7)
    B = nearest_correlation(RELATED)
    k = matern(X, X, 3.0)
    K = k[np.ix_(places, places)] * B[np.ix_(tasks, tasks)] + noise * np.eye(len(places))
    y = K @ rng.normal(size=len(places))
    system = joint_kernel._Kernel(k, places, tasks, np.full(len(places), noise), y)
    made = []
    factor = joint_kernel.cho_factor
    monkeypatch.setattr(
        joint_kernel, "cho_factor", lambda K, **keys: made.append(K.dtype.char) or factor(K, **keys)
    )
    alpha = system.solve(B)
    assert made == precisions
    np.testing.assert_allclose(K @ alpha, y, atol=1e-6 * np.abs(y).max())
    expected = y @ np.linalg.solve(K, y) + np.linalg.slogdet(K)[1]
    if noise == 0.1:
        np.testing.assert_allclose(system.surprise(B), expected, rtol=1e-9)


def test_a_partner_that_has_too_many_labels_leaves_room_for_the_next():
    R = np.array([[1, 0.9, 0.5, 0.4], [0.9, 1, 0, 0], [0.5, 0, 1, 0], [0.4, 0, 0, 1.0]])
    counts = np.array([10, 95, 40, 45])
    assert joint_kernel._company(0, R, counts, 1000) == (0, 1, 2, 3)
    assert joint_kernel._company(0, R, counts, 100) == (0, 2, 3)
    assert joint_kernel._company(1, R, counts, 100) == (1,)


@pytest.mark.parametrize(
    "given",
    [
        np.array([[1, 1, -1], [1, 1, 1], [-1, 1, 1.0]]),
        np.array([[1, np.nan], [np.nan, 1]]),
        np.full((4, 4), 1.0),
        np.array([[1.0]]),
    ],
    ids=["impossible", "unknown", "all alike", "one"],
)
def test_correlations_are_those_that_can_be(given):
    R = nearest_correlation(given)
    np.testing.assert_allclose(R, R.T)
    np.testing.assert_allclose(R.diagonal(), 1)
    assert np.linalg.eigvalsh(R).min() > 0
    if np.isnan(given).any():
        assert R[0, 1] == 0


def test_labels_of_all_tasks_are_in_the_sample():
    tasks = np.repeat(np.arange(3), [5, 100, 1000])
    labels = joint_kernel._Labels(np.arange(len(tasks)), tasks)
    found = joint_kernel._sample(labels, 105, np.random.default_rng(0))
    assert np.bincount(found.tasks).tolist() == [5, 50, 50]
    assert joint_kernel._sample(labels, 2000, np.random.default_rng(0)) is labels


def test_it_comes_back_from_arrays_and_what_does_not_fit_is_refused(panel):
    X, panel = panel
    member = JointKernel(fit_joint_kernel(X, panel, TRAIN, RELATED, KernelConfig(), 0))
    arrays = member.arrays()
    targets = targets_of(arrays, panel.kinds, panel.transforms)
    again = JointKernel.of(arrays, targets)
    again.check(6)
    np.testing.assert_array_equal(again.predict(X), member.predict(X))
    assert ((again.predict(X)[:, 2] > 0) & (again.predict(X)[:, 2] < 1)).all()
    for name, value in [
        ("coefficients", arrays["coefficients"][:5]),
        ("centres", np.zeros(2)),
        ("lengths", -arrays["lengths"]),
        ("X", arrays["X"].astype(np.float64)),
    ]:
        with pytest.raises(ValueError):  # noqa: PT011 - of any kind
            JointKernel.of(arrays | {name: value}, targets).check(6)
    with pytest.raises(ValueError):  # noqa: PT011 - of any kind
        again.check(5)


def test_a_study_with_the_usual_bound_is_the_study_of_an_earlier_version():
    def kept(**kernel):
        config = StudyRun(data_path="x.csv", study={"kernel": kernel})
        return identity_of(config, "0", {})["config"]["study"]["kernel"]

    assert "joint_up_to" not in kept()
    assert kept(joint_up_to=500)["joint_up_to"] == 500


def test_the_arm_measures_the_affinity_on_what_it_learns_from(demo_csv, tmp_path, monkeypatch):
    seen = []
    fit = frozen.fit_joint_kernel

    def spied(inputs, panel, rows, correlation, *rest):
        seen.append((len(rows), correlation))
        return fit(inputs, panel, rows, correlation, *rest)

    monkeypatch.setattr(frozen, "fit_joint_kernel", spied)
    config = StudyRun(
        data_path=demo_csv,
        save_dir=tmp_path / "study",
        data={"target_columns": ["LogD", "KSOL", "hERG"]},
        study={"arms": ["joint_kernel", "kernel"], "inputs": ["rdkit"], "folds": 2, "workers": 1},
        task_affinity={"estimator": "residual"},  # its numbers are no correlations of labels
    )
    study = run(config)
    assert {fit.job.arm for fit in study.fits} == {"joint_kernel", "kernel"}
    (n_first, R), (n_second, _), *_ = seen
    assert n_first + n_second == len(study.panel)
    assert R.shape == (3, 3)
    assert not np.array_equal(R, seen[1][1])
    model = admet.load(study.path / "model", device="cpu")
    assert np.isfinite(
        model.predict(["CCO", "c1ccccc1O"])[["LogD_pred", "hERG_pred"]].to_numpy()
    ).all()


def test_one_endpoint_has_nobody_to_be_joined_with(demo_csv, tmp_path):
    config = StudyRun(
        data_path=demo_csv,
        save_dir=tmp_path / "study",
        data={"target_columns": ["LogD"]},
        study={"arms": ["joint_kernel", "kernel"], "inputs": ["rdkit"], "folds": 2, "workers": 1},
    )
    study = run(config)
    assert "joint_kernel" in study.left_out
    assert study.arms == ["kernel"]


def test_a_task_whose_labels_do_not_differ_leaves_the_others_as_they_are(panel):
    X, panel = panel
    without = fit_joint_kernel(X, panel, TRAIN, RELATED, KernelConfig(), 0).predict(X[TEST])
    constant = np.where(np.arange(400) % 7 == 0, 2.0, np.nan)
    values = np.concatenate([panel.labels.values, constant[:, None]], axis=1)
    tasks = (*panel.tasks, Task("d", kind_of("regression")))
    wider = Panel(panel.smiles, Labels(values), tasks, panel.lines)
    R = np.eye(4)
    R[:3, :3] = RELATED
    R[3, :3] = R[:3, 3] = np.nan
    found = fit_joint_kernel(X, wider, TRAIN, R, KernelConfig(), 0).predict(X[TEST])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found[:, :3], without, atol=0.05)
    np.testing.assert_allclose(found[:, 3], 0, atol=1e-6)


def test_tasks_that_all_say_nothing_are_predicted_by_their_mean(panel):
    X, panel = panel
    values = np.where(np.isnan(panel.labels.values), np.nan, [1.0, 5.0, 1.0])
    flat = Panel(panel.smiles, Labels(values), panel.tasks, panel.lines)
    found = fit_joint_kernel(X, flat, TRAIN, RELATED, KernelConfig(), 0)
    units = found.targets.to_units(torch.from_numpy(found.predict(X[TEST])))
    np.testing.assert_allclose(units[:, :2], [[1.0, 5.0]] * len(TEST), atol=1e-6)
