import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

import admet
from admet.cli.__main__ import main
from admet.config.study import StudyRun
from admet.errors import ConfigError, RunDirectoryError
from admet.model.molecules import Molecules
from admet.run_directory.checksums import write_checksums
from admet.study import run

TARGETS = ("LogD", "hERG", "CLint")
KINDS = ["network", "mlps", "kernel", "trees", "joint_kernel"]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory, demo_frame):
    """A composite in which every kind of member has weight."""
    folder = tmp_path_factory.mktemp("composite")
    panel = folder / "panel.csv"
    frame = demo_frame.copy()
    frame["CLint"] = 10 ** frame["CLint"]
    frame.to_csv(panel, index=False)
    arms = ("multi_task", "frozen_own_heads", "kernel", "boosted", "joint_kernel")
    config = StudyRun(
        data_path=panel,
        save_dir=folder / "study",
        data={"target_columns": TARGETS, "transforms": {"CLint": "log10"}},
        model={"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16}},
        training={"epochs": 1},
        study={
            "arms": arms,
            "inputs": ["rdkit"],
            "folds": 2,
            "workers": 1,
            "frozen_mlp": {"hidden_size": 16, "epochs": 3},
            "boosted": {"n_trees": 5},
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("admet.study.composite._greedy", lambda tasks: np.full(5, 0.2))
        patch.setattr("admet.study.composite._CLEARLY", 1e9)  # no arm is clearly worse
        study = run(config)
    assert {w.round(3) for m in study.weights.values() for w in m.weights} == {0.2}
    return study.path / "model"


@pytest.mark.slow
def test_a_composite_is_the_weighted_mean_of_its_members(model_dir, demo_frame):
    model = admet.load(model_dir, device="cpu")
    smiles = demo_frame["SMILES"].head(30).tolist()
    predictor = model.predictor
    assert [m.kind for m in predictor.spec.members] == KINDS
    given = np.stack([m.predict(Molecules(smiles)) for m in predictor.members])
    found = predictor.predict_smiles(smiles)
    np.testing.assert_allclose(found.mean[:, :2], given.mean(axis=0)[:, :2], rtol=1e-6)
    logs = np.log10(given[:, :, 2]).mean(axis=0)
    np.testing.assert_allclose(np.log10(found.mean[:, 2]), logs, rtol=1e-6)
    assert found.spread[:, :2] == pytest.approx(given.std(axis=0)[:, :2])
    assert ((found.mean[:, 1] > 0) & (found.mean[:, 1] < 1)).all()


@pytest.mark.slow
def test_every_door_gives_the_same_predictions(model_dir, demo_frame, tmp_path):
    cells = ["CCO", "not a molecule", "", "C(=O)(O)c1ccccc1.[Na]", *demo_frame["SMILES"].head(5)]
    table = tmp_path / "new.csv"
    pd.DataFrame({"SMILES": cells, "n": range(len(cells))}).to_csv(table, index=False)
    output = tmp_path / "out.csv"
    words = ["predict", "--model-dir", str(model_dir), "--data-path", str(table)]
    assert main([*words, "--output", str(output)]) == 0
    by_command = pd.read_csv(output)
    by_python = admet.load(model_dir, device="cpu", batch_size=3).predict(cells)
    names = [f"{name}_pred" for name in TARGETS]
    np.testing.assert_allclose(by_command[names], by_python[names], rtol=1e-5)
    assert by_command["reason"].notna().tolist() == [False, True, True, *[False] * 6]


@pytest.mark.slow
def test_a_composite_is_evaluated_like_any_model(model_dir, tmp_path, capsys):
    panel = model_dir.parents[1] / "panel.csv"
    output = tmp_path / "e.json"
    words = ["evaluate", "--model-dir", str(model_dir), "--data-path", str(panel)]
    assert main([*words, "--n-bootstrap", "0", "--output", str(output)]) == 0
    said = capsys.readouterr().err
    assert re.search(r"was trained on (\d+) of the \1 molecules", said)
    assert json.loads(output.read_text())["tasks"].keys() == set(TARGETS)
    assert main([*words, "--split", "test"]) == 2


@pytest.mark.slow
def test_a_composite_keeps_what_it_needs_and_no_more(model_dir):
    model = admet.load(model_dir, device="cpu")
    with pytest.raises(ConfigError, match="mixture of models has no networks of its own"):
        model.networks  # noqa: B018
    assert json.loads((model_dir / "model.json").read_text())["schema_version"] == 7
    assert model.spec.scales.keys() == {"CLint"}


def damaged(arrays, name, value):
    return {
        k: value if k == name else v for k, v in arrays.items() if k != name or value is not None
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda a: damaged(a, "members.1.networks.0.layers.0", None),
            "holds of 'frozen_own_heads' does not",
        ),
        (
            lambda a: damaged(a, "members.0.networks.0.heads.0.0.0.weight", np.zeros((3, 3), "f4")),
            "holds of 'multi_task' does not fit",
        ),
        (lambda a: damaged(a, "members.2.X", np.full((3, 3), np.nan)), "holds NaN or infinity"),
        (
            lambda a: damaged(a, "members.3.tasks.0", np.frombuffer(b"\xff\xfe", np.uint8)),
            "holds of 'boosted' does not fit",
        ),
        (
            lambda a: damaged(a, "members.2.tasks.0.0.rows", np.array([10**6])),
            "holds of 'kernel' does not fit",
        ),
        (
            lambda a: damaged(a, "members.3.tasks.0", np.frombuffer(b"tree\nrubbish", np.uint8)),
            "holds of 'boosted' does not fit",
        ),
        (
            lambda a: damaged(a, "members.4.coefficients", np.zeros((3, 3))),
            "holds of 'joint_kernel' does not fit",
        ),
        (
            lambda a: damaged(a, "members.1.networks.0.serves", np.array([9, 9, 9])),
            "'frozen_own_heads'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_on_opening(model_dir, tmp_path, change, says):
    folder = tmp_path / "model"
    shutil.copytree(model_dir, folder)
    arrays = change(load_file(folder / "model.safetensors"))
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, folder / "model.safetensors")
    write_checksums(folder)
    with pytest.raises(RunDirectoryError, match=says):
        admet.load(folder, device="cpu")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("weights", [[1, 1, 1]], "must hold a number for each member and task"),
        ("weights", [[2] * 3, [-1] * 3, *[[0] * 3] * 3], "at least 0 and add up to 1"),
        ("members", [], "members"),
    ],
)
def test_a_description_that_breaks_a_rule_is_refused(model_dir, tmp_path, key, value, says):
    folder = tmp_path / "model"
    shutil.copytree(model_dir, folder)
    content = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(content | {key: value}))
    write_checksums(folder)
    with pytest.raises(RunDirectoryError, match=says):
        admet.load(folder, device="cpu")
