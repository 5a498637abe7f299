import json
import os
import signal
from contextlib import contextmanager

import lightning.pytorch as pl
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from admet.cli.__main__ import main
from admet.config import TrainConfig, TrainingConfig
from admet.config.targets import check_tasks
from admet.data import Split
from admet.data.demo import TASKS
from admet.errors import ConfigError, DataError, NumericalError, RunDirectoryError
from admet.featurize import featurize, unfold
from admet.kinds import REGRESSION
from admet.model.chemprop import BatchLoader, GraphBatch, GroupedNetwork, TaskLoss
from admet.model.chemprop.plan import NetworkPlan
from admet.model.chemprop.task_affinity.estimators import ESTIMATORS, AffinityEstimate
from admet.run_directory import Files, load_model, read_json, read_spec
from admet.training import read_test, train
from admet.training.callbacks import EpochRecorder, Interrupt
from admet.training.checkpoint import Checkpoint
from admet.training.fit import fit
from admet.training.lesson import Lesson
from admet.training.module import NetworkModule

SMALL = {
    "message_passing": {"hidden_size": 16},
    "ffn": {"hidden_size": 16, "num_layers": 1},
}


def config_for(path, save_dir, **sections):
    merged = {
        "data_path": path,
        "save_dir": save_dir,
        "data": {"target_columns": TASKS, "split_type": "random"},
        "model": SMALL,
        "training": {"epochs": 2, "warmup_epochs": 1},
    }
    for name, value in sections.items():
        merged[name] = merged.get(name, {}) | value if isinstance(value, dict) else value
    return TrainConfig(**merged)


def train_to(config, **keys):
    """Trains, and gives the folder of the run."""
    return train(config, **keys).run_dir


def test_a_run_directory_is_whole(trained):
    expected = [
        Files.CONFIG, Files.MODEL, Files.WEIGHTS, Files.RUN, Files.AFFINITY, "affinity.csv",
        "affinity_pairs.csv",
        Files.HEATMAP, Files.CLUSTERED, Files.SPLIT, Files.REJECTED, Files.STRUCTURES,
        Files.HISTORY, Files.METRICS, Files.DOUBT,
        Files.PREDICTIONS, Files.LOG, Files.CHECKSUMS, Files.REPORT,
    ]  # fmt: skip
    assert sorted(p.name for p in trained.iterdir()) == sorted(expected)
    assert not [p for p in trained.parent.iterdir() if p.name.startswith(".")]
    run = read_json(trained / Files.RUN)
    assert run["interrupted"] is False
    assert set(run["seconds"]) == {
        "read",
        "split",
        "featurize",
        "affinity",
        "pictures",
        "training",
        "test",
    }
    assert run["versions"]["chemprop"]
    assert len(run["data"]["sha256"]) == 64
    assert pd.read_csv(trained / Files.HISTORY)["epoch"].tolist() == [1, 2]
    split = pd.read_csv(trained / Files.SPLIT)
    assert split["smiles"].is_unique
    assert set(split["split"]) == {"train", "val", "test"}
    assert "Task affinity matrix computed:" in (trained / Files.LOG).read_text()


def test_groups_of_the_model_are_those_of_the_affinity(trained):
    spec = read_spec(trained)
    with np.load(trained / Files.AFFINITY, allow_pickle=False) as stored:
        groups = stored["group"]
    assert spec.plan.arm == "task_affinity"
    (network,) = spec.plan.networks
    assert len(network.groups) == 3
    for index, group in enumerate(network.groups):
        assert [TASKS[i] for i in np.flatnonzero(groups == index)] == list(group.tasks)


def test_scalers_come_from_the_training_side_only(trained, demo_frame):
    split = pd.read_csv(trained / Files.SPLIT)
    train_rows = split.loc[split["split"] == "train", "line"] - 2
    values = demo_frame["CLint"].iloc[train_rows].dropna()
    task = next(t for t in read_spec(trained).tasks if t.name == "CLint")
    assert task.mean == pytest.approx(values.mean())
    assert task.scale == pytest.approx(values.std(ddof=0))


