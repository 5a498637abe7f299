"""Structures and identifiers at every door: train, predict, evaluate, compare, the affinity."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import admet
from admet.cli.__main__ import main
from admet.data import read_molecules
from admet.data.chemistry import is_standard
from admet.featurize.encode import read_graphs

PANELS = Path(os.environ.get("ADMET_PANELS", "absent"))
MIXTURE = "a mixture of different molecules: c1ccccc1, c1ccncc1"


@pytest.fixture(scope="module")
def table(tmp_path_factory, demo_frame):
    frame = demo_frame[["SMILES", "LogD", "KSOL"]].copy()
    frame.insert(0, "Compound", [f"C-{i}" for i in range(len(frame))])
    both = frame[["LogD", "KSOL"]].notna().all(axis=1)
    frame = frame[both].head(60).reset_index(drop=True)
    frame.loc[1, "SMILES"] = frame.loc[0, "SMILES"] + ".Cl"
    frame.loc[2, "SMILES"] = "c1ccccc1.c1ccncc1"
    path = tmp_path_factory.mktemp("structures") / "table.csv"
    frame.to_csv(path, index=False)
    return path


def train(table, folder, *flags):
    words = [
        "train", "--data-path", str(table), "--data.target-columns", "LogD", "KSOL",
        "--data.split-type", "random", "--data.id-column", "Compound", "--training.epochs", "1",
        "--model.message-passing.hidden-size", "16", "--model.ffn.hidden-size", "16",
        "--save-dir", str(folder), *flags,
    ]  # fmt: skip
    assert main(words) == 0
    return folder


@pytest.fixture(scope="module")
def run(table):
    return train(table, table.parent / "run")


def test_the_run_tells_what_became_of_every_record(run, table):
    changed = pd.read_csv(run / "structures.csv")
    assert changed["line"].tolist() == [2, 3]
    assert changed["id"].tolist() == pd.read_csv(table)["Compound"].head(2).tolist()
    assert changed["why"].tolist() == [
        "one molecule with (line 3)", "salt stripped (chloride); one molecule with (line 2)",
    ]  # fmt: skip
    assert changed["LogD_n"].tolist() == [2, 2]
    rejected = pd.read_csv(run / "rejected.csv")
    assert rejected.columns.tolist() == ["line", "id", "smiles", "reason"]
    assert rejected["reason"].tolist() == [MIXTURE]
    split = pd.read_csv(run / "split.csv")
    assert split.columns.tolist() == ["line", "id", "smiles", "split"]
    assert split["id"][0] == "; ".join(changed["id"])
    tested = pd.read_csv(run / "test_predictions.csv")
    assert set(tested["id"]) <= set(split["id"])
    assert json.loads((run / "run.json").read_text())["changed_structures"] == 2


def test_predict_writes_the_structure_that_it_used(run, table, tmp_path):
    with_it, without = tmp_path / "with.csv", tmp_path / "without.csv"
    words = ["predict", "--model-dir", str(run), "--data-path", str(table), "--output"]
    assert main([*words, str(with_it), "--structure-column", "used"]) == 0
    assert main([*words, str(without)]) == 0
    found = pd.read_csv(with_it)
    assert (
        found.loc[0, "used"]
        == found.loc[1, "used"]
        == read_molecules([found["SMILES"][0]])[0].smiles
    )
    assert pd.isna(found.loc[2, "used"])
    assert found.loc[2, "reason"] == MIXTURE
    assert np.isnan(found.loc[2, "LogD_pred"])
    pd.testing.assert_frame_equal(found.drop(columns="used"), pd.read_csv(without))
    here = admet.load(run).predict(pd.read_csv(table), structure_column="used")
    assert here["used"].replace("", np.nan).equals(found["used"])
    assert here["reason"].fillna("").tolist() == found["reason"].fillna("").tolist()


def test_the_column_of_structures_may_have_another_name_in_the_test(run, table, tmp_path):
    renamed, result = tmp_path / "renamed.csv", tmp_path / "result.json"
    pd.read_csv(table).rename(columns={"SMILES": "Structure"}).to_csv(renamed, index=False)
    words = ["evaluate", "--model-dir", str(run), "--data-path", str(renamed), "--n-bootstrap", "9"]
    assert main([*words, "--output", str(result)]) == 2
    assert main([*words, "--output", str(result), "--smiles-column", "Structure"]) == 0
    evaluation = admet.evaluation.Evaluation.from_json(json.loads(result.read_text()), "x")
    split = pd.read_csv(run / "split.csv")
    assert evaluation.predicted.ids == split["id"].tolist()
    assert evaluation.predictions["id"].tolist() == split["id"].tolist() * 2
    assert [(r.reason, r.id[:2]) for r in evaluation.rejected] == [(MIXTURE, "C-")]
    words = ["compare_models", "--model-dirs", str(run), str(run / ".." / "run"), "--test-data"]
    assert main([*words, str(renamed), "--smiles-column", "Structure", "--n-bootstrap", "9"]) == 0


def test_identifiers_of_another_name_can_be_given(run, table, tmp_path):
    renamed, result = tmp_path / "renamed.csv", tmp_path / "result.json"
    pd.read_csv(table).rename(columns={"Compound": "No."}).to_csv(renamed, index=False)
    words = ["evaluate", "--model-dir", str(run), "--data-path", str(renamed), "--n-bootstrap", "0"]
    assert main([*words, "--output", str(result)]) == 0
    assert "ids" not in json.loads(result.read_text())["predictions"]
    assert main([*words, "--output", str(result), "--id-column", "No."]) == 0
    assert json.loads(result.read_text())["predictions"]["ids"][0].count("; ") == 1


def test_a_model_that_ignores_stereo_does_so_at_every_door(table, tmp_path):
    frame = pd.read_csv(table)
    frame.loc[3:4, "SMILES"] = ["C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1"]
    path = tmp_path / "stereo.csv"
    frame.to_csv(path, index=False)
    folder = train(path, tmp_path / "run", "--data.duplicates", "ignore_stereo")
    assert "stereo ignored; one molecule with (line 6)" in (folder / "structures.csv").read_text()
    model = admet.load(folder)
    found = model.predict(["C[C@H](N)c1ccccc1", "CC(N)c1ccccc1"], structure_column="used")
    assert found["used"].tolist() == ["CC(N)c1ccccc1"] * 2
    assert found["LogD_pred"][0] == found["LogD_pred"][1]
    words = ["evaluate", "--model-dir", str(folder), "--data-path", str(path), "--split", "train"]
    assert main([*words, "--n-bootstrap", "0"]) == 0


def test_the_affinity_lists_what_was_changed(table, tmp_path):
    words = [
        "compute_task_affinity", "--data-path", str(table), "--target-columns", "LogD", "KSOL",
        "--id-column", "Compound", "--save-path", str(tmp_path / "a.npz"), "--n-groups", "1",
        "--affinity-epochs", "1", "--affinity-runs", "1",
    ]  # fmt: skip
    assert main(words) == 0
    assert main(words) == 0  # its own files may be replaced
    assert pd.read_csv(tmp_path / "a_structures.csv")["line"].tolist() == [2, 3]
    assert pd.read_csv(tmp_path / "a_rejected.csv")["id"].str.startswith("C-").all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SMILES", "`id_column` names 'SMILES', which is the SMILES column or a target"),
        ("none", "Identifier column 'none' is not in"),
    ],
)
def test_a_column_of_identifiers_that_cannot_be_is_refused(table, tmp_path, name, message, capsys):
    words = ["train", "--data-path", str(table), "--data.target-columns", "LogD"]
    words += ["--data.id-column", name]
    assert main([*words, "--save-dir", str(tmp_path / "run")]) == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())  # boxed by the parser
    assert message in said


@pytest.mark.skipif(not PANELS.is_dir(), reason="ADMET_PANELS names no folder of public panels")
@pytest.mark.parametrize("file", ["biogen_adme_3521.csv", "az_dmpk.csv", "tox21.csv"])
def test_the_short_ways_agree_on_public_panels(file, monkeypatch):
    frame = pd.read_csv(PANELS / file)
    column = next(name for name in frame.columns if "smiles" in name.lower())
    cells = frame[column].sample(400, random_state=0).tolist()
    short = read_molecules(cells)
    _, _, reasons = read_graphs(cells, True)
    assert reasons == [molecule.reason for molecule in short]
    assert sum(is_standard(*_parsed(m.smiles)) for m in short if m.smiles) > 200
    monkeypatch.setattr("admet.data.chemistry.is_standard", lambda mol, smiles: False)
    assert read_molecules(cells) == short


def _parsed(smiles):
    from rdkit import Chem

    return Chem.MolFromSmiles(smiles), smiles
