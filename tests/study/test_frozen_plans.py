"""Arms of several networks on frozen inputs."""

import json

import numpy as np
import pytest

import admet
from admet.cli._common import parse
from admet.config.study import StudyCommand, StudyConfig, StudyRun
from admet.data.transforms import NO_TRANSFORM
from admet.errors import ConfigError
from admet.kinds import REGRESSION
from admet.model.chemprop import TargetScaler
from admet.model.chemprop.plan import Group, disjoint
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.frames import panel_from_frame
from admet.model.frozen.fit_mlp import FittedMLP
from admet.model.frozen.members import MLPs
from admet.model.frozen.mlp import Layout
from admet.model.frozen.scaling import InputScaler
from admet.study import run
from admet.study.arms.frozen import by_kind
from admet.study.arms.frozen_plans import with_partners

TARGETS = ("LogD", "hERG", "CLint")


def network_of(serves, seed, n_tasks=3):
    """An untrained network with one head that serves some tasks."""
    rng = np.random.default_rng(seed)
    learns = np.array([[task in serves for task in range(n_tasks)]])
    places = np.array([0 if task in serves else -1 for task in range(n_tasks)])
    sizes = [(4, 5), (5, 5), (5, n_tasks)]
    weights = []
    for a, b in sizes:
        weights += [
            rng.normal(size=(1, a, b)).astype(np.float32),
            rng.normal(size=(1, 1, b)).astype(np.float32),
        ]
    inputs = InputScaler(np.zeros(4, np.float32), np.ones(4, np.float32))
    return FittedMLP(Layout(learns, places), tuple(weights), inputs, TARGETS_SCALER)


TARGETS_SCALER = TargetScaler(
    np.zeros(3), np.ones(3), (REGRESSION,) * 3, (NO_TRANSFORM,) * 3
)  # fmt: skip


def test_each_network_predicts_what_it_serves_and_arrays_bring_them_back():
    networks = [network_of({0, 2}, 0), network_of({1}, 1)]
    both = MLPs(networks)
    X = np.random.default_rng(2).normal(size=(7, 4)).astype(np.float32)
    found = both.predict(X)
    np.testing.assert_array_equal(found[:, [0, 2]], networks[0].predict(X)[:, [0, 2]])
    np.testing.assert_array_equal(found[:, 1], networks[1].predict(X)[:, 1])
    again = MLPs.of(both.arrays(), TARGETS_SCALER)
    again.check(4)
    np.testing.assert_array_equal(again.predict(X), found)


@pytest.mark.parametrize("serves", [[{0}, {1}], [{0, 1}, {1, 2}]])
def test_networks_that_leave_a_task_out_or_serve_it_twice_are_refused(serves):
    with pytest.raises(ValueError, match="`serves` must name one head for each task"):
        MLPs([network_of(own, 0) for own in serves]).check(4)


def test_groups_are_parted_into_numbers_and_classes(demo_frame):
    panel = panel_from_frame(demo_frame, "SMILES", list(TARGETS))
    (together,) = disjoint([TARGETS])
    numbers, classes = by_kind([together], panel)
    assert numbers == [Group(tasks=TARGETS, serves=("LogD", "CLint"))]
    assert classes == [Group(tasks=("hERG",), serves=("hERG",))]
    for_logd = Group(tasks=("LogD", "hERG"), serves=("LogD",))
    assert by_kind([for_logd], panel) == [[for_logd]]
    for_herg = Group(tasks=("LogD", "hERG"), serves=("hERG",))
    assert by_kind([for_herg], panel) == [classes]
    heads = disjoint([[name] for name in TARGETS])
    numbers, classes = by_kind(heads, panel)
    assert [group.serves for group in numbers] == [("LogD",), (), ("CLint",)]
    assert classes == [heads[1]]
    apart = disjoint([["LogD"], ["CLint"]])
    assert by_kind(apart, panel) == [list(apart)]


def test_partners_are_those_that_help_a_task():
    matrix = np.array([[1, 0.5, -0.2], [0.3, 1, np.nan], [0.0, 0.1, 1]])
    counts = np.ones((3, 3), int)
    groups = with_partners(AffinityEstimate(matrix, counts, 1, counts), ["A", "B", "C"])
    assert [group.tasks for group in groups] == [("A", "B"), ("A", "B", "C"), ("C",)]
    assert [group.serves for group in groups] == [("A",), ("B",), ("C",)]


def config_for(folder, panel, arms, given=None, **keys):
    return StudyRun(
        data_path=panel,
        save_dir=folder,
        data={"target_columns": TARGETS},
        model={"message_passing": {"hidden_size": 16}, **keys},
        task_affinity={"affinity_runs": 1, "affinity_epochs": 1, "n_groups": 2},
        study={
            "arms": arms, "inputs": ["rdkit"], "folds": 2, "workers": 1, "groups": given,
            "frozen_mlp": {"hidden_size": 16, "epochs": 3},
        },
    )  # fmt: skip


def test_groups_are_named_once_and_hold_every_task(tmp_path, demo_frame):
    path = tmp_path / "panel.csv"
    demo_frame.to_csv(path, index=False)
    with pytest.raises(ValueError, match="`study.arms` names frozen_groups, so `study.groups` or"):
        config_for(tmp_path / "s", path, ["frozen_groups"])
    with pytest.raises(ValueError, match="both list groups. Remove one"):
        config_for(tmp_path / "s", path, ["groups"], [TARGETS], groups=[TARGETS])
    some = config_for(tmp_path / "s", path, ["frozen_groups"], [["LogD"], ["hERG"]])
    with pytest.raises(ConfigError, match=r"`study.groups` must hold .* left out: \['CLint'\]"):
        run(some)
    assert not (tmp_path / "s").exists()


def test_groups_come_by_the_command_line_too():
    words = ["--data-path", "t.csv", "--save-dir", "s", "--study.arms", "frozen_groups"]
    found = parse(StudyCommand, [*words, "--study.groups", '[["A", "B"], ["C"]]'], "admet study")
    assert found.study.groups == (("A", "B"), ("C",))
    assert parse(StudyCommand, words[:4], "admet study").study.groups is None
    with pytest.raises(ValueError, match="must be a list of lists of task names"):
        StudyConfig(groups="A, B")


@pytest.mark.slow
def test_the_arms_in_a_study(tmp_path, demo_frame):
    path = tmp_path / "panel.csv"
    demo_frame.to_csv(path, index=False)
    arms = ["frozen_groups", "frozen_affinity_groups", "frozen_partners"]
    study = run(config_for(tmp_path / "s", path, arms, [["LogD", "CLint"], ["hERG"]]))
    assert study.left_out == {}
    for arm in arms:
        assert np.isfinite(study.out_of_fold[arm, 0, 0]).all()
    assert study.by_job[study.fits[0].job].outcome.groups == [["LogD", "CLint"], ["hERG"]]
    partners = [f.outcome.groups for f in study.fits if f.job.arm == "frozen_partners"]
    assert all(len(groups) == 3 for groups in partners)
    assert study.partners("frozen_groups", "LogD") == ["CLint"]
    model = study.path / "model"
    assert json.loads((model / "model.json").read_text())["schema_version"] == 7
    assert np.isfinite(admet.load(model, device="cpu").predict("CCO")["LogD_pred"]).all()
