"""Trackers: what they keep, and that a training does not depend on them."""

import importlib.util
import json
import os

import pandas as pd
import pytest

from admet.cli.__main__ import main
from admet.config import TrainConfig
from admet.config.study import StudyRun
from admet.errors import ConfigError
from admet.run_directory import Files
from admet.study.folder import identity_of
from admet.study.run import run
from admet.training import train
from admet.training.tracking import Tracking, flat
from admet.training.unfinished import _comparable

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
TASKS = ("LogD", "PAMPA")
# Warnings of MLflow and what it brings, on import.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def no_uri(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def config_for(table, save_dir, logger, **training):
    return TrainConfig(
        data_path=table,
        save_dir=save_dir,
        data={"target_columns": TASKS, "split_type": "random"},
        model={
            "groups": "single_task",
            "ffn": {"hidden_size": 8, "num_layers": 1},
            "message_passing": {"hidden_size": 8},
        },
        training={"epochs": 2, "warmup_epochs": 1, "device": "cpu", "logger": logger} | training,
    )


def study_for(table, save_dir, logger, arms=("single_task", "kernel"), **study):
    config = config_for(table, save_dir, logger)
    return StudyRun(
        **(dict(config) | {"study": {"arms": arms, "folds": 2, "inputs": ("morgan",)} | study})
    )


def client(folder):
    pytest.importorskip("mlflow")
    pytest.importorskip("sqlalchemy")
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")


def runs_in(folder):
    found = client(folder)
    experiment = found.get_experiment_by_name("admet")
    return {run.info.run_name: run for run in found.search_runs([experiment.experiment_id])}


def weights_of(folder):
    return (folder / Files.WEIGHTS).read_bytes()


def test_a_csv_of_a_training_holds_what_its_history_holds_and_changes_no_byte(demo_csv, tmp_path):
    plain = train(config_for(demo_csv, tmp_path / "a", "none"))
    train(config_for(demo_csv, tmp_path / "b", "csv"))
    assert weights_of(tmp_path / "a") == weights_of(tmp_path / "b")
    assert not (tmp_path / "logs" / "a").exists()
    folder = tmp_path / "logs" / "b" / "version_0"
    logged = pd.read_csv(folder / "metrics.csv")
    history = pd.DataFrame(list(plain.history))
    for number, name in enumerate(TASKS, start=1):
        own = logged[f"network_{number}/val_loss"].dropna().tolist()
        assert own == history.loc[history["network"] == name, "val_loss"].tolist()
    scores = json.loads((tmp_path / "b" / Files.METRICS).read_text())["test"]
    assert logged["test/MAE/LogD"].dropna().item() == pytest.approx(
        scores["tasks"]["LogD"]["MAE"]["value"]
    )
    params = (folder / "hparams.yaml").read_text()
    assert "training.batch_size: '64'" in params
    assert "network_2/tasks: PAMPA" in params
    # A second training of the same name stands beside the first.
    train(config_for(demo_csv, tmp_path / "b", "csv"), overwrite=True)
    assert (tmp_path / "logs" / "b" / "version_1" / "metrics.csv").is_file()


