"""The same run again: from its run directory, with a cold and a warm cache, and what stops it."""

import numpy as np
import pytest
import torch

from admet.cli.__main__ import main
from admet.config import ModelConfig, TrainConfig, TrainingConfig
from admet.data import Split
from admet.data.demo import TASKS, make_demo_panel
from admet.errors import NumericalError
from admet.featurize import featurize
from admet.kinds import REGRESSION
from admet.model.chemprop import GroupedNetwork
from admet.model.chemprop.plan import NetworkPlan, disjoint
from admet.run_directory import Files, read_json
from admet.training import train
from admet.training.checkpoint import Checkpoint
from admet.training.fit import fit
from admet.training.lesson import Lesson
from admet.training.module import NetworkModule

SMALL = {"message_passing": {"hidden_size": 16}, "ffn": {"hidden_size": 16, "num_layers": 1}}


def config_for(path, save_dir, **data):
    return TrainConfig(
        data_path=path,
        save_dir=save_dir,
        data={"target_columns": TASKS[:3], "split_type": "random"} | data,
        model=SMALL,
        task_affinity={"enabled": True, "n_groups": 2},
        training={"epochs": 2, "warmup_epochs": 1},
    )


def train_to(config, **keys):
    """Trains, and gives the folder of the run."""
    return train(config, **keys).run_dir


