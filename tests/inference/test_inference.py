import json
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from admet.cli.__main__ import main
from admet.data.demo import TASKS
from admet.errors import ConfigError, DataError, RunDirectoryError
from admet.inference import compare_results, compare_runs, evaluate_run, predict_table
from admet.run_directory import Files, load_model
from admet.run_directory.checksums import write_checksums
from admet.training import read_test
from admet.workers import WorkerPool


@pytest.fixture(scope="session")
def panel(trained):
    return trained.parent / "panel.csv"


def test_a_model_predicts_as_when_it_was_trained(trained):
    stored = pd.read_csv(trained / Files.PREDICTIONS)
    columns = [f"{name}_pred" for name in TASKS]
    predictions = load_model(trained).predict(stored["smiles"].tolist())[columns].to_numpy()
    expected = stored[columns].to_numpy()
    np.testing.assert_allclose(predictions, expected, atol=1e-5)


def test_predictions_do_not_depend_on_batch_or_neighbours(trained):
    smiles = ["CCO", "c1ccccc1", "CC(=O)O", "CCN"]
    whole = load_model(trained).predict(smiles)
    single = load_model(trained, batch_size=1).predict(smiles[::-1])[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(whole, single, atol=1e-5)
    assert load_model(trained).predict([]).shape == (0, len(TASKS) + 2)


def test_every_input_row_comes_back_in_order(trained, write_csv, tmp_path):
    path = write_csv('id,SMILES,note\n7,CCO,"a, b"\n8,xx,\n9\n10,,\n11,OCC.[Na+],\n')
    n_empty = predict_table(load_model(trained), path, tmp_path / "out" / "p.csv")
    out = pd.read_csv(tmp_path / "out" / "p.csv", dtype=str, keep_default_na=False)
    assert n_empty == 3
    assert out["id"].tolist() == ["7", "8", "9", "10", "11"]
    assert out["note"][0] == "a, b"
    assert out["reason"].tolist() == [
        "",
        "invalid SMILES",
        "has 1 cells where the header has 3",
        "empty SMILES",
        "",
    ]
    assert (out["LogD_pred"] == "").tolist() == [False, True, True, True, False]
    assert out["LogD_pred"][0] == out["LogD_pred"][4]  # the same parent


def test_numbers_of_a_parquet_input_keep_their_digits(trained, tmp_path):
    frame = pd.DataFrame({"SMILES": ["CCO", "x"], "value": [0.123456789012, 2.0], "n": [1, 2]})
    frame.to_parquet(tmp_path / "p.parquet")
    predict_table(load_model(trained), tmp_path / "p.parquet", tmp_path / "p.csv")
    out = pd.read_csv(tmp_path / "p.csv")
    assert out["value"].tolist() == frame["value"].tolist()
    assert out["n"].tolist() == [1, 2]
    assert np.isnan(out["LogD_pred"][1])


def test_columns_of_the_input_are_not_overwritten(trained, write_csv, tmp_path, caplog):
    path = write_csv("SMILES,LogD_pred,reason\nCCO,mine,mine too\n")
    predict_table(load_model(trained), path, tmp_path / "p.csv")
    out = pd.read_csv(tmp_path / "p.csv")
    assert out["LogD_pred"][0] == "mine"
    assert out["reason"][0] == "mine too"
    assert "LogD_pred_" in out.columns
    assert "reason_" in out.columns
    assert "columns of its own that are called LogD_pred, reason; they stay" in caplog.text
    assert "called LogD_pred_, reason_" in caplog.text


def test_predict_refuses_what_it_cannot_do(trained, write_csv, tmp_path):
    model = load_model(trained)
    path = write_csv("smi\nCCO\n")
    with pytest.raises(DataError, match="SMILES column 'SMILES' .* Nearest: 'smi'"):
        predict_table(model, path, tmp_path / "p.csv")
    predict_table(model, path, tmp_path / "p.csv", "smi")
    with pytest.raises(ConfigError, match="exists.*--overwrite"):
        predict_table(model, path, tmp_path / "p.csv", "smi")
    predict_table(model, path, tmp_path / "p.csv", "smi", overwrite=True)


def test_evaluation_of_the_test_side_is_what_training_wrote(trained, panel):
    result = evaluate_run(trained, load_model(trained), panel, split="test", n_bootstrap=50)
    stored = read_test(trained)
    for task in TASKS:
        metric = "AUROC" if task == "hERG" else "MAE"
        assert result.scores.tasks[task].n == stored.tasks[task].n
        assert result.scores.tasks[task].values[metric].value == pytest.approx(
            stored.tasks[task].values[metric].value, abs=1e-6
        )


def test_evaluating_on_training_molecules_is_said(trained, panel, caplog):
    evaluate_run(trained, load_model(trained), panel, n_bootstrap=0)
    assert "molecules: its metrics on them are no test" in caplog.text


def test_evaluation_takes_what_labels_there_are(trained, demo_frame, tmp_path, caplog):
    model = load_model(trained)
    path = tmp_path / "part.csv"
    demo_frame[["SMILES", "KSOL"]].to_csv(path, index=False)
    result = evaluate_run(trained, model, path, n_bootstrap=0)
    assert list(result.scores.tasks) == ["KSOL"]
    assert set(result.predictions["task"]) == {"KSOL"}
    assert "not evaluated: LogD, PAMPA" in caplog.text
    demo_frame[["SMILES"]].to_csv(path, index=False)
    with pytest.raises(DataError, match="none of the model's target columns"):
        evaluate_run(trained, model, path)
    pd.DataFrame({"SMILES": ["CCCCCCCl"], "KSOL": [1.0]}).to_csv(path, index=False)
    with pytest.raises(DataError, match="No molecule .* is on the 'test' side"):
        evaluate_run(trained, model, path, split="test")
    pd.DataFrame({"SMILES": ["CCO"], "hERG": [0.5]}).to_csv(path, index=False)
    with pytest.raises(DataError, match="'hERG' is binary.*0.5"):
        evaluate_run(trained, model, path)


@pytest.mark.slow
def test_both_forms_of_comparison_agree(trained, panel, tmp_path, small_flags):
    other = tmp_path / "other"
    common = ["--data-path", str(panel), "--data.target-columns", *TASKS, *small_flags]
    assert main(["train", *common, "--data.split-type", "random", "--training.epochs", "1",
                 "--save-dir", str(other)]) == 0  # fmt: skip
    runs = compare_runs([trained, other], panel, split="test", n_bootstrap=30)
    files = []
    for run in (trained, other):
        files.append(tmp_path / f"{run.name}.json")
        assert main(["evaluate", "--model-dir", str(run), "--data-path", str(panel), "--split",
                     "test", "--n-bootstrap", "5", "--output", str(files[-1])]) == 0  # fmt: skip
    results = compare_results(files, n_bootstrap=30)
    pd.testing.assert_frame_equal(runs.frame, results.frame)


def test_a_stranger_file_is_no_result(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{}")
    with pytest.raises(DataError, match="is not a result of `admet evaluate`"):
        compare_results([path, path])


def test_a_result_of_an_unknown_kind_is_damaged(tmp_path):
    content = {
        "schema_version": 4,
        "tasks": {"A": {"kind": "ordinal"}},
        "predictions": {"smiles": ["C"], "labels": {"A": [1]}, "predicted": {"A": [1]}},
    }
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match="unknown kinds"):
        compare_results([path, path])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "has schema version 99; this admet reads up to 4. Update admet"),
        ({"schema_version": None}, "`schema_version`"),
        ({"smiles": ["C", "C"]}, "a molecule stands twice"),
        ({"predicted": {"A": [1, float("nan")]}}, "no finite number"),
        ({"predicted": {"A": [1, float("inf")]}}, "no finite number"),
        ({"predicted": {"A": [1, None]}}, "predicted.A.1"),
        ({"predicted": {"A": [1, "1.5"]}}, "predicted.A.1"),
        ({"predicted": {"A": [1, True]}}, "predicted.A.1"),
        ({"predicted": {"A": [1, 10**400]}}, "not a result of"),
        ({"predicted": {"A": [1]}}, "differ in length"),
        ({"predicted": {}}, "KeyError"),
        ({"labels": {"A": [1, float("-inf")]}}, "no finite number"),
        ({"smiles": ["C", "\ud800"]}, "not a result of"),
    ],
)
def test_a_result_that_is_none_is_refused(tmp_path, change, message):
    content = {
        "schema_version": 4,
        "tasks": {"A": {"kind": "regression"}},
        "predictions": {
            "smiles": ["C", "CC"], "labels": {"A": [1, None]}, "predicted": {"A": [1, 2.5]},
        },
    }  # fmt: skip
    inner = {k: v for k, v in change.items() if k in content["predictions"]}
    content["predictions"] |= inner
    content |= {k: v for k, v in change.items() if k not in inner}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        compare_results([path, path])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda d: (d / Files.MODEL).unlink(), "is not a run directory: it has no model.json"),
        (lambda d: (d / Files.MODEL).write_text("{"), "cannot be read as JSON"),
        (lambda d: (d / Files.MODEL).write_text("[]"), "holds no object"),
        (lambda d: (d / Files.MODEL).write_text("{}"), "is damaged"),
        (lambda d: (d / Files.WEIGHTS).unlink(), "has no model.safetensors"),
        (lambda d: (d / Files.WEIGHTS).write_bytes(b"x" * 50), "is damaged"),
        (
            lambda d: (d / Files.WEIGHTS).write_bytes((d / Files.WEIGHTS).read_bytes()[:-100]),
            "is damaged",
        ),
        (
            lambda d: edit(d, lambda m: m | {"schema_version": 99}),
            "schema version 99; this admet reads up to 7. Update admet",
        ),
        (lambda d: edit(d, lambda m: m | {"d_v": 5}), "do not fit its model.json"),
        (lambda d: edit(d, widen), "do not fit its model.json: .* must have"),
        (lambda d: reweigh(d, lambda t: t.double()), "is of type torch.float64"),
        (lambda d: reweigh(d, lambda t: t * torch.nan), "holds NaN or infinity"),
        (lambda d: reweigh(d, lambda t: t.flatten()[:1]), "do not fit its model.json"),
        (lambda d: (d / Files.CHECKSUMS).unlink(), "has no SHA256SUMS"),
        (lambda d: (d / Files.SPLIT).unlink(), "has no split.csv"),
        (lambda d: (d / Files.CHECKSUMS).write_text("0 x"), "SHA256SUMS.*is damaged in line 1"),
        (lambda d: edit(d, lambda m: m | {"tasks": m["tasks"][1:]}), "must hold every task"),
    ],
)
def test_a_damaged_run_directory_is_refused(trained, tmp_path, damage, message):
    copy = tmp_path / "run"
    shutil.copytree(trained, copy)
    damage(copy)
    if "no model" not in message and "SUMS" not in message and "split" not in message:
        with pytest.raises(RunDirectoryError):
            load_model(copy)
        write_checksums(copy)  # the checks behind the sums hold alone, too
    with pytest.raises(RunDirectoryError, match=message):
        load_model(copy)


