"""Frozen inputs beside the embedding: trained, written, opened, predicted, resumed, repeated."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

import admet
from admet.cli.__main__ import main
from admet.config import ModelConfig, TaskAffinityConfig, TrainConfig
from admet.config.study import StudyRun
from admet.data import build_panel, read_table, split_panel
from admet.errors import ConfigError, RunDirectoryError
from admet.featurize import featurize
from admet.inference import compare_runs, evaluate_run
from admet.model.chemprop.extra_inputs import ScaledInputs
from admet.model.chemprop.task_affinity import compute_task_affinity
from admet.model.frozen.scaling import InputScaler
from admet.model.inputs import INPUTS, table, vectors
from admet.run_directory import Files, read_json
from admet.study import run as run_study
from admet.training import train
from admet.training.arms import plan_of
from admet.training.checkpoint import Keeper
from admet.training.fit_model import fit_model
from admet.training.outputs import read_test

TASKS = ("LogD", "hERG", "PAMPA")
NAMES = ("morgan", "rdkit")
SMALL = {"message_passing": {"hidden_size": 8}, "ffn": {"hidden_size": 8, "num_layers": 1}}
WEIGHTS = Files.WEIGHTS


@pytest.fixture(scope="module")
def table_path(tmp_path_factory, demo_frame):
    path = tmp_path_factory.mktemp("extra") / "panel.csv"
    demo_frame.to_csv(path, index=False)
    return path


def config_for(path, save_dir, **model):
    return TrainConfig(
        data_path=path,
        save_dir=save_dir,
        data={"target_columns": TASKS, "split_type": "random"},
        model=SMALL | {"extra_inputs": NAMES} | model,
        training={"epochs": 2, "warmup_epochs": 1},
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory, table_path):
    return train(config_for(table_path, tmp_path_factory.mktemp("run") / "run"))


def test_the_scale_is_that_of_models_on_frozen_inputs():
    X = np.random.default_rng(0).normal(3, 2, (20, 4)).astype(np.float32)
    X[:, 2] = 1.5  # constant
    X[3, 1], X[4, 0] = np.nan, 1e6
    scaler, ours = InputScaler.fit(X), ScaledInputs(4)
    ours.take(scaler)
    np.testing.assert_allclose(ours(torch.from_numpy(X)), scaler.scale_inputs(X), rtol=1e-6)


def test_a_run_opens_and_predicts_what_it_did(model, table_path):
    content = read_json(model.run_dir / Files.MODEL)
    assert content["schema_version"] == 6
    assert content["inputs"] == list(NAMES)
    assert content["n_inputs"] == sum(INPUTS[name].width for name in NAMES)
    assert {"rdkit", "torch"} <= set(read_json(model.run_dir / Files.RUN)["versions"])
    opened = admet.load(model.run_dir, device="cpu")
    cells = ["OCC", "c1ccccc1C(=O)NC", "nonsense", "CC(=O)O.[Na+]", ""]
    first, second = model.predict(cells), opened.predict(cells)
    pd.testing.assert_frame_equal(first, second)
    # Other ways to write the same molecules give the same numbers.
    other = opened.predict(["C(C)O", "CNC(=O)c1ccccc1"])
    np.testing.assert_allclose(other.iloc[:, 1:4], second.iloc[:2, 1:4], rtol=1e-5)
    stored = read_test(model.run_dir)
    found = evaluate_run(model.run_dir, opened, table_path, split="test", n_bootstrap=0)
    assert stored is not None
    for name, task in stored.tasks.items():
        for metric, value in task.values.items():
            again = found.scores.tasks[name].values[metric].value
            assert again == (None if value.value is None else pytest.approx(value.value, rel=1e-4))
    compared = compare_runs([model.run_dir, model.run_dir], table_path, n_bootstrap=10)
    assert compared is not None


def test_predictions_of_the_test_side_are_those_of_predict(model):
    kept = pd.read_csv(model.run_dir / Files.PREDICTIONS)
    found = model.predict(kept["smiles"].tolist())
    for task in TASKS:
        np.testing.assert_allclose(found[f"{task}_pred"], kept[f"{task}_pred"], rtol=1e-4)


def test_the_command_predicts_in_parts(model, tmp_path, table_path):
    out = tmp_path / "out.csv"
    argv = ["predict", "--model-dir", str(model.run_dir), "--data-path", str(table_path)]
    assert main([*argv, "--output", str(out), "--batch-size", "64", "--device", "cpu"]) == 0
    frame = pd.read_csv(out)
    found = model.predict(frame["SMILES"].tolist())
    np.testing.assert_allclose(frame["LogD_pred"], found["LogD_pred"], rtol=1e-4)


def test_heads_read_the_inputs(model):
    graphs = featurize(["CCO", "CCN"])
    predictor = model.networks
    X = vectors(NAMES, ["CCO", "CCN"])
    one = predictor.predict_graphs(graphs, inputs=X).mean
    other = predictor.predict_graphs(graphs, inputs=X[::-1].copy()).mean
    assert (one != other).any()
    with pytest.raises(ConfigError, match="`inputs` must have shape"):
        predictor.predict_graphs(graphs)
    with pytest.raises(ConfigError, match="`inputs` must have shape"):
        predictor.predict_graphs(graphs, inputs=X[:, :5])


@pytest.mark.parametrize("groups", ["single_task", [["LogD"], ["hERG", "PAMPA"]]])
def test_a_fit_in_memory_computes_what_it_is_not_given(table_path, tmp_path, groups):
    config = config_for(table_path, tmp_path / "run", groups=groups)
    panel = build_panel(read_table(table_path), config.data)
    split = split_panel(panel, config.data, config.seed)
    rest = (panel, split, featurize(panel.smiles), config, plan_of(config, panel.task_names))
    X = vectors(NAMES, panel.smiles)
    ours, given = fit_model(*rest), fit_model(*rest, inputs=X)
    assert weights_equal(ours.predictor.weights(), given.predictor.weights())
    scaler = InputScaler.fit(X[split.train])
    for network in ours.networks.networks:
        np.testing.assert_array_equal(network.inputs.get_buffer("mean"), scaler.mean)
        np.testing.assert_array_equal(network.inputs.get_buffer("scale"), scaler.scale)
    with pytest.raises(ConfigError, match="`inputs` must hold morgan, rdkit"):
        fit_model(*rest, inputs=X[:, 1:])
    plain = config.model_copy(update={"model": ModelConfig(**SMALL)})
    with pytest.raises(ConfigError, match=r"`model.extra_inputs` is empty"):
        fit_model(*rest[:3], plain, rest[4], inputs=X)


def weights_equal(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_without_extra_inputs_nothing_is_written_of_them(table_path, tmp_path):
    run = train(config_for(table_path, tmp_path / "run", extra_inputs=())).run_dir
    content = read_json(run / Files.MODEL)
    assert content["schema_version"] == 4
    assert not {"inputs", "n_inputs"} & content.keys()


def test_a_resumed_and_a_repeated_run_have_the_same_bits(model, table_path, tmp_path, monkeypatch):
    keep = Keeper.on_train_epoch_end

    def dies(self, *arguments):
        keep(self, *arguments)
        raise OSError(28, "No space left on device")

    config = config_for(table_path, tmp_path / "run")
    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "on_train_epoch_end", dies)
        with pytest.raises(Exception, match="No space left"):
            train(config)
    run = train(config, resume=True).run_dir
    assert read_json(run / Files.RUN)["resumed"] == 1
    assert (run / WEIGHTS).read_bytes() == (model.run_dir / WEIGHTS).read_bytes()
    again = tmp_path / "again"
    argv = ["train", "--repeat", str(model.run_dir), "--save-dir", str(again)]
    assert main(argv) == 0
    assert (again / WEIGHTS).read_bytes() == (model.run_dir / WEIGHTS).read_bytes()


def test_a_missing_package_is_said_before_any_work(table_path, tmp_path, monkeypatch, model):
    monkeypatch.setattr(table, "_missing_packages", lambda name: ["some-package"])
    with pytest.raises(ConfigError, match="needs some-package"):
        train(config_for(table_path, tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ConfigError, match="needs some-package"):
        admet.load(model.run_dir)


def test_a_name_is_known_and_given_once():
    with pytest.raises(ConfigError, match="`extra_inputs` must name each once; twice: morgan"):
        ModelConfig(extra_inputs=("morgan", "morgan"))
    with pytest.raises(ConfigError, match="extra_inputs"):
        ModelConfig(extra_inputs=("morgen",))


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        ({"n_inputs": 7}, ConfigError, "trained with 7 numbers of morgan, rdkit"),
        ({"n_inputs": 0}, RunDirectoryError, "`n_inputs` must be"),
        ({"inputs": ["minimal"]}, RunDirectoryError, "is damaged"),
        ({"schema_version": 8}, RunDirectoryError, "reads up to 7"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(model, tmp_path, change, kind, message):
    folder = tmp_path / "run"
    shutil.copytree(model.run_dir, folder)
    content = read_json(folder / Files.MODEL) | change
    (folder / Files.MODEL).write_text(json.dumps(content))
    from admet.run_directory.checksums import write_checksums

    write_checksums(folder)
    with pytest.raises(kind, match=message):
        admet.load(folder)


def test_the_affinity_says_that_it_does_not_read_them(demo_frame, caplog):
    config = TaskAffinityConfig(
        affinity_runs=1, n_groups=1, device="cpu", log_affinity_matrix=False
    )
    network = ModelConfig(**SMALL, extra_inputs=("morgan",))
    compute_task_affinity(demo_frame, "SMILES", ["LogD", "hERG"], config, network)
    said = [r.getMessage() for r in caplog.records if "model.extra_inputs" in r.getMessage()]
    assert said == [
        "the affinity is measured on the encoder, so these do nothing: model.extra_inputs"
    ]


@pytest.mark.slow
def test_a_study_trains_networks_with_them(table_path, tmp_path):
    study = run_study(
        StudyRun(
            data_path=table_path,
            save_dir=tmp_path / "study",
            data={"target_columns": TASKS},
            model=SMALL | {"extra_inputs": ("morgan",)},
            training={"epochs": 1, "warmup_epochs": 0},
            study={"arms": ["multi_task"], "folds": 2, "workers": 1},
        )
    )
    folder = study.path / "model"
    content = read_json(folder / Files.MODEL)
    assert content["schema_version"] == 6
    assert content["members"][0]["network"]["inputs"] == ["morgan"]
    assert np.isfinite(admet.load(folder).predict(["CCO"]).iloc[0, 1:4].astype(float)).all()


def test_a_study_without_networks_says_that_nobody_reads_them(table_path, tmp_path):
    config = StudyRun(
        data_path=table_path,
        save_dir=tmp_path / "study",
        data={"target_columns": TASKS},
        model={"extra_inputs": ("morgan",)},
        study={"arms": ["kernel"]},
    )
    assert "model.extra_inputs" in config.idle_keys()
