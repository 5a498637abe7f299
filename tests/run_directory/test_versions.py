"""Run directories of every schema version open, and predict what they did at first."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import admet
from admet.config.data import AssayLimits
from admet.data import read_split
from admet.errors import RunDirectoryError
from admet.inference import evaluate_run
from admet.run_directory import Files, read_spec
from admet.run_directory.layout import PLANS_VERSION
from admet.training.outputs import read_test

WRITTEN_BY = Path(__file__).parent / "written_by"


@pytest.mark.parametrize(
    ("version", "name"),
    [
        *[(v, f"schema_{v}") for v in range(1, PLANS_VERSION + 1)],
        (4, "schema_4_rules"),
    ],
)
def test_a_run_of_every_version_opens_and_predicts_the_same(version, name):
    folder = WRITTEN_BY / name
    assert json.loads((folder / Files.MODEL).read_text())["schema_version"] == version
    expected = pd.read_csv(folder.with_suffix(".csv"))
    model = admet.load(folder, device="cpu")
    found = model.predict(expected["SMILES"].tolist())
    assert list(found.columns) == list(expected.columns)
    names = [f"{name}_pred" for name in model.task_names]
    np.testing.assert_allclose(found[names], expected[names], rtol=1e-5)
    sides = {"train"} if version == PLANS_VERSION else {"train", "val", "test"}  # 7: of a study
    assert set(read_split(folder).values()) == sides


def test_a_run_keeps_how_labels_are_read():
    """Its transform, limits, map, identifiers and identity of molecules hold for later tables."""
    folder = WRITTEN_BY / "schema_4_rules"
    model = admet.load(folder, device="cpu")
    spec = model.spec
    assert [task.transform for task in spec.tasks] == ["none", "log10", "none"]
    assert spec.tasks[1].unit == "uL/min/mg"
    assert spec.tasks[0].labels.limits == AssayLimits(above=3.0)
    assert spec.tasks[2].labels.map == {"blocker": 1.0, "safe": 0.0}
    assert (spec.duplicates, spec.id_column) == ("ignore_isotopes", "Compound")
    table = WRITTEN_BY / "schema_4_rules_panel.csv"
    found = evaluate_run(folder, model, table, split="test", n_bootstrap=0)
    stored = read_test(folder)
    assert stored is not None
    assert found.scores.tasks["LogD"].n_limits == stored.tasks["LogD"].n_limits > 0
    for name, task in stored.tasks.items():
        for metric, value in task.values.items():
            expected = found.scores.tasks[name].values[metric].value
            assert value.value == (None if expected is None else pytest.approx(expected, rel=1e-4))


def test_groups_that_overlap_keep_who_serves_their_tasks():
    plans = [read_spec(WRITTEN_BY / f"schema_{version}").plan for version in (2, 3, 4)]
    assert plans[0].groups[0].tasks == ("LogD", "hERG")
    assert plans[0] == plans[1] == plans[2]
    assert plans[0].groups[0].serves == ("LogD", "hERG")
    assert plans[0].groups[1].serves == ("KSOL",)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"networks": []}, "is damaged"),
        ({"networks": [[["LogD"]]]}, "is damaged"),
        ({"networks": 7}, "is damaged"),
        ({"served_by": {}}, "`serves` must name, for 'LogD'"),
        ({"served_by": {"LogD": 99, "hERG": 0}}, "`serves` must name, for 'LogD'"),
        ({"served_by": {"LogD": -1, "hERG": 0}}, "`serves` must name, for 'LogD'"),
        ({"arm": "best"}, "arm"),
        ({"tasks": [1]}, "is damaged"),
        ({"schema_version": 0}, "`schema_version` must be a whole number from 1; got 0"),
        ({"schema_version": True}, "`schema_version` must be a whole number from 1; got True"),
    ],
)
def test_a_damaged_run_of_an_old_version_is_refused(tmp_path, change, message):
    run = tmp_path / "run"
    shutil.copytree(WRITTEN_BY / "schema_2", run)
    content = json.loads((run / Files.MODEL).read_text()) | change
    (run / Files.MODEL).write_text(json.dumps(content))
    with pytest.raises(RunDirectoryError, match=message):
        read_spec(run)
