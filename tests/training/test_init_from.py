"""Encoders that start from a file of Chemprop: read without running it, followed, remembered."""

import importlib
import json
import logging
import pickle

import numpy as np
import pytest
import torch
from chemprop import models, nn
from chemprop.data import BatchMolGraph, MoleculeDatapoint, MoleculeDataset

from admet.cli.__main__ import main
from admet.config import MessagePassingConfig, ModelConfig, TaskAffinityConfig, TrainConfig
from admet.config.study import StudyRun
from admet.data import build_panel, read_table, split_panel
from admet.errors import ConfigError, RunDirectoryError
from admet.featurize import featurize, unfold
from admet.model.chemprop import GraphBatch
from admet.model.chemprop.encoder import Encoder
from admet.model.chemprop.start import Start
from admet.model.inputs.minimol_graphs import package_file
from admet.run_directory import Files, read_json
from admet.study.folder import identity_of
from admet.training import plan_of, train
from admet.training.checkpoint import Keeper
from admet.training.start import following, origin_of, read_start

TASKS = ("LogD", "PAMPA")
module = importlib.import_module("admet.training.fit_model")  # its function has the same name
SMILES = ["CCO", "c1ccccc1C(=O)NC", "C", "CC(C)Cl"]


class Harm:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


def save(path, aggregation=None, batch_norm=True, seed=0, **passing):
    torch.manual_seed(seed)
    passing = {"d_h": 12, "depth": 2, "activation": "tanh", "bias": True} | passing
    model = models.MPNN(
        nn.BondMessagePassing(**passing),
        aggregation or nn.MeanAggregation(),
        nn.RegressionFFN(input_dim=passing["d_h"]),
        batch_norm=batch_norm,
    )
    if batch_norm:
        model.bn.running_mean.uniform_()
    models.save_model(path, model)
    return model.eval()


@pytest.fixture(scope="module")
def table_path(tmp_path_factory, demo_frame):
    path = tmp_path_factory.mktemp("start") / "panel.csv"
    demo_frame.to_csv(path, index=False)
    return path


def config_for(table, save_dir, path, **passing):
    return TrainConfig(
        data_path=table,
        save_dir=save_dir,
        data={"target_columns": TASKS, "split_type": "random"},
        model={
            "init_from": path,
            "ffn": {"hidden_size": 8, "num_layers": 1},
            "message_passing": passing,
        },
        training={"epochs": 2, "warmup_epochs": 1, "device": "cpu"},
    )


def test_an_encoder_gives_what_chemprop_gives(tmp_path):
    theirs = save(tmp_path / "m.pt")
    start = Start.read(tmp_path / "m.pt")
    config = MessagePassingConfig(**start.shape(MessagePassingConfig()))
    assert (config.aggregation, config.batch_norm, config.activation) == ("mean", True, "tanh")
    encoder = Encoder(config, start.file.d_v, start.file.d_e).eval()
    start.put_into(encoder)
    dataset = MoleculeDataset([MoleculeDatapoint.from_smi(s, [0.0]) for s in SMILES])
    graphs = unfold(featurize(SMILES), config.depth)
    with torch.no_grad():
        expected = theirs.fingerprint(BatchMolGraph([d.mg for d in dataset]))
        found = encoder(GraphBatch.of(graphs.batch(np.arange(len(SMILES)))))
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("groups", ["multi_task", "single_task"])
def test_every_encoder_starts_with_the_weights_of_the_file(
    table_path, tmp_path, monkeypatch, groups
):
    theirs = save(tmp_path / "m.pt").state_dict()
    config = config_for(table_path, tmp_path / "run", tmp_path / "m.pt")
    config = config.model_copy(update={"model": config.model.model_copy(update={"groups": groups})})
    begun, fit = [], module.fit

    def watched(network, *arguments, **keys):
        begun.append({k: v.clone() for k, v in network.encoder.state_dict().items()})
        return fit(network, *arguments, **keys)

    monkeypatch.setattr(module, "fit", watched)
    panel = build_panel(read_table(table_path), config.data)
    split = split_panel(panel, config.data, config.seed)
    plan = plan_of(config, panel.task_names)
    model = module.fit_model(panel, split, featurize(panel.smiles), config, plan)
    assert len(begun) == len(plan.networks)
    for weights in begun:
        for name, tensor in weights.items():
            assert torch.equal(tensor, theirs[name.replace("batch_norm.", "bn.")])
    assert model.networks.spec.model.message_passing.hidden_size == 12