@pytest.mark.slow
def test_the_resolved_config_trains_the_same_model_again(trained, tmp_path):
    content = yaml.safe_load((trained / Files.CONFIG).read_text())
    again = train_to(TrainConfig(**content | {"save_dir": tmp_path / "again"}))
    assert (again / Files.WEIGHTS).read_bytes() == (trained / Files.WEIGHTS).read_bytes()
    for name in (Files.PREDICTIONS, Files.SPLIT, "affinity.csv"):
        assert (again / name).read_bytes() == (trained / name).read_bytes()
    other = train_to(TrainConfig(**content | {"save_dir": tmp_path / "other", "seed": 7}))
    assert (other / Files.WEIGHTS).read_bytes() != (trained / Files.WEIGHTS).read_bytes()


@pytest.mark.parametrize(
    ("model", "arm", "n_networks"),
    [
        ({}, "multi_task", 1),
        ({"groups": "single_task"}, "single_task", 2),
        ({"groups": [["KSOL"], ["hERG"]]}, "manual_groups", 1),
        ({"groups": [["hERG"], ["KSOL"]], "share_encoder": False}, "manual_groups", 2),
    ],
)
def test_every_arm_is_the_same_command(demo_csv, tmp_path, model, arm, n_networks):
    config = config_for(
        demo_csv, tmp_path / "run", data={"target_columns": ["KSOL", "hERG"]}, model=model
    )
    model = train(config)
    assert model.run_dir == tmp_path / "run"
    assert model.spec.plan.arm == arm
    assert len(model.spec.plan.networks) == n_networks
    assert load_model(tmp_path / "run").spec == model.spec
    predictions = model.predict(["CCO", "c1ccccc1"])
    assert predictions["hERG_pred"].between(0, 1, inclusive="neither").all()
    assert predictions["KSOL_pred"].notna().all()
    assert not (tmp_path / "run" / Files.AFFINITY).exists()


def test_a_separate_network_is_the_single_task_network(demo_frame, tmp_path):
    """Training KSOL alone gives, bit for bit, the weights that it has among single tasks."""
    path = tmp_path / "sided.csv"
    sides = ["train", "train", "train", "val", "test"]
    demo_frame.assign(side=[sides[i % 5] for i in range(len(demo_frame))]).to_csv(path, index=False)
    split = {"split_type": "predefined", "split_column": "side"}
    models = [
        train(
            config_for(
                path,
                tmp_path / f"run{len(targets)}",
                data={"target_columns": targets, **split},
                model={"groups": "single_task"},
            )
        ).predictor
        for targets in (["KSOL", "LogD"], ["KSOL"])
    ]
    assert [len(model.networks) for model in models] == [2, 1]
    both, alone = (model.networks[0].state_dict() for model in models)
    assert all(torch.equal(both[name], alone[name]) for name in alone)
    history = pd.read_csv(tmp_path / "run2" / Files.HISTORY)
    assert history["network"].tolist() == ["KSOL", "KSOL", "LogD", "LogD"]


def test_a_task_without_training_labels_is_refused_in_every_arm(demo_frame, tmp_path):
    path = tmp_path / "sided.csv"
    frame = demo_frame.assign(side=["train", "train", "val", "test"] * 50)
    frame.loc[frame["side"] == "train", "KSOL"] = np.nan
    frame.to_csv(path, index=False)
    for groups in ("multi_task", "single_task"):
        config = config_for(
            path,
            tmp_path / "run",
            data={
                "target_columns": ["LogD", "KSOL"],
                "split_type": "predefined",
                "split_column": "side",
            },
            model={"groups": groups},
        )
        with pytest.raises(DataError, match="training side of the split for: KSOL"):
            train(config)


@contextmanager
def at_first_epoch(action):
    """Does something once the first epoch of a training has been recorded."""
    recorded = EpochRecorder.on_train_epoch_end

    def then_act(self, trainer, module):
        recorded(self, trainer, module)
        if len(self.history) == 1:
            action()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EpochRecorder, "on_train_epoch_end", then_act)
        yield


def test_a_table_that_vanishes_during_training_costs_nothing(demo_csv, tmp_path):
    config = config_for(demo_csv, tmp_path / "run", data={"target_columns": ["KSOL"]})
    with at_first_epoch(demo_csv.unlink):
        run = train_to(config)
    assert len(read_json(run / Files.RUN)["data"]["sha256"]) == 64


def test_keys_without_effect_are_named(demo_csv, tmp_path, caplog):
    train(
        config_for(
            demo_csv,
            tmp_path / "run",
            data={"target_columns": ["KSOL"], "split_column": "KSOL"},
            task_affinity={"n_groups": 7},
        )
    )
    said = [record.getMessage() for record in caplog.records]
    assert "task_affinity.enabled is false, so these do nothing: task_affinity.n_groups" in said
    assert "split_type is random, so these do nothing: data.split_column" in said


