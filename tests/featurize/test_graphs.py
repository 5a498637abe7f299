import numpy as np
import pytest
import torch
from chemprop.data import BatchMolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from rdkit import Chem

from admet.featurize import featurize, unfold
from admet.featurize.packed import pack
from admet.model.chemprop import BatchLoader

SMILES = [
    "CCO", "C", "[Na+].[Cl-]", "c1ccc2[nH]ccc2c1", "F/C=C/F", "N[C@@H](C)C(=O)O", "[13CH4]",
    "O=S(=O)(c1ccccc1)N1CCN(C)CC1", "C1CC1", "[Fe]", "C#N", "CC(=O)Oc1ccccc1C(=O)O", "[H][H]",
    "C1CCCCCCCCCCCCCC1", "*CC*", "B(O)O", "[O-][N+](=O)c1ccccc1", "CN=[N+]=[N-]",
]  # fmt: skip


def chemprop_batch(smiles):
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    return BatchMolGraph([featurizer(Chem.MolFromSmiles(s)) for s in smiles])


def same(ours, theirs):
    np.testing.assert_allclose(ours.V, theirs.V, atol=1e-6, rtol=0)
    np.testing.assert_allclose(ours.E, theirs.E, atol=1e-6, rtol=0)
    assert np.array_equal(ours.edge_index, theirs.edge_index)
    assert np.array_equal(ours.rev_edge_index, theirs.rev_edge_index)
    assert np.array_equal(ours.batch, theirs.batch)


def test_graphs_are_chemprops_own():
    same(featurize(SMILES).raw(np.arange(len(SMILES))), chemprop_batch(SMILES))


def test_molecules_can_be_picked_and_repeated_in_any_order():
    graphs = featurize(SMILES)
    rows = np.array([7, 1, 7, 0])
    same(graphs.raw(rows), chemprop_batch([SMILES[r] for r in rows]))
    same(graphs.subset(rows).raw(np.arange(4)), graphs.raw(rows))


def test_chunks_do_not_show():
    smiles = ["C" * (1 + i % 9) for i in range(2100)]  # three chunks
    graphs = featurize(smiles)
    assert np.array_equal(np.diff(graphs.atom_start), [1 + i % 9 for i in range(2100)])
    rows = np.array([2099, 1030])
    same(graphs.raw(rows), featurize([smiles[r] for r in rows]).raw(np.arange(2)))


def test_what_cannot_be_parsed_has_no_atoms(capfd):
    graphs = featurize(["CC", "not a molecule", "C1CC", "", "C"])
    assert np.diff(graphs.atom_start).tolist() == [2, 0, 0, 0, 1]
    assert capfd.readouterr().err == ""


def test_bonds_must_stand_in_pairs():
    raw = featurize(["CCO"]).raw(np.array([0]))
    raw.rev_edge_index[:] = raw.rev_edge_index[::-1]
    with pytest.raises(ValueError, match="directly followed by its opposite"):
        pack(raw, 1)


def test_no_molecule_is_an_error():
    with pytest.raises(ValueError, match="at least one molecule"):
        featurize([])


def test_a_loader_passes_over_nothing_and_repeats_by_seed():
    graphs = featurize(SMILES)
    rows = np.arange(3, 17)
    targets = np.stack([rows.astype(float), np.where(rows % 2, np.nan, 1.0)], axis=1)

    def passes(seed):
        loader = BatchLoader(unfold(graphs, 3), rows, targets, 4, shuffle=True, seed=seed)
        assert len(loader) == 4
        return [torch.cat([b.targets[:, 0] for b in loader]).tolist() for _ in range(2)]

    first, second = passes(1)
    assert sorted(first) == sorted(second) == rows.tolist()
    assert first != second
    assert passes(1) == [first, second]
    lonely = BatchLoader(unfold(graphs, 3), rows[:13], targets[:13], 4, shuffle=True)
    assert [len(b) for b in lonely] == [4, 4, 5]
    assert len(lonely) == 3
    batch = next(iter(BatchLoader(unfold(graphs, 3), rows, targets, 4)))
    assert batch.mask.tolist() == [[True, False], [True, True], [True, False], [True, True]]
    assert batch.targets[0, 1] == 0.0
