"""Labels with limits, scales and codes from training to evaluation: every door reads alike."""

import json

import numpy as np
import pandas as pd
import pytest

import admet
from admet.cli.__main__ import main
from admet.data.demo import make_demo_panel
from admet.inference import compare_runs, evaluate_run
from admet.run_directory import load_model

SMALL = [
    "--model.message-passing.hidden-size", "16", "--model.ffn.hidden-size", "16",
    "--model.ffn.num-layers", "1", "--training.epochs", "1", "--training.warmup-epochs", "0",
    "--data.split-type", "random",
]  # fmt: skip


def run(*words):
    assert main([str(word) for word in words]) == 0


@pytest.fixture
def frame():
    return make_demo_panel(200, 0.0, seed=3)[["SMILES", "LogD", "CLint"]]


def test_limits_come_through_every_door(frame, tmp_path):
    table = tmp_path / "t.csv"
    top = frame["LogD"].quantile(0.7)
    frame["LogD"] = [f">{top:.6f}" if v > top else f"{v:.6f}" for v in frame["LogD"]]
    frame.to_csv(table, index=False)
    out = tmp_path / "run"
    columns = ["--data.target-columns", "LogD", "CLint"]
    limits = ["--data.limits", json.dumps({"CLint": {"below": 1.0}})]
    run("train", "--data-path", table, "--save-dir", out, *columns, *limits, *SMALL)
    tests = pd.read_csv(out / "test_predictions.csv", keep_default_na=False)
    assert set(tests["LogD_limit"]) == {">", ""}
    scores = json.loads((out / "metrics.json").read_text())["test"]["tasks"]
    assert scores["LogD"]["limits"] == (tests["LogD_limit"] == ">").sum()
    assert (out / "labels.csv").exists()  # labels beyond the declared limit
    run("evaluate", "--model-dir", out, "--data-path", table, "--split", "test",
        "--output", tmp_path / "e.json")  # fmt: skip
    again = json.loads((tmp_path / "e.json").read_text())
    for name, task in scores.items():
        assert again["tasks"][name]["n"] == task["n"]
        assert again["tasks"][name]["limits"] == task["limits"]
        assert again["tasks"][name]["MAE"]["value"] == pytest.approx(task["MAE"]["value"], rel=1e-4)
    assert set(again["predictions"]["limits"]) == {"LogD", "CLint"}
    run("compute_task_affinity", "--data-path", table, "--target-columns", "LogD", "CLint",
        *["--limits", limits[1]], "--n-groups", "2", "--affinity-runs", "1",
        "--save-path", tmp_path / "a.npz")  # fmt: skip
    assert len(pd.read_csv(tmp_path / "a_labels.csv")) == len(pd.read_csv(out / "labels.csv"))


def test_a_table_without_the_relation_column_is_read_with_a_warning(frame, tmp_path, capfd):
    frame["rel"] = np.where(frame["LogD"] > 3, ">", "=")
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.drop(columns="rel").to_csv(tmp_path / "u.csv", index=False)
    out = tmp_path / "run"
    run("train", "--data-path", tmp_path / "t.csv", "--save-dir", out, "--data.target-columns",
        "LogD", "--data.relation-columns", "LogD", "rel", *SMALL)  # fmt: skip
    run("evaluate", "--model-dir", out, "--data-path", tmp_path / "u.csv")
    assert "No relation column in" in capfd.readouterr().err


def test_scales_come_through_every_door(frame, tmp_path, capfd):
    table, out = tmp_path / "t.csv", tmp_path / "run"
    frame["CLint"] = 10 ** frame["CLint"]
    frame["LogD"] = 100 / (1 + np.exp(-frame["LogD"]))
    frame.to_csv(table, index=False)
    run("train", "--data-path", table, "--save-dir", out, "--data.target-columns", "LogD", "CLint",
        "--data.transforms", "LogD", "logit", "CLint", "auto", "--data.units", "CLint", "mL/min",
        *SMALL)  # fmt: skip
    assert "CLint: auto takes the transform log10" in capfd.readouterr().err
    logd, clint = json.loads((out / "model.json").read_text())["tasks"]
    assert (logd["transform"], clint["transform"], clint["unit"]) == ("logit", "log10", "mL/min")
    scores = json.loads((out / "metrics.json").read_text())["test"]["tasks"]
    assert scores["CLint"]["learnt"]["scale"] == "log10"
    predicted = admet.load(out, device="cpu").predict(["C" * n for n in range(1, 60)])
    assert predicted["LogD_pred"].between(0, 100).all()
    assert (predicted["CLint_pred"] > 0).all()
    assert predicted.attrs["units"] == {"LogD_pred": "", "CLint_pred": "mL/min"}
    run("evaluate", "--model-dir", out, "--data-path", table, "--split", "test",
        "--output", tmp_path / "e.json")  # fmt: skip
    again = json.loads((tmp_path / "e.json").read_text())["tasks"]
    for name, task in scores.items():
        for where in (lambda t: t, lambda t: t["learnt"]):
            expected = pytest.approx(where(task)["MAE"]["value"], rel=1e-4)
            assert where(again[name])["MAE"]["value"] == expected
    assert "on log10" in capfd.readouterr().out