def test_keys_that_are_not_set_follow_the_file(tmp_path, caplog):
    save(tmp_path / "m.pt")
    config = config_for("x.csv", "run", tmp_path / "m.pt", depth=2, dropout=0.1)
    caplog.set_level(logging.INFO)
    found = following(config, read_start(config))
    passing = found.model.message_passing
    assert (passing.hidden_size, passing.depth, passing.bias, passing.dropout) == (12, 2, True, 0.1)
    assert "The encoder follows m.pt: hidden_size 12, activation tanh, bias True" in caplog.text
    assert following(found, read_start(found)) == found
    own = config_for("x.csv", "run", tmp_path / "m.pt", aggregation="sum", batch_norm=False)
    kept = following(own, read_start(own)).model.message_passing
    assert (kept.aggregation, kept.batch_norm) == ("sum", False)


def test_another_shape_is_refused_with_both_values(tmp_path):
    save(tmp_path / "m.pt")
    config = config_for("x.csv", "run", tmp_path / "m.pt", hidden_size=32, bias=False)
    message = (
        r"`model.message_passing.hidden_size` is 32, in the file 12; "
        r"`model.message_passing.bias` is false, in the file true. Remove these keys"
    )
    with pytest.raises(ConfigError, match=message):
        following(config, read_start(config))


def test_an_encoder_alone_leaves_the_aggregation(tmp_path):
    theirs = nn.BondMessagePassing(d_h=16, depth=4)
    path = tmp_path / "mp.pt"
    torch.save({"hyper_parameters": theirs.hparams, "state_dict": theirs.state_dict()}, path)
    config = config_for("x.csv", "run", path, aggregation="mean")
    passing = following(config, read_start(config)).model.message_passing
    assert (passing.hidden_size, passing.depth, passing.aggregation) == (16, 4, "mean")


def test_a_file_of_another_head_or_aggregation_gives_its_encoder(tmp_path):
    save(tmp_path / "m.pt", nn.AttentiveAggregation(output_size=12), batch_norm=False)
    start = Start.read(tmp_path / "m.pt")
    assert start.file.alone
    assert "aggregation" not in start.shape(MessagePassingConfig())


def test_a_model_of_admet_ai_starts_an_encoder():
    start = Start.read(package_file("admet_ai", "resources/models/admet_regression/model_0.pt"))
    assert start.shape(MessagePassingConfig()) == {}
    encoder = Encoder(start.file.encoder, start.file.d_v, start.file.d_e)
    start.put_into(encoder)
    stored = start.file.weights["message_passing.W_h.weight"]
    assert torch.equal(encoder.message_passing.W_h.weight, stored)


def damaged(change):
    def make(path):
        save(path)
        content = torch.load(path, weights_only=False)
        change(content["state_dict"])
        torch.save(content, path)

    return make


def described(**changes):
    def make(path):
        save(path)
        content = torch.load(path, weights_only=False)
        content["hyper_parameters"]["message_passing"].update(changes)
        torch.save(content, path)

    return make


def spoil(weights):
    weights["message_passing.W_i.weight"][0, 0] = float("nan")


