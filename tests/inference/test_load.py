"""`admet.load`: a model in Python follows the rules of the command."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

import admet
from admet.cli.__main__ import main
from admet.data.demo import TASKS
from admet.errors import ConfigError, DataError, DeviceError, RunDirectoryError

CELLS = [
    "CCO", "CC(=O)[O-].[Na+]", "CC(=O)O", "C*", "", "not a molecule", " OCC ", "CCO>>CC=O",
    "[13CH4]", None, "C[N+](=O)[O-]",
]  # fmt: skip


def test_python_predicts_what_the_command_predicts(trained, tmp_path):
    """The same cells through both doors: the same numbers, the same reasons."""
    frame = pd.DataFrame({"id": range(len(CELLS)), "SMILES": CELLS})
    frame.to_csv(tmp_path / "in.csv", index=False)
    words = ["predict", "--model-dir", str(trained), "--data-path", str(tmp_path / "in.csv")]
    assert main([*words, "--output", str(tmp_path / "out.csv"), "--device", "cpu"]) == 0
    written = pd.read_csv(tmp_path / "out.csv")
    model = admet.load(trained, device="cpu", batch_size=4)
    found = model.predict(frame)
    assert list(found.columns) == list(written.columns)
    assert found["reason"].tolist() == written["reason"].fillna("").tolist()
    names = [f"{name}_pred" for name in TASKS]
    np.testing.assert_allclose(found[names], written[names], rtol=1e-5)
    alone = model.predict(CELLS)
    pd.testing.assert_frame_equal(alone[names], found[names], rtol=1e-5)
    assert found["LogD_pred"][1] == pytest.approx(found["LogD_pred"][2])  # the same parent
    assert "wildcard" in found["reason"][3]
    assert found.loc[3, names].isna().all()
    assert found.attrs["units"] == dict.fromkeys(names, "")


def test_a_bare_string_is_one_molecule(trained):
    model = admet.load(trained)
    found = model.predict("CCO")
    assert len(found) == 1
    assert found["SMILES"].tolist() == ["CCO"]
    pd.testing.assert_frame_equal(found, model.predict(["CCO"]))
    pd.testing.assert_frame_equal(found, model.predict(np.array(["CCO"])))


def test_the_callers_frame_keeps_its_rows_and_its_index(trained):
    frame = pd.DataFrame({"structure": ["CCO", "x", "CCN"], "LogD_pred": ["a", "b", "c"]},
                         index=[7, 3, 5])  # fmt: skip
    before = frame.copy()
    found = admet.load(trained).predict(frame, "structure")
    pd.testing.assert_frame_equal(frame, before)
    assert found.index.tolist() == [7, 3, 5]
    assert found["LogD_pred"].tolist() == ["a", "b", "c"]
    assert found["LogD_pred_"].notna().tolist() == [True, False, True]
    series = frame["structure"]
    assert admet.load(trained).predict(series).index.tolist() == [7, 3, 5]


def test_what_is_no_molecules_is_refused(trained, tmp_path):
    model = admet.load(trained)
    for wrong in (7, {"SMILES": ["C"]}, np.zeros((2, 2))):
        with pytest.raises(DataError, match="`molecules` must be a SMILES, a list of them"):
            model.predict(wrong)
    with pytest.raises(DataError, match="SMILES column 'SMILES' is not in .* Nearest: 'smiles'"):
        model.predict(pd.DataFrame({"smiles": ["C"]}))
    with pytest.raises(DataError, match="`smiles_col` 'x' names a column of a DataFrame"):
        model.predict("CCO", smiles_col="x")
    with pytest.raises(ConfigError, match="`batch_size` should be greater than or equal to 1"):
        admet.load(trained, batch_size=0)
    with pytest.raises(ConfigError, match="`device` must be auto, cpu, cuda or cuda:N; got 'gpu'"):
        admet.load(trained, device="gpu")
    with pytest.raises(DeviceError, match="`device` is 'cuda:99'"):
        admet.load(trained, device="cuda:99")
    with pytest.raises(RunDirectoryError, match="does not exist"):
        admet.load(tmp_path / "none")


def test_opening_a_model_leaves_the_random_state_alone(trained):
    state = torch.get_rng_state()
    admet.load(trained).predict("CCO")
    assert torch.equal(torch.get_rng_state(), state)


def test_importing_the_package_costs_nothing():
    code = (
        "import sys, admet; sys.exit(any(m in sys.modules for m in ('torch', 'pandas', 'rdkit')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