def test_codes_come_through_every_door(frame, tmp_path):
    table, out = tmp_path / "t.csv", tmp_path / "run"
    high = frame["LogD"] > frame["LogD"].median()
    frame["LogD"] = np.where(high, "soluble", "poor")
    frame["CLint"] = np.where(high, "active", "inactive")
    frame.to_csv(table, index=False)
    run("train", "--data-path", table, "--save-dir", out, "--data.target-columns", "LogD", "CLint",
        "--data.label-maps", '{"LogD": {"soluble": 1, "poor": 0}}', *SMALL)  # fmt: skip
    scores = json.loads((out / "metrics.json").read_text())["test"]["tasks"]
    frame[high].to_csv(table, index=False)  # words of one class only
    run("evaluate", "--model-dir", out, "--data-path", table, "--output", tmp_path / "e.json")
    again = json.loads((tmp_path / "e.json").read_text())
    assert {task["kind"] for task in scores.values()} == {"binary"}
    assert set(again["predictions"]["labels"]["LogD"]) == {1.0}
    assert again["predictions"]["labels"]["LogD"] == again["predictions"]["labels"]["CLint"]


@pytest.fixture(scope="module")
def replicates(tmp_path_factory, demo_frame):
    """A table whose molecules stand there twice, and two models that average records otherwise."""
    folder = tmp_path_factory.mktemp("replicates")
    frame = demo_frame[["SMILES", "CLint"]].dropna().head(60)
    frame["CLint"] = 10 ** frame["CLint"]
    pd.concat([frame, frame.assign(CLint=3 * frame["CLint"])]).to_csv(folder / "t.csv", index=False)
    small = ["--model.message-passing.hidden-size", "8", "--model.ffn.hidden-size", "8"]
    for name, more in (
        ("raw", ["--data.units", "CLint", "uM"]),
        ("logged", ["--data.transforms", "CLint", "log10", "--data.units", "CLint", "uM"]),
    ):
        words = ["--data-path", str(folder / "t.csv"), "--data.target-columns", "CLint", *more]
        words += ["--save-dir", str(folder / name), "--training.epochs", "1", *small]
        assert main(["train", *words]) == 0
    return folder


def test_models_of_other_rules_meet_the_labels_of_the_first(replicates):
    runs = [replicates / "raw", replicates / "logged"]
    for order in (runs, runs[::-1]):
        compared = compare_runs(order, replicates / "t.csv", n_bootstrap=10).frame
        assert set(compared["model"]) == {"raw", "logged"}
        assert (compared["n"] == compared["n"].iloc[0]).all()


def test_a_label_that_a_transform_does_not_allow_is_tested_all_the_same(replicates, tmp_path):
    frame = pd.read_csv(replicates / "t.csv").head(20)
    frame.loc[0, "CLint"] = 0.0
    pd.concat([frame, frame.head(1)]).to_csv(tmp_path / "zero.csv", index=False)
    run = replicates / "logged"
    found = evaluate_run(run, load_model(run), tmp_path / "zero.csv", n_bootstrap=0)
    assert found.scores.tasks["CLint"].values["MAE"].value is not None
    assert found.predicted.labels[0, 0] == 0.0
    assert not np.isnan(found.predicted.labels).any()


def test_another_unit_of_a_table_is_said(replicates, tmp_path, caplog):
    text = (replicates / "t.csv").read_text().replace("SMILES,CLint\n", "SMILES,CLint\n,nM\n")
    (tmp_path / "nm.csv").write_text(text)
    run = replicates / "raw"
    evaluate_run(run, load_model(run), tmp_path / "nm.csv", n_bootstrap=0)
    assert "CLint is in nM in" in caplog.text
