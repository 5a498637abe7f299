"""Models as files of Chemprop and back: the same predictions, and refusals by name."""

import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from chemprop import models, nn
from chemprop.data import BatchMolGraph, MoleculeDatapoint, MoleculeDataset

import admet
from admet.cli.__main__ import main
from admet.config import NetworkConfig
from admet.errors import ConfigError, NumericalError, RunDirectoryError
from admet.exchange import export_run, import_chemprop
from admet.model.chemprop.chemprop_model import ChempropModel
from admet.model.chemprop.plan import Group, Plan, disjoint
from admet.model.chemprop.predictor import Predictor, build_networks
from admet.model.chemprop.spec import ModelSpec, TaskSpec
from admet.model.composite import CompositePredictor, CompositeSpec, MemberSpec, NetworkMember
from admet.model.inputs.minimol_graphs import package_file
from admet.model.trained_model import TrainedModel
from admet.run_directory import Files, load_model, read_json, write_model
from admet.run_directory.checksums import write_checksums

SMILES = ["CCO", "c1ccccc1C(=O)NC", "C", "CC(C)Cl", "O=S(=O)(N)c1ccc(C(F)(F)F)cc1", "[Na+].[Cl-]"]
SIZE = {"d_h": 12, "depth": 2}


class Harm:
    def __reduce__(self):
        return (exec, ("raise SystemExit('ran')",))


class LongArray:
    def __reduce__(self):
        return (bytearray, (10**11,))


RUN = "import json, sys; from chemprop.cli.main import main\nfor words in json.loads(sys.argv[1]):\n    sys.argv = words; main()"