@pytest.mark.slow
def test_a_run_is_repeated_from_its_directory(demo_csv, tmp_path, capsys):
    run = train_to(config_for(demo_csv, tmp_path / "run"))
    again = tmp_path / "again"
    assert main(["train", "--repeat", str(run), "--save-dir", str(again)]) == 0
    assert (run / Files.WEIGHTS).read_bytes() == (again / Files.WEIGHTS).read_bytes()
    assert (run / Files.METRICS).read_bytes() == (again / Files.METRICS).read_bytes()
    threads = read_json(run / Files.RUN)["hardware"]["threads"]
    assert read_json(again / Files.RUN)["hardware"]["threads"] == threads
    capsys.readouterr()
    assert main(["train", "--repeat", str(run)]) == 2
    assert "is the run directory to repeat" in capsys.readouterr().err
    assert main(["train", "--repeat", str(run), "--config", "x.yaml"]) == 2
    capsys.readouterr()
    assert main(["train", "--repeat", str(tmp_path / "none")]) == 2
    assert "`repeat` must name a run directory" in capsys.readouterr().err
    demo_csv.write_text(demo_csv.read_text() + "CCCCCCCO,1,1,1,1,1,1,1,1\n")
    assert main(["train", "--repeat", str(run), "--save-dir", str(tmp_path / "third")]) == 2
    assert "is not the table of the run" in capsys.readouterr().err
    demo_csv.unlink()
    assert main(["train", "--repeat", str(run), "--save-dir", str(tmp_path / "third")]) == 2
    assert "does not exist" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cold_and_a_warm_cache_give_the_same_bits(tmp_path):
    path, cache = tmp_path / "panel.csv", tmp_path / "cache"
    make_demo_panel(400).to_csv(path, index=False)
    runs = [
        train_to(config_for(path, tmp_path / name, cache=kept, cache_dir=cache))
        for name, kept in (("none", False), ("cold", True), ("warm", True))
    ]
    assert list(cache.rglob("*.bin"))
    entry = next(cache.rglob("*.bin"))
    damaged = bytearray(entry.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    entry.write_bytes(bytes(damaged))
    runs.append(train_to(config_for(path, tmp_path / "damaged", cache=True, cache_dir=cache)))
    weights = {(run / Files.WEIGHTS).read_bytes() for run in runs}
    assert len(weights) == 1


@pytest.mark.slow
def test_one_and_two_processes_give_the_same_bits(tmp_path, monkeypatch):
    path = tmp_path / "panel.csv"
    make_demo_panel(300).to_csv(path, index=False)
    one = train_to(config_for(path, tmp_path / "one", cache=False))
    from admet import workers

    monkeypatch.setattr(workers, "PARALLEL_FROM", 0)
    monkeypatch.setattr(workers, "PART", 70)
    monkeypatch.setattr(workers, "n_cores", lambda: 2)
    two = train_to(config_for(path, tmp_path / "two", cache=False))
    for name in (Files.WEIGHTS, Files.PREDICTIONS, Files.SPLIT, "affinity.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


@pytest.mark.slow
def test_a_strangers_run_does_not_choose_where_this_one_writes(demo_csv, tmp_path, capsys):
    theirs = tmp_path / "theirs" / "run"
    run = train_to(config_for(demo_csv, theirs, cache=True, cache_dir=tmp_path / "their_cache"))
    moved = run.rename(tmp_path / "downloaded")
    capsys.readouterr()
    assert main(["train", "--repeat", str(moved)]) == 2
    assert "Add --save-dir with another folder" in capsys.readouterr().err
    assert not theirs.exists()
    assert main(["train", "--repeat", str(moved), "--save-dir", str(tmp_path / "again")]) == 0
    assert not theirs.exists()
    assert not (tmp_path / "their_cache").exists()


def tiny_pair(groups):
    """Gives graphs of sixty molecules, made-up targets of two tasks, and a fresh network."""
    graphs = featurize(make_demo_panel(60)["SMILES"].tolist())
    targets = np.random.default_rng(0).standard_normal((60, 2))
    torch.manual_seed(0)
    plan = NetworkPlan.of(disjoint(groups), ["t0", "t1"])
    network = GroupedNetwork(ModelConfig(**SMALL), plan, graphs.d_v, graphs.d_e)
    return graphs, targets, network


def fit_pair(graphs, targets, network, sides=None):
    split = Split.of(np.zeros(60) if sides is None else sides)
    lesson = Lesson.of(network.plan, graphs, targets, (REGRESSION, REGRESSION), split)
    config = TrainingConfig(epochs=1, precision="32", batch_size=16)
    fit(network, lesson, config, 0, torch.device("cpu"), Checkpoint())


@pytest.mark.parametrize("task", [0, 1])
def test_what_is_no_number_names_its_task(task):
    graphs, targets, network = tiny_pair([["t0", "t1"]])
    targets[3, task] = 1e30
    message = rf"loss became inf in epoch 1, batch \d, at t{task}\."
    with pytest.raises(NumericalError, match=message):
        fit_pair(graphs, targets, network)


def test_a_gradient_that_is_no_number_names_its_task_and_spares_the_weights(monkeypatch):
    graphs, targets, network = tiny_pair([["t0"], ["t1"]])

    class Cliff(torch.autograd.Function):
        """Leaves values as they are and makes the gradient of the second output infinite."""

        @staticmethod
        def forward(context, values):
            return values.clone()

        @staticmethod
        def backward(context, gradient):
            gradient = gradient.clone()
            gradient[:, 1] *= torch.inf
            return gradient

    outputs = network.slot_outputs
    monkeypatch.setattr(network, "slot_outputs", lambda g, i: Cliff.apply(outputs(g, i)))
    with pytest.raises(NumericalError, match=r"gradient became (nan|inf) in epoch 1, batch 1, at"):
        fit_pair(graphs, targets, network)
    assert all(torch.isfinite(p).all() for p in network.parameters())


def test_a_validation_loss_that_is_no_number_names_its_task():
    graphs, targets, network = tiny_pair([["t0", "t1"]])
    sides = np.repeat([0, 1], 30)
    targets[45, 1] = 1e30
    with pytest.raises(NumericalError, match=r"validation loss became inf in epoch 1, at t1\."):
        fit_pair(graphs, targets, network, sides)


def test_what_a_gpu_sees_late_is_still_seen_before_the_epoch_ends(monkeypatch):
    """A GPU is asked at some batches only; here at the first and the last of four."""
    monkeypatch.setattr(NetworkModule, "asks_late", True)
    batches = []
    step = NetworkModule.training_step

    def counted(self, batch, batch_idx):
        batches.append(torch.nan_to_num(batch.targets).abs().max() > 1e20)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(NetworkModule, "training_step", counted)
    graphs, targets, network = tiny_pair([["t0", "t1"]])
    targets[3, 0] = 1e30
    with pytest.raises(NumericalError) as caught:
        fit_pair(graphs, targets, network)
    where = batches.index(True) + 1
    assert f"loss became inf in epoch 1, batch {where}, at t0." in str(caught.value)
    assert len(batches) == 4 or where == 1
