"""An interrupted training goes on to the weights of one that never stopped."""

import json
import pickle
import shutil

import numpy as np
import pytest
import torch
from filelock import FileLock

from admet.cli.__main__ import main
from admet.config import TrainConfig
from admet.data.demo import TASKS
from admet.errors import ConfigError, RunDirectoryError
from admet.files import read_sealed, write_sealed
from admet.run_directory import Files, load_model, read_json
from admet.training import train
from admet.training.checkpoint import Checkpoint, Keeper

SMALL = {
    "message_passing": {"hidden_size": 16, "dropout": 0.2},
    "ffn": {"hidden_size": 16, "num_layers": 1},
}


def config_for(path, save_dir, **training):
    return TrainConfig(
        data_path=path,
        save_dir=save_dir,
        data={"target_columns": TASKS[:4], "split_type": "random"},
        model=SMALL,
        task_affinity={"enabled": True, "n_groups": 2},
        training={"epochs": 4, "warmup_epochs": 1} | training,
    )


def train_to(config, **keys):
    """Trains, and gives the folder of the run."""
    return train(config, **keys).run_dir


def stop_after(monkeypatch, n_epochs):
    """Lets the program die after so many epochs, whatever network they belong to."""
    keep = Keeper.on_train_epoch_end
    count = 0

    def dies(self, *arguments):
        nonlocal count
        keep(self, *arguments)
        count += 1
        if count == n_epochs:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Keeper, "on_train_epoch_end", dies)
    return lambda: monkeypatch.setattr(Keeper, "on_train_epoch_end", keep)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_epochs", "training", "share"),
    [
        (1, {}, None),
        (2, {"patience": 1, "learning_rate": 0.05}, None),
        (4, {"gradient_clip": 0.1, "weight_decay": 0.01}, None),
        (5, {}, False),
        (2, {"precision": "bf16-mixed"}, None),
        (2, {"weight_averaging": "ema"}, None),
        (3, {"weight_averaging": "swa", "swa_start": 0.25}, None),
    ],
)
def test_a_resumed_run_has_the_same_bits(
    demo_csv, tmp_path, monkeypatch, n_epochs, training, share
):
    def config(name):
        found = config_for(demo_csv, tmp_path / name, **training)
        model = found.model.model_copy(update={"share_encoder": share})
        return found.model_copy(update={"model": model})

    whole = train_to(config("whole"))
    back = stop_after(monkeypatch, n_epochs)
    if "patience" not in training:
        with pytest.raises(OSError, match="No space left"):
            train(config("cut"))
    else:  # the patience may end it before
        try:
            train(config("cut"))
        except OSError:
            pass
        else:
            pytest.fail("the training was not cut")
    back()
    assert not (tmp_path / "cut").exists()
    resumed = train_to(config("cut"), resume=True)
    assert (whole / Files.WEIGHTS).read_bytes() == (resumed / Files.WEIGHTS).read_bytes()
    assert (whole / Files.METRICS).read_bytes() == (resumed / Files.METRICS).read_bytes()
    assert (whole / Files.PREDICTIONS).read_bytes() == (resumed / Files.PREDICTIONS).read_bytes()
    with np.load(whole / Files.AFFINITY) as a, np.load(resumed / Files.AFFINITY) as b:
        assert np.array_equal(a["affinity_matrix"], b["affinity_matrix"])
    columns = ["network", "epoch", "train_loss", "val_loss", "learning_rate"]
    rows = [
        [line.split(",")[: len(columns)] for line in (d / Files.HISTORY).read_text().splitlines()]
        for d in (whole, resumed)
    ]
    assert rows[0] == rows[1]
    assert read_json(resumed / Files.RUN)["resumed"] == 1
    assert not (resumed / Files.CHECKPOINTS).exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


@pytest.mark.slow
def test_an_unfinished_run_is_neither_lost_nor_mixed(demo_csv, tmp_path, monkeypatch):
    back = stop_after(monkeypatch, 2)
    config = config_for(demo_csv, tmp_path / "run")
    with pytest.raises(OSError, match="No space left"):
        train(config)
    back()
    with pytest.raises(RunDirectoryError, match="Add --resume to go on with it, or --overwrite"):
        train(config)
    other = config_for(demo_csv, tmp_path / "run", batch_size=32)
    with pytest.raises(RunDirectoryError, match=r"training.batch_size was 64, is 32"):
        train(other, resume=True)
    state = tmp_path / ".run.part" / Files.CHECKPOINTS / "state.bin"
    kept = state.read_bytes()
    state.write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
    with pytest.raises(RunDirectoryError, match="is damaged, so the run cannot go on"):
        train(config, resume=True)
    state.write_bytes(pickle.dumps({"network": 0}))
    with pytest.raises(RunDirectoryError, match="is damaged"):
        train(config, resume=True)
    state.write_bytes(kept)
    demo_csv_of_another_day = tmp_path / "other.csv"
    demo_csv_of_another_day.write_text(demo_csv.read_text() + "CCCCCCCO,1,1,1,1,1,1,1,1\n")
    moved = config_for(demo_csv_of_another_day, tmp_path / "run")
    with pytest.raises(RunDirectoryError, match="The table changed"):
        train(moved, resume=True)
    assert train_to(config, overwrite=True) == tmp_path / "run"
    assert train_to(config, resume=True) == tmp_path / "run"  # finished: nothing to do


@pytest.mark.slow
def test_resume_begins_where_nothing_is_there(demo_csv, tmp_path):
    run = train_to(config_for(demo_csv, tmp_path / "run", epochs=1), resume=True)
    assert load_model(run).predict("CCO")["LogD_pred"].notna().all()