def chemprop(*commands):
    """Runs commands of Chemprop by its entry point, one after the other in one process."""
    words = [["chemprop", *map(str, own), "--accelerator", "cpu"] for own in commands]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN, json.dumps(words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def predicting(table, model, out):
    return ("predict", "-i", table, "-s", "SMILES", "--model-paths", model, "-o", out)


def file_of(
    path, head=None, *, passing=None, agg=None, batch_norm=False, columns=("A", "B"), **hyper
):
    """Saves a model of Chemprop with random weights."""
    torch.manual_seed(0)
    passing = passing or nn.BondMessagePassing(**SIZE)
    head = head or nn.RegressionFFN(n_tasks=2, input_dim=12, hidden_dim=8)
    model = models.MPNN(passing, agg or nn.MeanAggregation(), head, batch_norm, **hyper)
    if batch_norm:
        model.bn.running_mean.uniform_()
        model.bn.running_var.uniform_(0.5, 2)
    models.save_model(path, model, None if columns is None else list(columns))
    return model.eval()


def theirs(model, smiles=SMILES):
    data = MoleculeDataset([MoleculeDatapoint.from_smi(s) for s in smiles])
    with torch.no_grad():
        return model(BatchMolGraph([datum.mg for datum in data])).numpy()


def ours(model, smiles=SMILES):
    return model.predict(smiles)[[f"{name}_pred" for name in model.task_names]].to_numpy()


def run_of(folder, plan, tasks, **shape):
    """Writes a run directory of untrained networks."""
    network = NetworkConfig(
        message_passing={"hidden_size": 12, "depth": 2} | shape, ffn={"hidden_size": 8}
    )
    spec = ModelSpec(
        smiles_column="SMILES", standardize=False, tasks=tasks, plan=plan, model=network,
        d_v=72, d_e=14,
    )  # fmt: skip
    return written(folder, TrainedModel(Predictor(spec, build_networks(spec))))


def written(folder, model):
    folder.mkdir()
    write_model(folder, model)
    (folder / Files.SPLIT).write_text("record,smiles,split\n")
    (folder / Files.RUN).write_text("{}")
    write_checksums(folder)
    return folder


def task(name, kind="regression", **keys):
    scale = {"mean": 1.5, "scale": 2.0} if kind == "regression" else {"mean": 0.0, "scale": 1.0}
    return TaskSpec(name=name, kind=kind, **(scale | keys))


def together(*names):
    return Plan.of("multi_task", disjoint([names]), names, share_encoder=True)


# --- the real commands ----------------------------------------------------------------------


@pytest.mark.slow
def test_chemprop_predicts_what_a_run_with_groups_predicts_and_its_files_come_back(
    trained, tmp_path, capsys
):
    assert main(["export", str(trained), "--to", "chemprop", "--output", str(tmp_path / "e")]) == 0
    about = read_json(tmp_path / "e" / "export.json")
    model = admet.load(trained)
    table = pd.read_csv(trained.parent / "panel.csv")[["SMILES"]][:40]
    table.to_csv(tmp_path / "t.csv", index=False)
    expected = model.predict(table)
    out = {file["file"]: tmp_path / f"{i}.csv" for i, file in enumerate(about["files"])}
    given = tmp_path / "t.csv"
    chemprop(*(predicting(given, tmp_path / "e" / name, own) for name, own in out.items()))
    seen = []
    for file in about["files"]:
        found = pd.read_csv(out[file["file"]])
        assert list(found.columns[1:]) == file["tasks"]
        for name in file["tasks"]:
            np.testing.assert_allclose(found[name], expected[f"{name}_pred"], rtol=1e-5, atol=1e-5)
        seen += file["tasks"]
    assert sorted(seen) == sorted(model.task_names)
    assert {file["kind"] for file in about["files"]} == {"regression"} | {
        own.kind for own in model.spec.tasks
    }
    said = capsys.readouterr().out
    assert "group_1" in said
    assert "Chemprop predicts a SMILES as it stands" in said
    words = ["import_chemprop", str(tmp_path / "e"), "--save-dir", str(tmp_path / "back")]
    assert main(words) == 0
    back = admet.load(tmp_path / "back").predict(table)
    for name in model.task_names:
        np.testing.assert_allclose(
            back[f"{name}_pred"], expected[f"{name}_pred"], rtol=1e-5, atol=1e-5
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "columns"), [("regression", ["LogD", "PAMPA"]), ("classification", ["hERG"])]
)
def test_a_model_of_chemprop_train_predicts_here_what_it_predicts_there(
    demo_frame, tmp_path, kind, columns
):
    frame = demo_frame[["SMILES", *columns]].dropna()
    frame.to_csv(tmp_path / "t.csv", index=False)
    best = tmp_path / "c" / "model_0" / "best.pt"
    training = (
        "train", "-i", tmp_path / "t.csv", "-s", "SMILES", "--target-columns", *columns,
        "-t", kind, "--epochs", 3, "--message-hidden-dim", 16, "--ffn-hidden-dim", 16,
        "-o", tmp_path / "c", "--num-workers", 0, "--split-sizes", 0.7, 0.2, 0.1,
    )  # fmt: skip
    chemprop(training, predicting(tmp_path / "t.csv", best, tmp_path / "out.csv"))
    found = pd.read_csv(tmp_path / "out.csv")
    assert main(["import_chemprop", str(best), "--save-dir", str(tmp_path / "run")]) == 0
    expected = admet.load(tmp_path / "run").predict(frame)
    for name in columns:
        np.testing.assert_allclose(found[name], expected[f"{name}_pred"], rtol=1e-5, atol=1e-5)
    words = ["--model-dir", str(tmp_path / "run"), "--data-path", str(tmp_path / "t.csv")]
    assert main(["evaluate", *words]) == 0
    assert main(["predict", *words, "--output", str(tmp_path / "p.csv")]) == 0
    # Lightning's checkpoint holds the weights of an epoch, and no names.
    ckpt = next(best.parent.rglob("best-*.ckpt"))
    model = import_chemprop([ckpt], tmp_path / "run2", target_columns=columns)
    np.testing.assert_allclose(
        ours(model, frame["SMILES"].tolist()),
        expected[[f"{name}_pred" for name in columns]].to_numpy(),
        rtol=1e-6,
    )


