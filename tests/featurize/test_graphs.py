import numpy as np
import pytest
import torch
from chemprop.data import BatchMolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from rdkit import Chem

from admet.featurize import BatchLoader, featurize

SMILES = [
    "CCO", "C", "[Na+].[Cl-]", "c1ccc2[nH]ccc2c1", "F/C=C/F", "N[C@@H](C)C(=O)O", "[13CH4]",
    "O=S(=O)(c1ccccc1)N1CCN(C)CC1", "C1CC1", "[Fe]", "C#N", "CC(=O)Oc1ccccc1C(=O)O", "[H][H]",
    "C1CCCCCCCCCCCCCC1", "*CC*", "B(O)O", "[O-][N+](=O)c1ccccc1", "CN=[N+]=[N-]",
]  # fmt: skip


def chemprop_batch(smiles):
    featurizer = SimpleMoleculeMolGraphFeaturizer()
    return BatchMolGraph([featurizer(Chem.MolFromSmiles(s)) for s in smiles])


def test_graphs_are_chemprops_own():
    graphs = featurize(SMILES)
    ours, theirs = graphs.batch(np.arange(len(SMILES))), chemprop_batch(SMILES)
    torch.testing.assert_close(ours.V, theirs.V, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.E, theirs.E, atol=1e-6, rtol=0)
    assert torch.equal(ours.edge_index, theirs.edge_index)
    assert torch.equal(ours.rev_edge_index, theirs.rev_edge_index)
    assert torch.equal(ours.batch, theirs.batch)
    assert len(ours) == len(SMILES)


def test_a_batch_can_pick_and_repeat_in_any_order():
    graphs = featurize(SMILES)
    rows = np.array([7, 1, 7, 0])
    ours, theirs = graphs.batch(rows), chemprop_batch([SMILES[r] for r in rows])
    torch.testing.assert_close(ours.V, theirs.V, atol=1e-6, rtol=0)
    assert torch.equal(ours.edge_index, theirs.edge_index)
    assert torch.equal(ours.rev_edge_index, theirs.rev_edge_index)
    part = graphs.subset(rows).batch(np.arange(4))
    assert torch.equal(part.edge_index, ours.edge_index)
    assert torch.equal(part.V, ours.V)


def test_chunks_do_not_show():
    smiles = ["C" * (1 + i % 9) for i in range(2100)]  # three chunks
    graphs = featurize(smiles)
    assert np.array_equal(np.diff(graphs.atom_start), [1 + i % 9 for i in range(2100)])
    rows = np.array([2099, 1030])
    assert torch.equal(
        graphs.batch(rows).edge_index,
        featurize([smiles[r] for r in rows]).batch(np.arange(2)).edge_index,
    )


def test_no_molecule_is_an_error():
    with pytest.raises(ValueError, match="at least one molecule"):
        featurize([])


def test_a_loader_passes_over_nothing_and_repeats_by_seed():
    graphs = featurize(SMILES)
    rows = np.arange(3, 17)
    targets = np.stack([rows.astype(float), np.where(rows % 2, np.nan, 1.0)], axis=1)

    def passes(seed):
        loader = BatchLoader(graphs, rows, targets, 4, shuffle=True, seed=seed)
        assert len(loader) == 4
        return [torch.cat([b.targets[:, 0] for b in loader]).tolist() for _ in range(2)]

    first, second = passes(1)
    assert sorted(first) == sorted(second) == rows.tolist()
    assert first != second
    assert passes(1) == [first, second]
    lonely = BatchLoader(graphs, rows[:13], targets[:13], 4, shuffle=True)
    assert [len(b) for b in lonely] == [4, 4, 5]
    assert len(lonely) == 3
    batch = next(iter(BatchLoader(graphs, rows, targets, 4)))
    assert batch.mask.tolist() == [[True, False], [True, True], [True, False], [True, True]]
    assert batch.targets[0, 1] == 0.0