@pytest.mark.slow
def test_a_second_run_into_the_same_folder_is_refused(demo_csv, tmp_path):
    config = config_for(demo_csv, tmp_path / "run", epochs=1)
    with FileLock(tmp_path / ".run.lock"), pytest.raises(RunDirectoryError, match="Another run"):
        train(config)
    train(config)  # a lock that nobody holds does not matter


@pytest.mark.slow
def test_a_run_that_was_being_replaced_comes_back(demo_csv, tmp_path):
    config = config_for(demo_csv, tmp_path / "run", epochs=1)
    train(config)
    (tmp_path / "run").rename(tmp_path / ".run.old")  # killed between two renames
    assert train_to(config, resume=True) == tmp_path / "run"
    assert (tmp_path / "run" / Files.RUN).exists()
    assert not (tmp_path / ".run.old").exists()


@pytest.mark.slow
def test_resuming_a_finished_run_removes_what_a_kill_left(demo_csv, tmp_path):
    config = config_for(demo_csv, tmp_path / "run", epochs=1)
    train(config)
    shutil.copytree(tmp_path / "run", tmp_path / ".run.part")  # the older run, just replaced
    (tmp_path / "run" / Files.CHECKPOINTS).mkdir()
    (tmp_path / ".run.lock").touch()
    before = (tmp_path / "run" / Files.RUN).read_bytes()
    assert train_to(config, resume=True) == tmp_path / "run"
    assert (tmp_path / "run" / Files.RUN).read_bytes() == before
    assert not (tmp_path / "run" / Files.CHECKPOINTS).exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_overwrite_and_resume_exclude_each_other(demo_csv, capsys):
    assert main(["train", "--data-path", str(demo_csv), "--overwrite", "--resume"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_a_state_survives_its_file(tmp_path):
    history = [{"epoch": 1, "val_loss": None}]
    state = Checkpoint(tmp_path / "state.bin", history=history, meta={"order": {"a": 2**100}})
    state.write()
    assert Checkpoint.read(tmp_path / "state.bin") == state
    write_sealed(tmp_path / "x.bin", b"12")
    assert read_sealed(tmp_path / "x.bin") == b"12"
    (tmp_path / "x.bin").rename(tmp_path / "y.bin")
    assert read_sealed(tmp_path / "y.bin") is None
    with pytest.raises(RunDirectoryError):
        Checkpoint.read(tmp_path / "y.bin")


@pytest.mark.slow
def test_overwriting_spares_what_is_not_of_the_run(demo_csv, tmp_path):
    config = config_for(demo_csv, tmp_path / "run", epochs=1)
    run = train_to(config)
    (run / "notes.md").write_text("mine")
    with pytest.raises(RunDirectoryError, match=r"holds what admet did not write: notes\.md"):
        train(config, overwrite=True)
    assert train_to(config, resume=True) == run  # which replaces nothing
    assert (run / "notes.md").read_text() == "mine"
    (run / "notes.md").rename(run / ".hidden")  # such as file managers leave
    train(config, overwrite=True)
    inside = config_for(run / "table.csv", run, epochs=1)
    shutil.copyfile(demo_csv, run / "table.csv")
    with pytest.raises((RunDirectoryError, ConfigError), match=r"did not write|lies in `save_dir`"):
        train(inside, overwrite=True)
    assert (run / "table.csv").exists()
    fresh = config_for(tmp_path / "new" / "table.csv", tmp_path / "new", epochs=1)
    with pytest.raises(ConfigError, match="lies in `save_dir`, which is replaced as a whole"):
        train(fresh)


def test_a_state_may_hold_what_a_training_may_meet(tmp_path):
    path = tmp_path / "state.bin"
    Checkpoint(path, 1, tensors={"adam.0.exp_avg_sq": torch.tensor([torch.inf])}).write()
    assert Checkpoint.read(path).tensors["adam.0.exp_avg_sq"].isinf().all()
    Checkpoint(path, 1, tensors={"network.W": torch.tensor([torch.nan])}).write()
    with pytest.raises(RunDirectoryError, match="it holds NaN or infinity"):
        Checkpoint.read(path)


def test_a_run_of_an_earlier_version_goes_on(demo_csv, tmp_path, monkeypatch):
    """Before the plan, the groups of an unfinished run stood in a file of another name."""
    config = config_for(demo_csv, tmp_path / "cut")
    whole = train_to(config_for(demo_csv, tmp_path / "whole"))
    back = stop_after(monkeypatch, 2)
    with pytest.raises(OSError, match="No space left"):
        train(config)
    back()
    kept = tmp_path / ".cut.part" / Files.CHECKPOINTS
    plan = json.loads(read_sealed(kept / "plan.bin"))
    groups = [group["tasks"] for network in plan["networks"] for group in network["groups"]]
    (kept / "plan.bin").unlink()
    older = {"arm": plan["arm"], "groups": groups, "serves": {}}
    write_sealed(kept / "groups.bin", json.dumps(older).encode())
    begun = json.loads(read_sealed(kept / "run.bin"))
    for section, keys in (("data", ("duplicates", "id_column")), ("training", ("limit_loss",))):
        for key in keys:  # which that version did not have
            del begun["config"][section][key]
    write_sealed(kept / "run.bin", json.dumps(begun).encode())
    resumed = train(config, resume=True)
    assert (whole / Files.WEIGHTS).read_bytes() == (resumed.run_dir / Files.WEIGHTS).read_bytes()
    assert len(resumed.history) == 4
    assert read_json(resumed.run_dir / Files.RUN)["resumed"] == 1