def test_overwriting_through_a_link_replaces_the_folder_behind_it(demo_csv, tmp_path):
    small = config_for(demo_csv, tmp_path / "real", data={"target_columns": ["KSOL"]})
    train(small)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    train(small.model_copy(update={"save_dir": tmp_path / "link"}), overwrite=True)
    assert (tmp_path / "link").is_symlink()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "panel.csv", "real"]


def test_batch_norm_trains_where_one_molecule_is_left_over(tiny):
    graphs, targets, split = tiny
    config = TrainConfig(model={"message_passing": {"hidden_size": 8, "batch_norm": True}}).model
    network = GroupedNetwork(config, PLAN, graphs.d_v, graphs.d_e)
    assert len(split.train) % 5 == 1
    lesson = Lesson.of(PLAN, graphs, targets, (REGRESSION,), split)
    training = TrainingConfig(epochs=1, batch_size=5)
    fit(network, lesson, training, 0, torch.device("cpu"), Checkpoint())


def test_a_filled_save_dir_is_left_alone_unless_told(demo_csv, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (run / "precious.txt").write_text("x")
    with pytest.raises(RunDirectoryError, match="exists and is not empty.*--overwrite"):
        train(config_for(demo_csv, run))
    with pytest.raises(RunDirectoryError, match="is not a run directory"):
        train(config_for(demo_csv, run), overwrite=True)
    assert (run / "precious.txt").read_text() == "x"
    small = config_for(demo_csv, tmp_path / "r2", data={"target_columns": ["KSOL", "LogD"]})
    train(small)
    before = (tmp_path / "r2" / Files.RUN).stat().st_mtime_ns
    train(small, overwrite=True)
    assert (tmp_path / "r2" / Files.RUN).stat().st_mtime_ns > before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["panel.csv", "r2", "run"]


def test_a_failure_leaves_nothing_behind(demo_csv, tmp_path):
    config = config_for(demo_csv, tmp_path / "run", data={"target_columns": ["Nope"]})
    with pytest.raises(ValueError, match="Nope"):
        train(config)
    assert [p.name for p in tmp_path.iterdir()] == ["panel.csv"]


def test_impossible_groups_are_refused_before_any_work(tmp_path):
    missing = tmp_path / "not-even-there.csv"
    config = config_for(
        missing,
        tmp_path / "run",
        data={"target_columns": ["A", "B"]},
        task_affinity={"enabled": True},
    )
    with pytest.raises(ConfigError, match=r"number of tasks \(2\); got 3"):
        train(config)
    for groups, message in [
        ([["A"], ["b"]], "names 'b'. Nearest: 'B'"),
        ([["A"]], r"left out: \['B'\]"),
        ([["A", "B"], ["B"]], r"twice: \['B'\]"),
    ]:
        with pytest.raises(ConfigError, match=message):
            check_tasks(config_for(missing, missing, model={"groups": groups}), ["A", "B"])


@pytest.fixture
def tiny():
    smiles = ["C" * (1 + i % 12) + "O" * (i % 3) for i in range(60)]
    graphs = featurize(smiles)
    length = np.array([s.count("C") for s in smiles], dtype=float)
    targets = ((length - length.mean()) / length.std())[:, None]
    return graphs, targets, Split.of(np.array([0, 0, 0, 1, 2] * 12))


PLAN = NetworkPlan.together(["length"])


def fit_tiny(tiny, **keys):
    graphs, targets, split = tiny
    torch.manual_seed(0)
    config = TrainConfig(model=SMALL).model
    network = GroupedNetwork(config, PLAN, graphs.d_v, graphs.d_e)
    training = TrainingConfig(**{"epochs": 40, "batch_size": 8, "learning_rate": 1e-2} | keys)
    lesson = Lesson.of(PLAN, graphs, targets, (REGRESSION,), split, "tiny")
    return network, fit(network, lesson, training, 0, torch.device("cpu"), Checkpoint())


def test_a_tiny_model_learns(tiny):
    network, result = fit_tiny(tiny)
    graphs, targets, _ = tiny
    network.eval()
    with torch.no_grad():
        outputs = network(GraphBatch.of(unfold(graphs, 3).batch(np.arange(60)))).numpy()
    assert np.square(outputs - targets).mean() < 0.05
    assert len(result.history) == 40


def test_the_best_epoch_is_kept(tiny):
    graphs, targets, split = tiny
    network, result = fit_tiny(tiny, epochs=12, learning_rate=0.05)
    losses = [row["val_loss"] for row in result.history]
    assert result.best_epoch == int(np.argmin(losses)) + 1
    network.eval()
    with torch.no_grad():
        outputs = network(GraphBatch.of(unfold(graphs, 3).batch(split.val))).numpy()
    assert np.square(outputs - targets[split.val]).mean() == pytest.approx(min(losses), rel=1e-4)


def test_patience_stops_early(tiny):
    _, result = fit_tiny(tiny, patience=1, epochs=200, learning_rate=0.05)
    assert len(result.history) < 200
    assert not result.interrupted


def test_the_rate_rises_and_falls_as_in_chemprop(tiny):
    _, result = fit_tiny(tiny, epochs=10, warmup_epochs=2, max_lr=1e-2, final_lr=1e-4)
    rates = [row["learning_rate"] for row in result.history]
    assert rates[1] == pytest.approx(1e-2)
    assert rates[-1] == pytest.approx(1e-4)
    assert rates[0] < rates[1]
    assert (np.diff(rates[1:]) < 0).all()


def test_without_validation_labels_the_last_weights_stay(tiny, caplog):
    graphs, targets, _ = tiny
    _, result = fit_tiny((graphs, targets, Split.of(np.zeros(60))), epochs=3, patience=2)
    assert result.best_epoch == 3
    assert "patience has no effect" in caplog.text


def test_a_loss_that_is_no_number_stops_with_its_place(tiny):
    graphs, targets, split = tiny
    with pytest.raises(NumericalError, match=r"in epoch 1, batch 1, at .*\. Lower training"):
        fit_tiny((graphs, targets * 1e30, split))


def test_ctrl_c_leaves_a_usable_run_directory(demo_csv, tmp_path, caplog):
    """SIGINT after the first epoch: the run stops in order, says so, and predicts."""

    before = signal.getsignal(signal.SIGINT)
    with at_first_epoch(lambda: os.kill(os.getpid(), signal.SIGINT)):
        run = train_to(
            config_for(
                demo_csv,
                tmp_path / "run",
                data={"target_columns": ["KSOL", "hERG"]},
                model={"groups": "single_task"},
                training={"epochs": 50},
            )
        )
    assert signal.getsignal(signal.SIGINT) is before
    assert read_json(run / Files.RUN)["interrupted"] is True
    assert len(pd.read_csv(run / Files.HISTORY)) == 1
    assert read_spec(run).task_names == ["KSOL"]
    assert load_model(run).predict("CCO")["KSOL_pred"].notna().all()
    assert "the model holds only KSOL" in caplog.text


@pytest.mark.parametrize(("network", "kept"), [(0, ["KSOL"]), (1, ["KSOL"])])
def test_a_network_cut_in_its_first_epoch_is_served_only_if_there_is_no_other(
    demo_csv, tmp_path, monkeypatch, network, kept
):
    trained = iter(range(2))
    step = Interrupt.on_train_batch_end

    def listen(self, trainer, *rest, **more):
        if not hasattr(self, "number"):
            self.number = next(trained)
            if self.number == network:
                os.kill(os.getpid(), signal.SIGINT)
        step(self, trainer, *rest, **more)

    monkeypatch.setattr(Interrupt, "on_train_batch_end", listen)
    run = train_to(
        config_for(
            demo_csv,
            tmp_path / "run",
            data={"target_columns": ["KSOL", "hERG"]},
            model={"groups": "single_task"},
            training={"epochs": 2, "batch_size": 8},
        )
    )
    assert read_spec(run).task_names == kept
    assert read_json(run / Files.RUN)["interrupted"] is True
    assert len(pd.read_csv(run / Files.HISTORY)) == (1 if network == 0 else 2)


def test_validation_loss_does_not_depend_on_batches(tiny):
    graphs, targets, _ = tiny
    losses = []
    for batch_size in (8, 60):
        torch.manual_seed(0)
        network = GroupedNetwork(TrainConfig(model=SMALL).model, PLAN, graphs.d_v, graphs.d_e)
        module = NetworkModule(network, TaskLoss([REGRESSION]), TrainingConfig(), 1, PLAN.tasks)
        trainer = pl.Trainer(
            accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False
        )

        loader = BatchLoader(unfold(graphs, 3), np.arange(60), targets, batch_size)
        losses.append(trainer.validate(module, loader, verbose=False)[0]["val_loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_metrics_are_strict_json(trained):
    text = (trained / Files.METRICS).read_text()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def test_the_scores_of_the_test_side_are_read_back(trained, tmp_path):
    stored = json.loads((trained / Files.METRICS).read_text())
    assert read_test(trained).to_json() == stored["test"]
    (tmp_path / Files.METRICS).write_text(json.dumps({"val": stored["val"]}))
    assert read_test(tmp_path) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "is damaged: it holds no object. Test the model with `admet evaluate`"),
        ('{"test": null}', "is damaged: it must be an object; got None. Test the model"),
        ('{"test": {"tasks": {"A": {}}}}', "is damaged: `tasks.A.kind` is missing. Test the model"),
    ],
)
def test_metrics_that_are_not_of_a_run_are_refused(tmp_path, content, message):
    (tmp_path / Files.METRICS).write_text(content)
    with pytest.raises(RunDirectoryError, match=message):
        read_test(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("share_encoder", ["true", "false"])
def test_overlapping_groups_are_trained_kept_and_served(
    demo_csv, tmp_path, small_flags, share_encoder, monkeypatch
):
    """A matrix for which the best two groups share a task, from the affinity to a prediction."""
    names = ["LogD", "KSOL", "PAMPA", "Papp"]
    matrix = np.full((4, 4), -0.5)
    matrix[0, 1] = matrix[1, 0] = 0.9
    matrix[1, 2] = 0.8  # KSOL helps PAMPA, which helps nobody
    matrix[2, 3] = matrix[1, 3] = 0.1

    class Given:
        def estimate(self, problem, config):
            return AffinityEstimate(matrix, np.ones((4, 4), dtype=int), 1, problem.n_common())

    monkeypatch.setitem(ESTIMATORS, "coregionalization", Given)
    run = tmp_path / "run"
    code = main(
        [
            "train", "--data-path", str(demo_csv), "--data.target-columns", *names,
            "--task-affinity.enabled", "true", "--task-affinity.n-groups", "3",
            "--task-affinity.clustering-method", "network_selection",
            "--model.share-encoder", share_encoder, "--data.split-type", "random",
            "--training.epochs", "2", "--training.warmup-epochs", "1", "--save-dir", str(run),
            *small_flags,
        ]
    )  # fmt: skip
    assert code == 0
    spec = read_spec(run)
    groups = spec.plan.groups
    held = [name for group in groups for name in group.tasks]
    assert len(held) > len(set(held)) == 4
    assert len(groups) == 3
    assert sorted(name for group in groups for name in group.serves) == sorted(names)
    model = load_model(run).predictor
    stored = pd.read_csv(run / Files.PREDICTIONS)
    batch = GraphBatch.of(
        unfold(featurize(stored["smiles"].tolist()), 3).batch(np.arange(len(stored)))
    )
    heads = [(network, head) for network in model.networks for head in network.heads]
    for task in spec.tasks:
        index = next(g for g, group in enumerate(groups) if task.name in group.serves)
        network, head = heads[index]
        place = groups[index].tasks.index(task.name)
        with torch.inference_mode():
            outputs = head(network.encoder(batch))[:, place].numpy()
        by_hand = outputs * task.scale + task.mean
        np.testing.assert_allclose(by_hand, stored[f"{task.name}_pred"], rtol=1e-3, atol=1e-4)
    assert (run / Files.CLUSTERED).exists()


def test_a_shared_activation_with_weights_is_saved_and_read(demo_csv, tmp_path, small_flags):
    run = tmp_path / "run"
    flags = [
        "--data.target-columns",
        "LogD",
        "--data.split-type",
        "random",
        "--training.epochs",
        "1",
    ]
    flags += ["--training.warmup-epochs", "0", *small_flags, "--model.ffn.num-layers", "3"]
    flags += ["--model.ffn.activation", "prelu", "--model.message-passing.activation", "prelu"]
    assert main(["train", "--data-path", str(demo_csv), "--save-dir", str(run), *flags]) == 0
    assert load_model(run).predict("CCO")["LogD_pred"].notna().all()