def widen(model):
    """Asks for more memory than there is."""
    shape = model["model"]["message_passing"] | {"hidden_size": 65_536}
    return model | {"model": model["model"] | {"message_passing": shape}}


def reweigh(folder, change):
    path = folder / Files.WEIGHTS
    save_file({name: change(t).contiguous() for name, t in load_file(path).items()}, path)


def edit(folder, change):
    path = folder / Files.MODEL
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def test_a_missing_run_directory(tmp_path):
    with pytest.raises(RunDirectoryError, match="does not exist. Check --model-dir"):
        load_model(tmp_path / "none")


@pytest.mark.slow
def test_parts_and_processes_do_not_show(trained, panel, tmp_path):
    """The same table in one part, in many, and read by two processes."""
    outputs = []
    for name, batch_size, n_workers in (("one", 1000, 1), ("many", 7, 1), ("pool", 16, 2)):
        model = load_model(trained, batch_size=batch_size)
        with WorkerPool(n_workers) as pool:
            predict_table(model, panel, tmp_path / f"{name}.csv", pool=pool)
        outputs.append(pd.read_csv(tmp_path / f"{name}.csv"))
    for other in outputs[1:]:
        pd.testing.assert_frame_equal(outputs[0], other, rtol=1e-4, atol=1e-5)


