"""The door: what a computation leaves, and the folder that it is kept in."""

import inspect
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pytest

from admet.config import ModelConfig
from admet.config.task_affinity import EstimatorName
from admet.errors import ConfigError, DataError, NoGradientStepsError
from admet.model.chemprop.task_affinity import (
    TaskAffinityComputer,
    TaskAffinityConfig,
    affinity_matrix_to_dataframe,
    compute_task_affinity,
)
from admet.model.chemprop.task_affinity.archive import AffinityArchive
from admet.model.chemprop.task_affinity.estimators import ESTIMATORS
from admet.run_directory import Files

SMALL = ModelConfig(message_passing={"hidden_size": 16}, ffn={"hidden_size": 16, "num_layers": 1})
COLUMNS = ["LogD", "KSOL", "PAMPA", "hERG"]
QUICK = TaskAffinityConfig(n_groups=2, affinity_runs=2, affinity_hidden_size=16)
KEPT = [
    "affinity.csv", "affinity.npz", "affinity.png", "affinity_clustered.png", "affinity_pairs.csv",
]  # fmt: skip


def test_the_table_holds_what_the_configuration_names():
    assert tuple(ESTIMATORS) == get_args(EstimatorName)


@pytest.mark.parametrize(
    "door", [compute_task_affinity, TaskAffinityComputer.compute_from_dataframe]
)
def test_columns_have_one_name_at_every_door(door):
    assert {"smiles_col", "target_cols"} <= inspect.signature(door).parameters.keys()


def test_a_computer_keeps_the_last_matrix_only(demo_frame):
    computer = TaskAffinityComputer(QUICK, SMALL)
    assert computer.affinity_matrix is computer.task_names is None
    matrix, names = computer.compute_from_dataframe(
        demo_frame, smiles_col="SMILES", target_cols=COLUMNS
    )
    assert np.array_equal(computer.affinity_matrix, matrix)
    assert computer.task_names == names == COLUMNS
    computer.compute_from_dataframe(demo_frame, "SMILES", COLUMNS[:2])
    assert computer.affinity_matrix.shape == (2, 2)
    assert computer.task_names == COLUMNS[:2]
    with pytest.raises(DataError):
        computer.compute_from_dataframe(demo_frame, "SMILES", ["nothing"])
    assert computer.affinity_matrix is computer.task_names is None


def compute(frame, folder, **more):
    return compute_task_affinity(frame, "SMILES", COLUMNS, QUICK, SMALL, save_path=folder, **more)


def test_a_computation_is_kept_in_a_folder(demo_frame, tmp_path):
    folder = tmp_path / "new" / "folder"
    frame = demo_frame.dropna(how="all", subset=COLUMNS)  # no row is left out
    matrix, names, groups = compute(frame, str(folder))
    assert sorted(p.name for p in folder.iterdir()) == KEPT
    assert {Files.AFFINITY, Files.HEATMAP, Files.CLUSTERED} <= set(KEPT)
    stored = AffinityArchive.read(folder / "affinity.npz")
    assert np.array_equal(stored.matrix, matrix)
    assert list(stored.names) == names
    assert [list(group.tasks) for group in stored.grouping.groups] == groups
    table = pd.read_csv(folder / "affinity.csv", index_col=0)
    pd.testing.assert_frame_equal(table, affinity_matrix_to_dataframe(matrix, names))
    compute(frame.iloc[:150], folder)  # what it has written itself it may replace
    assert not np.array_equal(AffinityArchive.read(folder / "affinity.npz").matrix, matrix)


def test_rows_left_out_are_listed_beside(demo_frame, tmp_path):
    frame = demo_frame.copy()
    frame.loc[frame.index[3], "SMILES"] = "no molecule"
    compute(frame, tmp_path)
    rejected = pd.read_csv(tmp_path / "affinity_rejected.csv")
    assert "no molecule" in rejected["smiles"].tolist()


@pytest.mark.parametrize("name", KEPT)
def test_what_others_wrote_is_not_replaced_and_no_work_is_done(
    demo_frame, tmp_path, name, monkeypatch
):
    monkeypatch.setattr(TaskAffinityComputer, "compute", lambda *_: pytest.fail("work was done"))
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigError, match="`save_path` .*would replace"):
        compute(demo_frame, tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_a_path_that_is_no_folder_is_refused(demo_frame, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    for path in (file, tmp_path / "a.npz"):
        with pytest.raises(ConfigError, match="`save_path` must name a folder"):
            compute(demo_frame, path)
    with pytest.raises(ConfigError, match="lies below"):
        compute(demo_frame, file / "below")
    assert list(tmp_path.iterdir()) == [file]


def test_a_run_directory_is_left_alone(demo_frame, trained):
    before = (trained / Files.AFFINITY).read_bytes()
    with pytest.raises(ConfigError, match="belongs to a run directory"):
        compute(demo_frame, trained)
    assert (Path(trained) / Files.AFFINITY).read_bytes() == before


def test_a_frame_is_read_once(demo_frame, monkeypatch):
    calls = []

    def counted(name):
        module = f"admet.data.build.{name}"
        real = getattr(__import__("admet.data.build", fromlist=[name]), name)
        monkeypatch.setattr(module, lambda *a, **k: calls.append(name) or real(*a, **k))

    counted("read_labels")
    counted("read_molecules")
    TaskAffinityComputer(QUICK, SMALL).compute_from_dataframe(demo_frame, "SMILES", COLUMNS)
    assert calls == ["read_labels", "read_molecules"]


@pytest.mark.parametrize("changes", [{"SMILES": "xx"}, dict.fromkeys(COLUMNS, np.nan)])
def test_nothing_to_learn_from_says_so(demo_frame, changes):
    with pytest.raises(NoGradientStepsError, match="No gradient steps were performed"):
        compute(demo_frame.assign(**changes), None)
    with pytest.raises(DataError, match="has no label"):  # one task of several is another matter
        compute(demo_frame.assign(KSOL=np.nan), None)
