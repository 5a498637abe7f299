import numpy as np
import pytest

from admet.data import read_molecules
from admet.data.demo import make_demo_panel
from admet.featurize.encode import encode, read_graphs
from admet.featurize.packed import concatenate, featurize
from admet.featurize.unfolding import unfold

TRICKY = [
    "CCO", "OCC", "C[C@H](N)C(=O)O", "OC(=O)[C@H](C)N", "N[C@@H](C)C(=O)O", "F/C=C/F", "CS(C)=O",
    "CS(=O)C", "S1(=O)CCCC1", "O=S1CCCC1", "CS(=O)(=O)C", "CN(=O)=O", "O=N(=O)C", "CN=N#N", "C=N#N",
    "O=n1ccccc1", "n1(=O)ccccc1", "CP(C)C", "CP(=O)(O)O", "CC(=O)[O-]", "CCN.Cl", "C[NH3+]",
    "C1=CC=CC=C1", "c1cc[nH]c1", "C1CC=1", "[Na]Cl", "[2H]C", "[CH3]C", "B(O)O", "CCO ethanol",
    "  CCC  ", "OC(=N)C", "CS(C)(C)=O", "CSC", "C=S", "C[S](C)=O", "[H]C([H])([H])O", "C%10CC%10",
]  # fmt: skip


def test_both_ways_give_the_same_graph():
    """What is featurised as it stands against what is parsed, standardised and written first."""
    cells = [*TRICKY, *make_demo_panel(80, seed=9)["SMILES"]]
    graphs, valid, reasons = read_graphs(cells, True)
    molecules = read_molecules(cells)
    assert [bool(r) for r in reasons] == [m.smiles is None for m in molecules]
    assert valid.tolist() == [i for i, m in enumerate(molecules) if m.smiles is not None]
    slow = featurize([molecules[i].smiles for i in valid])
    both = unfold(concatenate([graphs, slow]), 3)  # equal atoms have equal numbers
    starts, n = both.graphs.atom_start, len(valid)
    for i in range(n):
        a, b = (np.sort(both.atom_class[starts[k] : starts[k + 1]]) for k in (i, n + i))
        assert np.array_equal(a, b), cells[valid[i]]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("", "empty SMILES"), (None, "empty SMILES"), (float("nan"), "empty SMILES"),
        ("C1CC", "invalid SMILES"), ("CCC(", "invalid SMILES"), ("hello", "invalid SMILES"),
        ("C>>O", "a reaction, not a molecule"), ("c1ccc", "invalid SMILES"),
    ],
)  # fmt: skip
def test_what_is_no_molecule_says_why(cell, reason):
    encoded = encode(["CC", cell, "CO"], True, 3, False)
    assert encoded.reasons == ["", reason, ""]
    assert encoded.valid.tolist() == [0, 2]
    assert encoded.arrays.n_graphs == 2


def test_what_is_too_long_is_refused_both_ways(monkeypatch):
    monkeypatch.setattr("admet.featurize.encode.LONGEST", 5)
    monkeypatch.setattr("admet.data.chemistry.LONGEST", 5)
    assert encode(["CCCCC", "CCCCCC"], True, 3, False).reasons == [
        "",
        "SMILES longer than 5 characters",
    ]


def test_nothing_valid_is_no_batch():
    encoded = encode(["", "xx"], True, 3, False)
    assert encoded.arrays is None
    assert encoded.valid.size == 0


def test_without_standardisation_salts_stay():
    with_salt, _, _ = read_graphs(["CCN.Cl"], False)
    without, _, _ = read_graphs(["CCN.Cl"], True)
    assert len(with_salt.atom_kind) == 4
    assert len(without.atom_kind) == 3