def test_a_fault_at_the_end_is_met_before_the_work(trained, tmp_path):
    (tmp_path / "t.csv").write_bytes(b"SMILES\n" + b"CCO\n" * 50 + b"C\xff\n")
    with pytest.raises(DataError, match="byte 0xff in line 52"):
        predict_table(load_model(trained), tmp_path / "t.csv", tmp_path / "o.csv")
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("bad", ["CC(C)(C)(C)C", "n", "C1CC", "CC#CC(=O)(=O)C", "O=C=O=C"])
def test_one_impossible_molecule_does_not_stop_the_others(trained, tmp_path, bad):
    rows = ["CCO", bad, "c1ccccc1O", "CC(=O)[O-]", bad, "OCC"]
    (tmp_path / "t.csv").write_text("SMILES\n" + "\n".join(rows) + "\n")
    model = load_model(trained)
    assert predict_table(model, tmp_path / "t.csv", tmp_path / "o.csv") == 2
    out = pd.read_csv(tmp_path / "o.csv")
    assert out["reason"].fillna("").tolist() == ["", "invalid SMILES", "", "", "invalid SMILES", ""]
    assert out["LogD_pred"].notna().tolist() == [True, False, True, True, False, True]
    assert out["LogD_pred"][0] == pytest.approx(out["LogD_pred"][5])
    assert model.predict(rows)["reason"].tolist() == out["reason"].fillna("").tolist()