def atoms(path):
    part = nn.AtomMessagePassing(d_h=12)
    models.save_model(path, models.MPNN(part, nn.SumAggregation(), nn.RegressionFFN(input_dim=12)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "is no file"),
        (lambda path: path.mkdir(), "is no file"),
        (lambda path: path.write_bytes(b"PK\x03\x04"), "cannot be read as a model of Chemprop v2"),
        (lambda path: path.write_bytes(pickle.dumps(Harm())), "cannot be read as a model"),
        (lambda path: torch.save({"hyper_parameters": Harm()}, path), "holds no bond message"),
        (lambda path: save(path, d_v=80), "reads 80 atom and 14 bond features, not 72 and 14"),
        (atoms, "it is AtomMessagePassing"),
        (damaged(lambda w: w.pop("message_passing.W_h.weight")), "W_h.weight is missing"),
        (damaged(lambda w: w.update({"message_passing.W_x": torch.ones(1)})), "W_x is unknown"),
        (damaged(lambda w: w.pop("bn.weight")), "weight is missing"),
        (damaged(spoil), "W_i.weight holds NaN"),
        (damaged(lambda w: w.update({"message_passing.W_o.bias": torch.ones(3)})), "must have"),
        (damaged(lambda w: w.update({"message_passing.W_o.bias": 3})), "is no plain tensor"),
        (
            damaged(lambda w: w.update({"bn.bias": torch.ones(12).to_sparse()})),
            "is no plain tensor|cannot be read",
        ),
        (damaged(lambda w: w.update({"bn.bias": torch.ones(12, dtype=torch.int32)})), "of type"),
        (lambda path: torch.save({"hyper_parameters": torch.ones(2)}, path), "holds no bond"),
        (described(d_v=float("inf")), "holds no bond message passing"),
        (described(d_h="wide"), "holds no bond message passing"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_before_any_work(table_path, tmp_path, make, message):
    path = tmp_path / "m.pt"
    make(path)
    with pytest.raises(ConfigError, match=message) as caught:
        train(config_for(table_path, tmp_path / "run", path))
    assert "m.pt" in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_run_keeps_its_origin_and_is_resumed_and_repeated_with_it_only(
    table_path, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "m.pt"
    save(path)
    config = config_for(table_path, tmp_path / "run", path)
    keep = Keeper.on_train_epoch_end

    def dies(self, *arguments):
        keep(self, *arguments)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "on_train_epoch_end", dies)
        with pytest.raises(Exception, match="No space left"):
            train(config)
    before = path.read_bytes()
    save(path, seed=1)
    with pytest.raises(RunDirectoryError, match=r"The file of `model.init_from` changed"):
        train(config, resume=True)
    path.write_bytes(before)
    run = train(config, resume=True).run_dir
    whole = train(config.model_copy(update={"save_dir": tmp_path / "whole"})).run_dir
    assert (run / Files.WEIGHTS).read_bytes() == (whole / Files.WEIGHTS).read_bytes()
    origin = origin_of(read_start(config))
    assert read_json(run / Files.RUN)["init_from"] == origin["init_from"]
    assert origin["init_from"]["file"] == "m.pt"
    assert read_json(run / Files.MODEL)["schema_version"] == 4
    argv = ["train", "--repeat", str(run), "--save-dir"]
    assert main([*argv, str(tmp_path / "again")]) == 0
    again = tmp_path / "again" / Files.WEIGHTS
    assert (run / Files.WEIGHTS).read_bytes() == again.read_bytes()
    save(path, seed=1)
    capsys.readouterr()
    assert main([*argv, str(tmp_path / "third")]) == 2
    assert "is not the file of the run" in capsys.readouterr().err


def test_a_study_knows_the_file_that_its_fits_started_from(tmp_path):
    path = tmp_path / "m.pt"
    save(path)
    config = StudyRun(data_path="x.csv", model={"init_from": path}, study={"arms": ["multi_task"]})
    one = identity_of(config, "0", origin_of(read_start(config)))
    save(path, seed=1)
    other = identity_of(config, "0", origin_of(read_start(config)))
    assert one["key"] != other["key"]
    plain = identity_of(StudyRun(data_path="x.csv"), "0", {})
    assert "init_from" not in json.dumps(plain)


def test_who_does_not_read_it_says_so():
    unread = TaskAffinityConfig(estimator="residual").unread_of_network(
        ModelConfig(init_from="m.pt")
    )
    assert unread["init_from"] == "the affinity is measured on fresh weights"
    config = StudyRun(data_path="x.csv", model={"init_from": "m.pt"}, study={"arms": ["kernel"]})
    assert "model.init_from" in config.idle_keys()