# --- every shape, without training ----------------------------------------------------------


@pytest.mark.parametrize(
    ("passing", "agg", "batch_norm", "head"),
    [
        ({}, nn.NormAggregation(norm=30.0), False, {}),
        ({"bias": True, "activation": "tanh"}, nn.SumAggregation(), True, {"n_layers": 3}),
        ({"undirected": True, "activation": "elu"}, nn.MeanAggregation(), True, {"hidden_dim": [8, 8]}),
        ({"activation": "prelu", "depth": 1}, nn.MeanAggregation(), False, {"activation": "prelu"}),
        ({"activation": "leakyrelu", "dropout": 0.3}, nn.NormAggregation(), False, {"dropout": 0.2}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["regression", "binary"])
def test_a_model_of_chemprop_comes_and_goes_unchanged(
    tmp_path, passing, agg, batch_norm, head, kind
):
    shape = {"n_tasks": 2, "input_dim": 12, "hidden_dim": 8} | head
    if kind == "binary":
        made = nn.BinaryClassificationFFN(**shape)
    else:
        made = nn.RegressionFFN(
            **shape, output_transform=nn.UnscaleTransform([3.0, -200.0], [0.1, 40.0])
        )
    model = file_of(
        tmp_path / "m.pt",
        made,
        passing=nn.BondMessagePassing(**(SIZE | passing)),
        agg=agg,
        batch_norm=batch_norm,
    )
    found = import_chemprop([tmp_path / "m.pt"], tmp_path / "run")
    assert [own.kind for own in found.spec.tasks] == [kind, kind]
    np.testing.assert_allclose(ours(found), theirs(model), rtol=1e-5, atol=1e-6)
    done = export_run(tmp_path / "run", tmp_path / "again")
    assert done.paths == (tmp_path / "again" / "model.pt",)
    again = models.load_model(done.paths[0]).eval()
    np.testing.assert_allclose(theirs(again), theirs(model), rtol=1e-5, atol=1e-6)
    assert again.predictor.n_tasks == 2
    assert models.utils.load_output_columns(done.paths[0]) == ["A", "B"]


def test_a_model_of_admet_ai_becomes_a_run(tmp_path):
    path = package_file("admet_ai", "resources/models/admet_regression/model_0.pt")
    model = import_chemprop([path], tmp_path / "run")
    expected = theirs(models.load_model(path).eval())
    assert len(model.task_names) == 10
    np.testing.assert_allclose(ours(model), expected, rtol=1e-4, atol=1e-5)


def test_files_of_the_same_columns_are_averaged_and_go_back_as_a_folder(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir()
    members = []
    for i in range(3):
        members.append(file_of(folder / f"m{i}.pt"))
        with torch.no_grad():
            members[-1].predictor.ffn[-1][-1].bias += i
        models.save_model(folder / f"m{i}.pt", members[-1], ["A", "B"])
    model = import_chemprop([folder], tmp_path / "run")
    expected = np.mean([theirs(own) for own in members], axis=0)
    np.testing.assert_allclose(ours(model), expected, rtol=1e-5, atol=1e-6)
    done = export_run(tmp_path / "run", tmp_path / "e")
    assert done.paths == (tmp_path / "e" / "model",)
    back = [models.load_model(p).eval() for p in sorted(done.paths[0].glob("*.pt"))]
    assert len(back) == 3
    np.testing.assert_allclose(
        np.mean([theirs(own) for own in back], axis=0), expected, rtol=1e-5, atol=1e-6
    )


def test_a_task_in_two_groups_is_exported_once_by_the_head_that_serves_it(tmp_path):
    groups = [
        Group(tasks=("A", "B", "C"), serves=("C", "A")),
        Group(tasks=("B", "C"), serves=("B",)),
    ]
    plan = Plan.of("manual_groups", groups, ("A", "B", "C"), share_encoder=True)
    run = run_of(tmp_path / "run", plan, (task("A"), task("B", "binary"), task("C", mean=-3.0)))
    done = export_run(run, tmp_path / "e")
    assert done.columns == (("A", "C"), ("B",))
    expected = ours(admet.load(run))
    first, second = (theirs(models.load_model(path).eval()) for path in done.paths)
    np.testing.assert_allclose(np.c_[first[:, 0], second, first[:, 1]], expected, rtol=1e-5)


def test_two_kinds_in_one_head_become_two_files(tmp_path):
    run = run_of(tmp_path / "run", together("A", "B"), (task("A"), task("B", "binary")))
    done = export_run(run, tmp_path / "e")
    assert [path.name for path in done.paths] == ["model_regression.pt", "model_binary.pt"]
    model = import_chemprop([tmp_path / "e"], tmp_path / "back")
    assert sorted(model.task_names) == ["A", "B"]
    np.testing.assert_allclose(
        model.predict(SMILES)["A_pred"], admet.load(run).predict(SMILES)["A_pred"], rtol=1e-5
    )


# --- what has no counterpart ------------------------------------------------------------------


def refused_export(run, folder, match, **keys):
    with pytest.raises(ConfigError, match=match):
        export_run(run, folder, **keys)
    assert not folder.exists()
    assert not [p for p in folder.parent.iterdir() if ".part" in p.name]


def test_a_transform_is_refused_by_name_or_written_as_it_was_learnt(tmp_path):
    tasks = (task("A"), task("KSOL", transform="log10", mean=0.5, scale=0.7))
    run = run_of(tmp_path / "run", together("A", "KSOL"), tasks)
    refused_export(run, tmp_path / "e", r"KSOL \(log10\).*--learnt-scale")
    done = export_run(run, tmp_path / "e", learnt_scale=True)
    assert done.columns == (("A", "log10(KSOL)"),)
    found = theirs(models.load_model(done.paths[0]).eval())
    np.testing.assert_allclose(10 ** found[:, 1], ours(admet.load(run))[:, 1], rtol=1e-4)


def test_a_mean_that_single_precision_holds_well_enough_is_exported(tmp_path):
    run = run_of(tmp_path / "run", together("A"), (task("A", mean=1e9, scale=1e-3),))
    export_run(run, tmp_path / "e")  # its predictions are the mean, to 1e-5 of them
    assert (tmp_path / "e" / "model.pt").is_file()


def test_what_single_precision_would_change_is_refused(tmp_path):
    """Far from the mean and near 0, Chemprop's scaling back in single precision loses digits."""
    run = run_of(tmp_path / "run", together("A"), (task("A", mean=3e4, scale=0.3),))
    model = load_model(run)
    with torch.no_grad():
        model.networks.networks[0].heads[0][-1][-1].bias.fill_(-1e5)
    write_model(run, model)
    write_checksums(run)
    with pytest.raises(NumericalError, match="Chemprop's modules predict 'A'.*in another unit"):
        export_run(run, tmp_path / "e")
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


def mixture(weights, arms=("multi_task", "own_heads")):
    plan = together("A")
    spec = ModelSpec(
        smiles_column="SMILES", standardize=True, tasks=(task("A"),), plan=plan,
        model=NetworkConfig(message_passing={"hidden_size": 12}, ffn={"hidden_size": 8}),
        d_v=72, d_e=14,
    )  # fmt: skip
    networks = [NetworkMember(Predictor(spec, build_networks(spec))) for _ in arms]
    members = tuple(MemberSpec(arm=arm, kind="network", network=spec) for arm in arms)
    shared = {"smiles_column": "SMILES", "standardize": True, "tasks": (task("A"),)}
    made = CompositeSpec(**shared, members=members, weights=tuple((w,) for w in weights))
    return TrainedModel(CompositePredictor(made, networks))


def test_a_mixture_of_unequal_weights_is_refused_and_a_member_goes(tmp_path):
    run = written(tmp_path / "run", mixture((0.75, 0.25)))
    refused_export(run, tmp_path / "e", r"multi_task \(network, mean weight 0.75\).*`member`")
    refused_export(run, tmp_path / "e", "0 are called so", member="kernel")
    done = export_run(run, tmp_path / "e", member="own_heads")
    expected = admet.load(run).predictor.members[1].predictor.predict_smiles(SMILES).mean
    np.testing.assert_allclose(
        theirs(models.load_model(done.paths[0]).eval()), expected, rtol=1e-5, atol=1e-6
    )
    assert read_json(tmp_path / "e" / "export.json")["member"] == "own_heads"


def test_a_member_of_no_mixture_is_refused(tmp_path):
    run = run_of(tmp_path / "run", together("A"), (task("A"),))
    refused_export(run, tmp_path / "e", "this model is none", member="multi_task")


def test_extra_inputs_are_refused_by_name(tmp_path):
    from admet.exchange.parts import parts_of

    spec = admet.load(run_of(tmp_path / "run", together("A"), (task("A"),))).spec
    with pytest.raises(ConfigError, match="extra inputs .morgan."):
        parts_of(spec.model_copy(update={"inputs": ("morgan",), "n_inputs": 3}))


def test_an_export_replaces_only_an_export(tmp_path):
    run = run_of(tmp_path / "run", together("A"), (task("A"),))
    export_run(run, tmp_path / "e")
    with pytest.raises(ConfigError, match="--overwrite"):
        export_run(run, tmp_path / "e")
    (tmp_path / "e" / "old.pt").write_text("")
    export_run(run, tmp_path / "e", overwrite=True)
    assert sorted(p.name for p in (tmp_path / "e").iterdir()) == ["export.json", "model.pt"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(ConfigError, match="no earlier export"):
        export_run(run, tmp_path / "mine", overwrite=True)
    with pytest.raises(ConfigError, match="lies in the run directory"):
        export_run(run, run / "e")
    assert (tmp_path / "mine" / "thesis.txt").is_file()


HEADS = {
    "MveFFN": nn.MveFFN,
    "EvidentialFFN": nn.EvidentialFFN,
    "QuantileFFN": nn.predictors.QuantileFFN,
    "BinaryDirichletFFN": nn.BinaryDirichletFFN,
    "SpectralFFN": nn.SpectralFFN,
    "MulticlassClassificationFFN": lambda **keys: nn.MulticlassClassificationFFN(3, **keys),
    "MulticlassDirichletFFN": lambda **keys: nn.MulticlassDirichletFFN(3, **keys),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_of_another_kind_is_refused_by_name(tmp_path, name):
    file_of(tmp_path / "m.pt", HEADS[name](n_tasks=2, input_dim=12, hidden_dim=8))
    with pytest.raises(ConfigError, match=f"has the head {name}, which (?!is unknown)"):
        import_chemprop([tmp_path / "m.pt"], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def changed(**places):
    """Saves a sound model with other hyper-parameters; a name with `__` reaches inside."""

    def make(path):
        file_of(path)
        content = torch.load(path, weights_only=False)
        for name, value in places.items():
            *way, last = name.split("__")
            place = content
            for step in way:
                place = place[step]
            place[last] = value
        torch.save(content, path)

    return make


def reweighted(name, change):
    """Saves a sound model with one weight changed."""

    def make(path):
        file_of(path)
        content = torch.load(path, weights_only=False)
        content["state_dict"][name] = change(content["state_dict"][name])
        torch.save(content, path)

    return make


def compressed(path):
    file_of(path)
    with (
        zipfile.ZipFile(path) as old,
        zipfile.ZipFile(path.with_suffix(".z"), "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    path.with_suffix(".z").replace(path)


def two_molecules(path):
    blocks = nn.MulticomponentMessagePassing([nn.BondMessagePassing(**SIZE)] * 2, 2, shared=False)
    head = nn.RegressionFFN(n_tasks=1, input_dim=24, hidden_dim=8)
    models.save_model(path, models.MulticomponentMPNN(blocks, nn.MeanAggregation(), head), ["A"])


def encoder_alone(path):
    passing = nn.BondMessagePassing(**SIZE)
    torch.save({"hyper_parameters": passing.hparams, "state_dict": passing.state_dict()}, path)


def with_descriptors(path):
    file_of(path, nn.RegressionFFN(n_tasks=2, input_dim=20, hidden_dim=8))


HYPER = "hyper_parameters__"
LAST = "predictor.ffn.1.2.weight"
STRANGERS = {
    "atoms": (lambda p: file_of(p, passing=nn.AtomMessagePassing(**SIZE)), "passes messages by AtomMessagePassing"),
    "attention": (lambda p: file_of(p, agg=nn.AttentiveAggregation(output_size=12)), "sums up atoms by AttentiveAggregation"),
    "two molecules": (two_molecules, "several molecules at once"),
    "atoms and bonds": (changed(**{HYPER + "atom_predictor": {}}), "predicts atoms or bonds"),
    "an encoder alone": (encoder_alone, "encoder without a head.*init-from"),
    "descriptors of molecules": (with_descriptors, "descriptors of molecules.*20 numbers"),
    "descriptors of atoms": (lambda p: file_of(p, nn.RegressionFFN(n_tasks=2, input_dim=12), passing=nn.BondMessagePassing(**SIZE, d_vd=3)), "extra descriptors of atoms"),
    "a reaction": (lambda p: file_of(p, passing=nn.BondMessagePassing(**SIZE, d_v=106, d_e=28)), "106 atom and 28 bond features"),
    "layers of several widths": (lambda p: file_of(p, nn.RegressionFFN(n_tasks=2, input_dim=12, hidden_dim=[8, 4])), r"hidden layers of \[8, 4\]"),
    "no hidden layer": (lambda p: file_of(p, nn.RegressionFFN(n_tasks=2, input_dim=12, n_layers=0)), "hidden layers of"),
    "another activation": (lambda p: file_of(p, passing=nn.BondMessagePassing(**SIZE, activation="selu")), "activation selu"),
    "a model of version 1": (lambda p: torch.save({"args": {}, "state_dict": {}}, p), "Chemprop v1"),
    "a list": (lambda p: torch.save([1], p), "does not describe itself"),
    "a tensor": (lambda p: torch.save(torch.zeros(3), p), "does not describe itself"),
    "no head described": (changed(**{HYPER + "predictor": None}), "a part is not described"),
    "code in the description": (changed(**{HYPER + "metrics": Harm(), HYPER + "predictor__cls": Harm()}), "cannot be read|has the head"),
    "code in the weights": (reweighted(LAST, lambda w: Harm()), "cannot be read|no plain tensor"),
    "an array of any length": (changed(**{HYPER + "metrics": LongArray()}), "any length"),
    "a compressed archive": (compressed, "is compressed"),
    "text": (lambda p: p.write_bytes(b"hello"), "cannot be read"),
    "nothing": (lambda p: p.write_bytes(b""), "cannot be read"),
    "NaN": (reweighted(LAST, lambda w: w * float("nan")), "NaN or infinity"),
    "float64": (reweighted(LAST, lambda w: w.double()), "type torch.float64"),
    "another shape": (reweighted(LAST, lambda w: w[:1].clone()), "has shape"),
    "one number for all": (reweighted(LAST, lambda w: torch.zeros(1).expand(2, 8)), "no plain tensor"),
    "a sparse tensor": (reweighted(LAST, lambda w: w.to_sparse()), "no plain tensor"),
    "no tensor": (reweighted(LAST, lambda w: [1.0]), "no plain tensor"),
    "a weight missing": (changed(state_dict={"predictor.ffn.1.2.bias": torch.zeros(2)}), "is missing"),
    "a weight too many": (changed(**{"state_dict__X_d_transform.mean": torch.zeros(3)}), "no counterpart"),
    "a scale of zero": (changed(**{"state_dict__predictor.output_transform.mean": torch.zeros(1, 2), "state_dict__predictor.output_transform.scale": torch.zeros(1, 2)}), "scale above 0"),
    "a scale of three": (changed(**{"state_dict__predictor.output_transform.mean": torch.zeros(1, 3), "state_dict__predictor.output_transform.scale": torch.ones(1, 3)}), "must hold 2 numbers"),
    "a scale without a mean": (changed(**{"state_dict__predictor.output_transform.scale": torch.ones(1, 2)}), "must hold 2 numbers"),
    "a width of 10^9": (changed(**{HYPER + "message_passing__d_h": 10**9, HYPER + "predictor__input_dim": 10**9}), "hidden_size"),
    "a depth of 10^9": (changed(**{HYPER + "message_passing__depth": 10**9}), "depth"),
    "layers of 10^9": (changed(**{HYPER + "predictor__n_layers": 10**9, HYPER + "predictor__hidden_dim": 8}), "num_layers"),
    "dropout of two": (changed(**{HYPER + "predictor__dropout": 2.0}), "dropout"),
    "three names for two": (changed(output_columns=["A", "B", "C"]), "3 columns for 2 outputs"),
    "one name twice": (changed(output_columns=["A", "A"]), "each another one"),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGERS)
def test_a_file_of_a_stranger_is_refused_and_nothing_of_it_runs(tmp_path, name):
    make, said = STRANGERS[name]
    make(tmp_path / "m.pt")
    with pytest.raises(ConfigError, match=said) as refused:
        import_chemprop([tmp_path / "m.pt"], tmp_path / "run")
    assert "m.pt" in str(refused.value)
    assert [p.name for p in tmp_path.iterdir()] == ["m.pt"]


def test_bits_that_flip_are_refused_or_give_finite_numbers(tmp_path, rng):
    file_of(tmp_path / "m.pt")
    sound = bytearray((tmp_path / "m.pt").read_bytes())
    for place in rng.integers(0, len(sound), size=60):
        content = sound.copy()
        content[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "f.pt").write_bytes(content)
        try:
            found = ChempropModel.read(tmp_path / "f.pt")
        except ConfigError:
            continue
        assert all(torch.isfinite(own).all() for own in found.weights.values())


# --- the files together -------------------------------------------------------------------------


def test_files_that_make_no_one_model_are_refused(tmp_path):
    for name, columns in (("a", "AB"), ("b", "BC"), ("c", "AB"), ("d", "DE")):
        file_of(tmp_path / f"{name}.pt", columns=tuple(columns))
    wide = nn.RegressionFFN(n_tasks=2, input_dim=12, hidden_dim=9)
    file_of(tmp_path / "w.pt", wide, columns=("X", "Y"))

    def refused(match, *names, **keys):
        with pytest.raises(ConfigError, match=match):
            import_chemprop([tmp_path / name for name in names], tmp_path / "run", **keys)

    refused("predict 'B', but not the same columns", "a.pt", "b.pt")
    refused("as many files", "a.pt", "c.pt", "d.pt")
    refused("same shape", "a.pt", "w.pt")
    refused("twice", "a.pt", "a.pt")
    refused("2 outputs.*got 1 names", "a.pt", target_columns=["A"])
    refused("is no file", "none.pt")
    (tmp_path / "empty").mkdir()
    refused("holds no .pt file", "empty")
    (tmp_path / "m.pkl").write_text("")
    refused("must end in", "m.pkl")


def test_outputs_without_names_are_called_as_chemprop_calls_them(tmp_path):
    file_of(tmp_path / "m.pt", columns=None)
    assert import_chemprop([tmp_path / "m.pt"], tmp_path / "a").task_names == ["pred_0", "pred_1"]
    named = import_chemprop([tmp_path / "m.pt"], tmp_path / "b", target_columns=["X", "Y"])
    assert named.task_names == ["X", "Y"]
    with pytest.raises(RunDirectoryError, match="not empty"):
        import_chemprop([tmp_path / "m.pt"], tmp_path / "b")


def test_what_an_imported_model_has_seen_is_not_guessed(tmp_path, capsys, caplog):
    file_of(tmp_path / "m.pt")
    import_chemprop([tmp_path / "m.pt"], tmp_path / "run")
    pd.DataFrame({"SMILES": SMILES[:4], "A": [1.0, 2, 3, 4]}).to_csv(tmp_path / "t.csv")
    words = ["--model-dir", str(tmp_path / "run"), "--data-path", str(tmp_path / "t.csv")]
    assert main(["evaluate", *words, "--split", "unseen"]) == 2
    assert "does not say which molecules it has seen" in capsys.readouterr().err
    assert main(["evaluate", *words]) == 0
    assert "does not say which molecules it was trained on" in capsys.readouterr().err
    about = json.loads((tmp_path / "run" / Files.RUN).read_text())
    assert about["imported_from"][0]["file"] == "m.pt"


def test_an_imported_model_is_shown_and_has_a_report(tmp_path, capsys):
    for name in ("a", "b"):
        file_of(tmp_path / f"{name}.pt")
    import_chemprop([tmp_path / "a.pt", tmp_path / "b.pt"], tmp_path / "run")
    assert main(["show", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out
    assert "the mean of 2 trainings" in shown
    assert "a.pt (SHA-256" in shown
    assert "--repeat" not in shown
    assert "None" not in shown
    assert main(["report", str(tmp_path / "run")]) == 0
    text = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "was imported" in text
    assert "b.pt, SHA-256" in text
    assert "admet train" not in text.split('id="repeat"')[1]


def test_a_training_on_other_graphs_is_refused_where_its_recipe_lies_beside(tmp_path):
    folder = tmp_path / "c" / "model_0"
    folder.mkdir(parents=True)
    file_of(folder / "best.pt")
    recipe = tmp_path / "c" / "config.toml"
    recipe.write_text("smiles-columns = [SMILES]\nadd-h = true\n")
    with pytest.raises(ConfigError, match="trained with --add-h"):
        import_chemprop([folder / "best.pt"], tmp_path / "run")
    recipe.write_text("smiles-columns = [SMILES]\nadd-h = false\n")
    import_chemprop([folder / "best.pt"], tmp_path / "run")
    shutil.rmtree(tmp_path / "run")


def test_an_encoder_as_chemeleons_starts_a_training(tmp_path, demo_csv):
    """CheMeleon's file: the description of a bond message passing, and its weights."""
    passing = nn.BondMessagePassing(d_v=72, d_e=14, d_h=32, depth=6, activation="relu")
    torch.save(
        {"hyper_parameters": dict(passing.hparams), "state_dict": passing.state_dict()},
        tmp_path / "chemeleon_mp.pt",
    )
    words = [
        "train", "--data-path", str(demo_csv), "--data.target-columns", "LogD", "PAMPA",
        "--data.split-type", "random", "--training.epochs", "1", "--training.warmup-epochs", "0",
        "--model.ffn.hidden-size", "8", "--save-dir", str(tmp_path / "run"),
        "--model.init-from", str(tmp_path / "chemeleon_mp.pt"),
    ]  # fmt: skip
    assert main(words) == 0
    passing = admet.load(tmp_path / "run").networks.spec.model.message_passing
    assert (passing.depth, passing.hidden_size) == (6, 32)
    export_run(tmp_path / "run", tmp_path / "e")