def test_whole_numbers_of_a_parquet_input_stay_whole_in_every_part(trained, tmp_path):
    frame = pd.DataFrame({"SMILES": ["CCO"] * 5, "id": pd.array([1, 2, 3, None, 5], "Int64")})
    frame.to_parquet(tmp_path / "t.parquet")
    model = load_model(trained, batch_size=2)
    predict_table(model, tmp_path / "t.parquet", tmp_path / "o.csv")
    assert pd.read_csv(tmp_path / "o.csv", dtype=str)["id"].fillna("").tolist() == [
        "1", "2", "3", "", "5",
    ]  # fmt: skip


@pytest.mark.slow
def test_the_command_reads_a_long_table_in_processes(trained, tmp_path):
    """The workers start before torch is imported, which no test in this process can show."""
    smiles = ["CCO", "c1ccccc1", "not a molecule", "CC(=O)[O-]"] * 3000
    pd.DataFrame({"SMILES": smiles, "id": range(len(smiles))}).to_csv(
        tmp_path / "t.csv", index=False
    )
    words = [sys.executable, "-m", "admet.cli.predict", "--model-dir", str(trained)]
    words += ["--data-path", str(tmp_path / "t.csv"), "--output", str(tmp_path / "o.csv")]
    subprocess.run(words, check=True, capture_output=True)
    written = pd.read_csv(tmp_path / "o.csv")
    assert written["id"].tolist() == list(range(len(smiles)))
    assert (written["reason"].fillna("") != "").tolist() == [s == "not a molecule" for s in smiles]
    assert written["LogD_pred"].groupby(written["SMILES"]).nunique().max() == 1


def test_unseen_are_the_molecules_that_a_run_had_on_no_side(trained, panel, tmp_path):
    model = load_model(trained)
    with pytest.raises(DataError, match="had all .* molecules .* none is unseen"):
        evaluate_run(trained, model, panel, split="unseen")
    frame = pd.read_csv(panel)
    newer = frame.head(6).assign(SMILES=["CCCCCCO", "CCCCCCN", "CCCCCCCl", "CCCCCCF", "OCC", "NCC"])
    pd.concat([frame, newer]).to_csv(tmp_path / "june.csv", index=False)
    found = evaluate_run(trained, model, tmp_path / "june.csv", split="unseen", n_bootstrap=0)
    seen = set(pd.read_csv(trained / Files.SPLIT)["smiles"])
    canonical = ["CCCCCCO", "CCCCCCN", "CCCCCCCl", "CCCCCCF", "CCO", "CCN"]
    unseen = [smiles not in seen for smiles in canonical]
    assert list(found.predicted.smiles) == [
        s for s, new in zip(canonical, unseen, strict=True) if new
    ]
    assert found.split == "unseen"
    comparison = compare_runs([trained, trained], tmp_path / "june.csv", split="unseen")
    n_labels = newer[unseen][list(TASKS)].notna().sum()
    own = comparison.frame[comparison.frame["task"].isin(TASKS)]
    assert own["n"].tolist() == [n_labels[task] for task in own["task"]]
