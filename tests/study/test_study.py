import json
import shutil
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest

import admet
from admet.cli.__main__ import main
from admet.cli._common import parse
from admet.config.study import ArmName, InputName, StudyCommand, StudyRun
from admet.data import Split, load_panel
from admet.errors import ConfigError, DataError, NumericalError, RunDirectoryError
from admet.featurize import featurize
from admet.model.inputs import INPUTS
from admet.study import Study, run
from admet.study.arms import ARMS
from admet.study.folder import begin
from admet.study.material import Material
from admet.study.results import ALL, COMPOSITE
from admet.study.seen import seen_labels, warn_of_seen_labels
from admet.study.summary import study_summary_of

TARGETS = ("LogD", "hERG", "CLint")
CHEAP = {
    "frozen_mlp": {"hidden_size": 16, "epochs": 3},
    "informed_heads": {"epochs": 2},
    "inputs": ["rdkit"],
    "folds": 3,
}


def config_for(folder, panel, **study):
    shape = {"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16, "num_layers": 1}}
    return StudyRun(
        data_path=panel,
        save_dir=folder,
        data={"target_columns": TARGETS},
        model=shape,
        training={"epochs": 2},
        task_affinity={"affinity_runs": 1, "affinity_epochs": 1, "n_groups": 2},
        study=CHEAP | {"workers": 1} | study,
    )


@pytest.fixture(scope="module")
def panel_path(tmp_path_factory, demo_frame):
    path = tmp_path_factory.mktemp("panel") / "panel.csv"
    demo_frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory, panel_path) -> Study:
    arms = ["single_task", "multi_task", "frozen_mlp", "kernel"]
    return run(config_for(tmp_path_factory.mktemp("s") / "study", panel_path, arms=arms))


def test_every_arm_and_input_that_a_file_can_name_is_there():
    assert set(get_args(ArmName)) == set(ARMS)
    assert set(get_args(InputName)) == set(INPUTS)