def test_tensorboard_reads_what_was_written(demo_csv, tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = train(config_for(demo_csv, tmp_path / "run", "tensorboard", log_to=str(tmp_path / "t")))
    found = EventAccumulator(str(tmp_path / "t" / "run" / "version_0"))
    found.Reload()
    losses = [event.value for event in found.Scalars("network_2/val_loss")]
    expected = [row["val_loss"] for row in model.history if row["network"] == "PAMPA"]
    assert losses == pytest.approx(expected)
    assert "test/MAE/LogD" in found.Tags()["scalars"]


@pytest.mark.slow
def test_mlflow_has_a_study_as_parent_and_its_fits_as_children(demo_csv, tmp_path):
    client(tmp_path)
    words = [
        "study", "--data-path", str(demo_csv), "--save-dir", str(tmp_path / "s"),
        "--data.target-columns", *TASKS, "--data.split-type", "random",
        "--model.message-passing.hidden-size", "8", "--model.ffn.hidden-size", "8",
        "--training.epochs", "2", "--training.warmup-epochs", "1", "--training.logger", "mlflow",
        "--study.folds", "2", "--study.inputs", "morgan", "--study.workers", "2",
    ]  # fmt: skip
    assert main([*words, "--study.arms", "single_task", "kernel"]) == 0
    runs = runs_in(tmp_path / "logs")
    parent = runs.pop("s")
    assert sorted(runs) == [
        f"{arm}-r0-f{fold}-s0" for arm in ("kernel", "single_task") for fold in (0, 1)
    ]
    assert {run.data.tags["mlflow.parentRunId"] for run in runs.values()} == {parent.info.run_id}
    assert {run.info.status for run in (parent, *runs.values())} == {"FINISHED"}
    child = runs["single_task-r0-f1-s0"]
    assert child.data.params["arm"] == "single_task"
    assert child.data.params["fold"] == "1"
    steps = client(tmp_path / "logs").get_metric_history(child.info.run_id, "network_1/val_loss")
    assert [metric.step for metric in steps] == [1, 2]
    results = pd.read_csv(tmp_path / "s" / "results.csv")
    own = results[(results["metric"] == "MAE") & (results["task"] == "LogD")]
    for fold in (0, 1):
        row = own[(own["arm"] == "kernel") & (own["fold"] == fold)]
        logged = runs[f"kernel-r0-f{fold}-s0"].data.metrics["test/MAE/LogD"]
        assert logged == pytest.approx(row["value"].item())
    mean = own[own["arm"] == "kernel"]["value"].mean()
    assert parent.data.metrics["kernel/MAE/LogD"] == pytest.approx(mean)
    # The same study with one arm more goes on in the same run, though a parameter changed.
    assert main([*words, "--study.arms", "single_task", "kernel", "boosted"]) == 0
    runs = runs_in(tmp_path / "logs")
    assert len(runs) == 7
    assert runs["s"].info.run_id == parent.info.run_id
    assert runs["boosted-r0-f0-s0"].data.tags["mlflow.parentRunId"] == parent.info.run_id


def test_a_study_has_a_folder_for_each_fit(demo_csv, tmp_path):
    study = run(study_for(demo_csv, tmp_path / "s", "csv", ("multi_task", "kernel"), workers=1))
    logs = tmp_path / "logs" / "s"
    assert sorted(p.name for p in logs.iterdir()) == [
        "kernel-r0-f0-s0", "kernel-r0-f1-s0", "multi_task-r0-f0-s0", "multi_task-r0-f1-s0",
        "version_0",
    ]  # fmt: skip
    whole = pd.read_csv(logs / "version_0" / "metrics.csv")
    own = study.results.query("arm == 'kernel' and metric == 'MAE' and task == 'PAMPA'")
    assert whole["kernel/MAE/PAMPA"].item() == pytest.approx(own["value"].mean())
    fit = pd.read_csv(logs / "multi_task-r0-f1-s0" / "version_0" / "metrics.csv")
    assert fit["val_loss"].notna().sum() == 2


def test_neither_a_study_nor_an_unfinished_run_is_another_with_another_logger(demo_csv, tmp_path):
    keys = [
        identity_of(study_for(demo_csv, tmp_path / "s", logger), "x", {})["key"]
        for logger in ("none", "csv", "mlflow")
    ]
    assert len(set(keys)) == 1
    plain = config_for(demo_csv, tmp_path / "a", "none")
    assert _comparable(plain) == _comparable(config_for(demo_csv, tmp_path / "b", "csv"))


@pytest.mark.parametrize("kind", ["tensorboard", "mlflow"])
def test_a_missing_package_is_said_at_once(tmp_path, monkeypatch, kind):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == kind else real(name)
    )
    wanted = rf"`training.logger` {kind}.*pip install 'admet-grouping\[{kind}\]'"
    path = tmp_path / "t.csv"
    path.write_text("SMILES,LogD,PAMPA\n")
    with pytest.raises(ConfigError, match=wanted):
        train(config_for(path, tmp_path / "run", kind))
    with pytest.raises(ConfigError, match=wanted):
        run(study_for(path, tmp_path / "s", kind))
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


def test_a_place_that_cannot_be_written_is_said_before_any_work(demo_csv, tmp_path):
    (tmp_path / "file").write_text("")
    config = config_for(demo_csv, tmp_path / "run", "csv", log_to=str(tmp_path / "file" / "x"))
    with pytest.raises(
        ConfigError, match=r"`training.logger` csv cannot write to .*`training.log_to`"
    ):
        train(config)
    assert not (tmp_path / "run").exists()


def test_a_disk_that_fills_up_is_said_once_and_the_training_goes_on(
    demo_csv, tmp_path, monkeypatch, caplog
):
    from lightning.pytorch.loggers import CSVLogger

    plain = train(config_for(demo_csv, tmp_path / "a", "none"))

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CSVLogger, "log_metrics", full)
    train(config_for(demo_csv, tmp_path / "b", "csv"))
    assert caplog.text.count("training.logger wrote no further") == 1
    assert len(plain.history) == 4
    assert weights_of(tmp_path / "a") == weights_of(tmp_path / "b")


def test_names_that_mlflow_does_not_take_stay_apart(tmp_path):
    class Kept:
        def log_metrics(self, values, step):
            self.values = values

        def save(self):
            pass

    from admet.training.tracking import Tracker

    kept = Kept()
    Tracker(kept).metrics({"MAE/A+": 1.0, "MAE/A%": 2.0, "MAE/ER (B-A/A-B)": 3.0})
    assert kept.values == {"MAE/A_": 1.0, "MAE/A__": 2.0, "MAE/ER _B-A/A-B_": 3.0}


def test_the_place_follows_key_environment_and_folder(tmp_path, monkeypatch):
    pytest.importorskip("mlflow")
    config = config_for("t.csv", tmp_path / "run", "mlflow")
    assert Tracking.of(config).place == str(tmp_path / "logs")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert Tracking.of(config).store == "http://127.0.0.1:5000"
    own = config_for("t.csv", tmp_path / "run", "mlflow", log_to="sqlite:////x.db")
    assert Tracking.of(own).store == "sqlite:////x.db"
    assert Tracking.of(config_for("t.csv", tmp_path / "run", "none")) is None


def test_long_parameters_are_cut_and_sections_become_dots():
    assert flat({"a": {"b": [1, 2]}, "c": "x" * 600}) == {"a.b": "[1, 2]", "c": "x" * 500 + "…"}


def test_the_logger_of_a_study_without_networks_is_no_idle_key():
    config = study_for("t.csv", "s", "csv", ("kernel",))
    assert "training.logger" not in config.idle_keys()
    assert "training.epochs" in config.idle_keys()
    own = config_for("t.csv", "s", "none", log_to="x")
    assert own.idle_keys()["training.log_to"] == "logger is none"