@pytest.mark.slow
def test_a_study_is_shown_as_it_was_found(study, capsys):
    assert main(["show", str(study.path)]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80 + len(str(study.path))
    for words in (*TARGETS, ALL, *study.config.study.arms, "mixture of", "seed 42"):
        assert words in shown
    stored = study_summary_of(study.path)
    assert stored.arms == study.arms
    for ours, own in zip(stored.verdicts, study.verdicts, strict=True):
        assert (ours.task, ours.n, ours.best, ours.company, ours.partners) == (
            own.task, own.n, own.best, own.company, own.partners
        )  # fmt: skip
        assert ours.loss == pytest.approx(own.loss)
        for base, gain in own.gains.items():
            assert ours.gains[base].verdict == gain.verdict
    (study.path / "verdict.csv").rename(study.path / "kept.csv")
    try:
        assert main(["show", str(study.path)]) == 2
        assert "is not finished: it has no verdict.csv; 12 fits are kept" in capsys.readouterr().err
    finally:
        (study.path / "kept.csv").rename(study.path / "verdict.csv")


@pytest.mark.slow
def test_the_tables_of_a_study(study):
    results = pd.read_csv(study.path / "results.csv")
    assert set(results.columns) == {"task", "arm", "fold", "repeat", "seed", "metric", "value"}
    assert set(results["arm"]) == {*study.config.study.arms, COMPOSITE}
    assert set(results["fold"]) == {0, 1, 2}
    verdict = pd.read_csv(study.path / "verdict.csv")
    assert verdict["task"].tolist() == [*TARGETS, ALL]
    assert (verdict["served"] == COMPOSITE).all()
    comparisons = pd.read_csv(study.path / "comparisons.csv")
    assert len(comparisons) == (len(TARGETS) + 1) * 10  # pairs of four arms and the composite
    assert (study.path / "pictures" / "differences.png").stat().st_size > 0
    predictions = pd.read_parquet(study.path / "predictions.parquet")
    one = predictions[(predictions["arm"] == "kernel") & (predictions["task"] == "LogD")]
    assert len(one) == study.panel.labels.present[:, 0].sum()
    own = results[(results["arm"] == "kernel") & (results["task"] == "LogD")]
    errors = (one["label"] - one["prediction"]).abs()
    sizes = [np.isin(one["SMILES"], study.panel.smiles[s.test]) for s in study.splits[0]]
    expected = [errors[rows].mean() for rows in sizes]
    found = own[own["metric"] == "MAE"].sort_values("fold")["value"]
    np.testing.assert_allclose(found, expected)


@pytest.mark.slow
def test_what_a_study_says(study):
    *tasks, whole = study.verdicts
    assert whole.task == ALL
    assert whole.n == study.panel.labels.present.sum()
    for verdict in tasks:
        assert verdict.best == min(verdict.losses, key=verdict.losses.get)
        assert set(verdict.gains) == {"single_task", "multi_task"}
    assert study.partners("multi_task", "LogD") == ["hERG", "CLint"]
    assert study.partners("single_task", "LogD") == []
    for mixture in study.weights.values():
        assert mixture.weights.sum() == pytest.approx(1)


@pytest.mark.slow
def test_a_stopped_study_goes_on_to_the_same_results(study, tmp_path, monkeypatch):
    folder = tmp_path / "study"
    shutil.copytree(study.path, folder)
    kept = sorted((folder / "fits").iterdir())
    for path in kept[::2]:
        path.unlink()
    kept[1].write_bytes(kept[1].read_bytes()[:-3])  # cut by a full disk
    calls = []
    fit = type(ARMS["kernel"]).fit
    monkeypatch.setattr(type(ARMS["kernel"]), "fit", lambda *a: calls.append(1) or fit(*a))
    config = study.config.model_copy(update={"save_dir": folder})
    again = run(config)
    assert 0 < len(calls) < 3
    pd.testing.assert_frame_equal(again.results, study.results)
    assert (folder / "verdict.csv").read_bytes() == (study.path / "verdict.csv").read_bytes()


@pytest.mark.slow
def test_an_arm_can_be_added_and_one_that_fails_is_said(study, tmp_path, monkeypatch, caplog):
    def broken(self, material, split, seed):
        raise NumericalError("it diverged")

    monkeypatch.setattr(type(ARMS["own_heads"]), "fit", broken)
    folder = tmp_path / "study"
    shutil.copytree(study.path, folder)
    arms = [*study.config.study.arms, "own_heads"]
    section = study.config.study.model_copy(update={"arms": arms})
    found = run(study.config.model_copy(update={"save_dir": folder, "study": section}))
    assert found.left_out == {"own_heads": "it diverged"}
    assert "Arm own_heads is left out: it diverged" in caplog.text
    pd.testing.assert_frame_equal(found.results, study.results)


@pytest.mark.slow
def test_a_folder_of_another_study_is_refused(study, panel_path, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study.path, folder)
    config = study.config.model_copy(update={"save_dir": folder})
    with pytest.raises(RunDirectoryError, match=r"another configuration \(.* was .*, is .*\)"):
        run(config.model_copy(update={"seed": 7}))
    other = tmp_path / "other.csv"
    other.write_text(panel_path.read_text() + "\n")
    with pytest.raises(RunDirectoryError, match="holds a study of another table"):
        run(config.model_copy(update={"data_path": other}))
    (tmp_path / "strange").mkdir()
    (tmp_path / "strange" / "file").write_text("mine")
    with pytest.raises(RunDirectoryError, match="exists and is no study"):
        run(config.model_copy(update={"save_dir": tmp_path / "strange"}))


def test_a_study_that_begins_anew_keeps_nothing_of_another(tmp_path):
    folder = tmp_path / "study"
    for name in ("fits", "model", "pictures"):
        (folder / name).mkdir(parents=True)
        (folder / name / "old").write_text("old")
    for name in ("results.csv", "verdict.csv", "predictions.parquet", "comparisons.csv"):
        (folder / name).write_text("old")
    begin(folder, {"key": "new"}, goes_on=False)
    assert [path.name for path in folder.iterdir()] == ["study.json"]


@pytest.mark.slow
def test_two_processes_give_the_results_of_one(study, tmp_path):
    section = study.config.study.model_copy(
        update={"workers": 2, "arms": ("single_task", "frozen_mlp")}
    )
    found = run(study.config.model_copy(update={"save_dir": tmp_path / "s", "study": section}))
    for arm in found.arms:
        np.testing.assert_array_equal(
            found.out_of_fold[arm, 0, 0], study.out_of_fold[arm, 0, 0], err_msg=arm
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "arm", ["own_heads", "task_affinity", "random_groups", "informed_heads", "boosted"]
)
def test_every_other_arm_predicts(arm, panel_path, tmp_path):
    found = run(config_for(tmp_path / "s", panel_path, arms=[arm], folds=2))
    assert np.isfinite(found.out_of_fold[arm, 0, 0]).all()
    assert found.verdicts[0].served == arm
    if arm in {"task_affinity", "random_groups"}:
        groups = found.fits[0].outcome.groups
        assert sorted(name for group in groups for name in group) == sorted(TARGETS)


@pytest.mark.slow
def test_informed_heads_read_inputs_and_have_a_training_of_their_own(panel_path, tmp_path):
    own = {"epochs": 2, "loss": "huber"}
    config = config_for(tmp_path / "s", panel_path, arms=["informed_heads"], informed_heads=own)
    found = run(config)
    assert "training.epochs" in found.config.idle_keys()
    assert "study.informed_heads.epochs" not in found.config.idle_keys()
    (member,) = admet.load(tmp_path / "s" / "model").predictor.spec.members
    assert member.network.inputs == ("rdkit",)
    assert [len(group.tasks) for group in member.network.plan.networks[0].groups] == [1, 1, 1]


@pytest.mark.parametrize(
    ("arm", "n_train", "n_val"), [("informed_heads", 7, 0), ("own_heads", 5, 2)]
)
def test_an_arm_without_an_epoch_to_choose_learns_from_the_validation_side(
    arm, n_train, n_val, panel_path, tmp_path, monkeypatch
):
    config = config_for(tmp_path / "s", panel_path)
    data = config.data.model_copy(update={"target_columns": ("LogD", "CLint")})
    panel = load_panel(panel_path, data)
    inputs = {"rdkit": np.zeros((len(panel), 2), dtype=np.float32)}
    material = Material(config, panel, featurize(panel.smiles), inputs)
    seen = []

    def stop(panel, split, *rest, **named):
        seen.append(split)
        raise InterruptedError

    monkeypatch.setattr("admet.study.arms.networks.fit_model", stop)
    with pytest.raises(InterruptedError):
        ARMS[arm].train(material, Split.of(np.array([0, 1, 2, 0, 0, 1, 0, 0])), seed=0)
    assert (len(seen[0].train), len(seen[0].val), seen[0].test.tolist()) == (n_train, n_val, [2])


def test_classes_choose_their_best_epoch(panel_path, tmp_path):
    panel = load_panel(panel_path, config_for(tmp_path / "s", panel_path).data)  # hERG is binary
    assert ARMS["informed_heads"].validates(panel)
    assert not ARMS["frozen_mlp"].validates(panel)


def test_what_cannot_be_compared_is_refused_before_any_work(panel_path, tmp_path):
    config = config_for(tmp_path / "s", panel_path)
    given = config.data.model_copy(update={"split_type": "predefined", "split_column": "LogD"})
    with pytest.raises(ConfigError, match="a study needs folds. Choose random, scaffold"):
        run(config.model_copy(update={"data": given}))
    with pytest.raises(ConfigError, match="`study.arms` must name each once; twice: kernel"):
        config_for(tmp_path / "s", panel_path, arms=["kernel", "kernel"])
    with pytest.raises(ConfigError, match="`study.groups` or `model.groups` must list them"):
        config_for(tmp_path / "s", panel_path, arms=["groups"])
    kept = config.data.model_copy(update={"split_from": tmp_path / "run"})
    with pytest.raises(ConfigError, match="keeps the sides of one division; a study makes folds"):
        run(config.model_copy(update={"data": kept}))
    wrong = config.data.model_copy(update={"target_columns": ("LogD", "logP")})
    with pytest.raises(DataError, match="logP"):
        run(config.model_copy(update={"data": wrong}))
    assert not (tmp_path / "s").exists()


def test_keys_that_no_arm_reads_are_said(panel_path, tmp_path):
    config = config_for(tmp_path / "s", panel_path, arms=["kernel"])
    idle = config.idle_keys()
    assert {"training.epochs", "task_affinity.n_groups", "study.frozen_mlp.epochs"} <= set(idle)
    assert "study.inputs" not in idle
    none = "none of frozen_affinity_groups, frozen_groups, frozen_mlp, frozen_own_heads"
    assert none in idle["study.frozen_mlp.epochs"]


def test_labels_that_an_input_has_seen_are_warned_of(panel_path, tmp_path, caplog):
    config = config_for(tmp_path / "s", panel_path)
    panel = load_panel(panel_path, config.data)
    rng = np.random.default_rng(0)
    outputs = rng.normal(size=(len(panel), 41)).astype(np.float32)
    own = panel.labels.present[:, 0]
    outputs[own, 5] = -panel.labels.values[own, 0]
    binary = panel.labels.present[:, 1]
    outputs[binary, 7] = panel.labels.values[binary, 1] + rng.normal(0, 0.2, binary.sum())
    material = Material(config, panel, featurize(panel.smiles), {"admet_ai": outputs})
    warn_of_seen_labels(material)
    assert [(s.task, round(s.rank)) for s in seen_labels(material)] == [("LogD", -1), ("hERG", 1)]
    assert "LogD: the output CYP2C9_Substrate_CarbonMangels of admet_ai ranks" in caplog.text
    assert "leave both out of study.inputs" in caplog.text
    assert seen_labels(replace(material, inputs={})) == []


@pytest.mark.slow
def test_the_command_prints_a_verdict_in_eighty_columns(panel_path, tmp_path, capsys):
    words = [
        "study", "--data-path", str(panel_path), "--data.target-columns", *TARGETS,
        "--save-dir", str(tmp_path / "s"), "--study.folds", "2", "--study.workers", "1",
        "--study.arms", "single_task", "frozen_mlp", "--study.inputs", "rdkit",
        "--study.frozen-mlp.epochs", "2", "--training.epochs", "1",
        "--model.message-passing.hidden-size", "16",
    ]  # fmt: skip
    assert main(words) == 0
    said = capsys.readouterr()
    assert "Verdict" in said.out
    assert "to single-task" in said.out
    assert "How to train (the best single arm of each):" in said.out
    *table, _, _, _ = said.out.splitlines()  # the last three name folders and a file
    assert max(map(len, table)) <= 80
    assert json.loads((tmp_path / "s" / "study.json").read_text())["schema_version"] == 1
    assert "1 of 4: single_task, fold 1" in said.err
    assert main(words) == 0
    assert "4 of 4 fits were kept by an earlier run" in capsys.readouterr().err
    config = parse(StudyCommand, words[1:], "admet study")
    run(config.only(StudyRun))  # by another door, the same study
