import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from admet.config import DataConfig
from admet.data import build_panel, read_molecules, structures_frame, table_from_frame
from admet.data.demo import make_demo_panel
from admet.data.structures import parent_of
from admet.data.structures.listed import counter_ion, solvent
from admet.featurize.encode import read_graphs

TAFAMIDIS = "O=C(O)c1ccc2nc(-c3cc(Cl)cc(Cl)c3)oc2c1"
OLANZAPINE = "Cc1cc2c(s1)Nc1ccccc1N=C2N1CCN(C)CC1"
BASE = "CNC(C)Cc1ccccc1"
ACID = "CC(C)Cc1ccc(C(C)C(=O)O)cc1"
PAMOATE = "OC(=O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O"


def read(smiles, **how):
    (molecule,) = read_molecules([smiles], **how)
    return molecule


@pytest.mark.parametrize(
    ("smiles", "parent"),
    [
        ("O=C(O)c1ccc2nc(oc2c1)-c1cc(Cl)cc(Cl)c1.CNC[C@H](O)[C@@H](O)[C@H](O)[C@H](O)CO", TAFAMIDIS),
        (f"{OLANZAPINE}.{PAMOATE}", OLANZAPINE),
        (f"{BASE}.Cl", BASE), (f"{BASE}.[H]Cl", BASE), (f"{BASE}.Cl.Cl", BASE), (f"{BASE}.Br", BASE),
        ("C[NH2+]C(C)Cc1ccccc1.[Cl-]", BASE), (f"{BASE}.CS(=O)(=O)O", BASE),
        (f"{BASE}.Cc1ccc(S(=O)(=O)O)cc1", BASE), (f"{BASE}.OC(=O)/C=C/C(=O)O", BASE),
        (f"{BASE}.OC(=O)/C=C\\C(=O)O", BASE), (f"{BASE}.O=S(=O)(O)c1ccccc1", BASE),
        (f"{BASE}.OC(=O)C(F)(F)F", BASE), (f"{BASE}.{BASE}.OS(=O)(=O)O", BASE),
        (f"{BASE}.OC(=O)C(O)C(O)C(=O)O", BASE), (f"{BASE}.OC(=O)CC(O)(CC(=O)O)C(=O)O", BASE),
        (f"{BASE}.OP(=O)(O)O", BASE), (f"{BASE}.O[N+](=O)[O-]", BASE), (f"{BASE}.OCl(=O)(=O)=O", BASE),
        ("C[NH2+]C(C)Cc1ccccc1.F[P-](F)(F)(F)(F)F", BASE), ("C[NH2+]C(C)Cc1ccccc1.F[B-](F)(F)F", BASE),
        (f"{ACID}.NCCCC[C@H](N)C(=O)O", ACID), (f"{ACID}.NC(=N)NCCC[C@H](N)C(=O)O", ACID),
        (f"{ACID}.NC(CO)(CO)CO", ACID), ("CC(C)Cc1ccc(C(C)C(=O)[O-])cc1.[Na+]", ACID),
        ("CC(C)Cc1ccc(C(C)C(=O)O[Na])cc1", ACID), ("CC(C)Cc1ccc(C(C)C(=O)[O-])cc1.[K+]", ACID),
        ("[Ca+2]." + ".".join(["CC(C)Cc1ccc(C(C)C(=O)[O-])cc1"] * 2), ACID),
        ("CC(C)Cc1ccc(C(C)C(=O)O[Mg]OC(=O)C(C)c2ccc(CC(C)C)cc2)cc1", ACID),
        ("CC(C)Cc1ccc(C(C)C(=O)[O-])cc1.[Zn+2].[Cl-]", ACID),
        (f"{BASE}.O", BASE), (f"{BASE}.Cl.O.O", BASE), (f"{BASE}.CS(C)=O", BASE), (f"{BASE}.CCO", BASE),
        (f"{BASE}.[2H]O[2H]", BASE), (f"{BASE}.[2H]C([2H])([2H])S(=O)C([2H])([2H])[2H]", BASE),
        # what is on the list itself, alone or as a salt of its own
        ("OC(=O)c1ccccc1", "O=C(O)c1ccccc1"), ("OC(=O)CC(O)(CC(=O)O)C(=O)O", "O=C(O)CC(O)(CC(=O)O)C(=O)O"),
        ("[Na+].[O-]C(=O)c1ccccc1", "O=C(O)c1ccccc1"), ("CS(C)=O", "C[S+](C)[O-]"),
        ("CC(=O)[O-].[NH4+]", "CC(=O)O"), ("CCO.Cl", "CCO"), ("NCCCC[C@H](N)C(=O)O.Cl", "NCCCC[C@H](N)C(=O)O"),
        ("[Cl-].C[N+](C)(C)CCO", "C[N+](C)(C)CCO"),
        # charges that stay, and that go
        ("[NH3+]CC(=O)[O-]", "NCC(=O)O"), ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]"),
        ("CCCC[N+](C)(C)C.[I-]", "CCCC[N+](C)(C)C"), ("c1cc[n+](C)cc1.[OH-]", "C[n+]1ccccc1"),
        # no metals, few borons
        ("OB(O)c1ccccc1", "OB(O)c1ccccc1"), ("C[Si](C)(C)O", "C[Si](C)(C)O"), ("C[Se]C", "C[Se]C"),
        ("Nc1ccc([As](=O)(O)O)cc1", "Nc1ccc([As](=O)(O)O)cc1"),
        ("[CH3:1][OH:2]", "CO"), ("[13CH3]O.Cl", "[13CH3]O"),
    ],
)  # fmt: skip
def test_the_parent_is_the_drug(smiles, parent):
    molecule = read(smiles)
    assert molecule.smiles == Chem.CanonSmiles(parent), molecule.reason
    assert read(molecule.smiles) == type(molecule)(molecule.smiles)


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("N[Pt](N)(Cl)Cl", "a metal complex or compound: Pt"), ("[Na+].[Cl-]", "nothing organic: sodium, chloride"),
        ("[Fe+2].c1cc[cH-]c1.c1cc[cH-]c1", "a metal complex or compound: Fe"), ("C[Hg]C", "a metal complex or compound: Hg"),
        ("CCCC[Sn](CCCC)(CCCC)Cl", "a metal complex or compound: Sn"), ("[Li]CCCC", "a metal complex or compound: Li"),
        ("C[Mg]Br", "a metal complex or compound: Mg"), ("CC[Zn]CC", "a metal complex or compound: Zn"),
        ("[Fe+2].[O-]C(=O)/C=C/C(=O)[O-]", "a metal complex or compound: Fe"),
        ("C1=CC2=[N]3C1=CC1=CC=C4N1[Mg]3N1C(=C4)C=CC1=C2", "a metal complex or compound: Mg"),
        ("[Gd+3].OC(=O)CN(CCN(CC(=O)O)CC(=O)O)CC(=O)O", "a metal complex or compound: Gd"),
        ("[Fe]", "a metal complex or compound: Fe"), ("[Na+].O=C([O-])O", "nothing organic: sodium, carbonate"),
        ("[K+].[C-]#N", "nothing organic: potassium, C#N"), ("O", "nothing organic: water"), ("Cl", "nothing organic: chloride"),
        ("O=C=O", "nothing organic: O=C=O"), ("NN", "nothing organic: NN"), ("[He]", "nothing organic: [He]"),
        ("c1ccccc1.c1ccncc1", "a mixture of different molecules: c1ccccc1, c1ccncc1"),
        ("CN1CCC[C@H]1c1cccnc1.O=C(O)c1ccc(O)cc1", "a mixture of different molecules: "),
        ("C[C@H](N)c1ccccc1.C[C@@H](N)c1ccccc1", "a mixture of isomers or isotopologues of one molecule: "),
        ("C[N+](C)(C)CCO.[O-]C(=O)c1ccccc1O", "counter-ions of which none is the molecule for certain: "),
        ("B12B3B4B5B6B1B1B2B3B4B5B61.CC", "a boron cluster: 12 boron atoms"),
        ("CC |Sg:n:0,1::ht|", "a polymer or mixture by its groups: SRU"),
    ],
)  # fmt: skip
def test_what_has_no_parent_says_what_was_found(smiles, reason):
    molecule = read(smiles)
    assert molecule.smiles is None
    assert molecule.reason.startswith(reason)
    _, _, predicted = read_graphs([smiles], True)
    assert predicted == [molecule.reason]


def _entries():
    from importlib import resources

    for file, find in (("salts.smi", counter_ion), ("solvents.smi", solvent)):
        text = (resources.files("chembl_structure_pipeline") / "data" / file).read_text("utf-8")
        for line in text.splitlines():
            name, _, smarts = line.strip().partition("\t")
            if smarts and (mol := Chem.MolFromSmiles(smarts)) is not None:
                yield pytest.param(name, Chem.MolToSmiles(mol), find, id=name)


@pytest.mark.parametrize(("name", "smiles", "find"), list(_entries()))
def test_every_entry_of_the_lists_is_stripped(name, smiles, find):
    if name == "Bismuth":  # an atom with three hydrogens as it stands; as an ion below
        smiles = "[Bi+3]"
    molecule = read(f"{OLANZAPINE}.{smiles}")
    assert molecule.smiles == Chem.CanonSmiles(OLANZAPINE), molecule.reason
    assert any(why.startswith(("salt stripped", "solvent removed")) for why in molecule.changes)


def test_the_parent_is_that_of_chembl():
    """Where both have one; theirs keeps several fragments and drops isotopes."""
    from chembl_structure_pipeline import get_parent_mol

    salts = [
        "Cl",
        "CS(=O)(=O)O",
        "[Na+].[Cl-]",
        PAMOATE,
        "CNCC(O)C(O)C(O)C(O)CO",
        "O.CCO",
        "OC(=O)C(F)(F)F",
    ]
    for index, smiles in enumerate(make_demo_panel(60, seed=5)["SMILES"]):
        mol = Chem.MolFromSmiles(f"{smiles}.{salts[index % len(salts)]}")
        theirs, excluded = get_parent_mol(mol)
        ours, _ = parent_of(mol, Chem.MolToSmiles(mol))
        assert not excluded
        assert Chem.CanonSmiles(Chem.MolToSmiles(theirs)) == ours


@pytest.mark.parametrize(
    ("smiles", "changes"),
    [
        (f"{BASE}.Cl.O", ("salt stripped (chloride)", "solvent removed (water)")),
        (f"{BASE}.{BASE}.OC(=O)C=CC(=O)O", ("salt stripped (maleate and fumarate)", "taken once (2 copies)")),
        ("CC[NH3+].[Cl-]", ("salt stripped (chloride)", "neutralised")),
        ("CC(=O)O[Na]", ("bond to a metal read as a salt", "salt stripped (sodium)", "neutralised")),
        ("C[S](=O)C", ("normalised",)), ("[CH3:1][OH:2]", ("atom numbers removed",)),
        ("OCC", ()), ("C[N+](=O)[O-]", ()), ("CN(=O)=O", ()), ("[H]C([H])([H])O", ()),
    ],
)  # fmt: skip
def test_changes_are_told_in_words(smiles, changes):
    assert read(smiles).changes == changes
    assert read(smiles, standardize=False).changes == ()


DIFFERENT = [
    "C[C@H](N)c1ccccc1", "C[C@@H](N)c1ccccc1", "CC(N)c1ccccc1", "C[C@H](N)c1ccccc1 |o1:1|",
    "C[C@H](N)c1ccccc1 |&1:1|", "[2H]C(C)(N)c1ccccc1", "C/C=C/C", "C/C=C\\C", "CC=CC",
    "C[C@H](O)[C@H](N)F", "C[C@H](O)[C@@H](N)F", "C[C@H](O)[C@H](N)F |&1:1,3|",
    "C[C@H](O)[C@H](N)F |&1:1,&2:3|", "C[C@H](O)[C@H](N)F |o1:1,3|", "C[C@H](O)[C@@H](N)F |o1:1,3|",
    "Oc1ccccn1", "O=c1cccc[nH]1", "CC(=O)CC(C)=O", "CC(O)=CC(C)=O", "[13CH3]c1ccncc1", "Cc1ccncc1",
]  # fmt: skip


def test_what_a_chemist_calls_different_stays_different():
    smiles = [m.smiles for m in read_molecules(DIFFERENT)]
    assert None not in smiles
    assert len(set(smiles)) == len(DIFFERENT)
    assert [m.smiles for m in read_molecules(smiles)] == smiles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C[C@H](N)c1ccccc1 |&1:1|", "C[C@@H](N)c1ccccc1 |&1:1|"),
        ("C[C@H](N)c1ccccc1 |o1:1|", "c1cccc([C@@H](N)C)c1 |o3:5|"),
        ("C[C@H](O)[C@H](N)F |o1:1,3|", "C[C@@H](O)[C@@H](N)F |o2:1,3|"),
        ("C[C@H](N)c1ccccc1 |r|", "C[C@@H](N)c1ccccc1 |o1:1|"),
        ("C[C@H](N)c1ccccc1.Cl |&1:1|", "C[C@@H]([NH3+])c1ccccc1.[Br-] |&1:1|"),
        ("C[C@H](N)c1ccccc1 |a:1|", "C[C@H](N)c1ccccc1"), ("CCO |$;;x$|", "OCC"),
        ("CC=CC |ctu:1|", "CC=CC"),
    ],
)  # fmt: skip
def test_one_molecule_written_in_two_ways_is_one(one, other):
    assert read(one).smiles == read(other).smiles


STEREO, ISOTOPES = "stereo ignored", "isotopes ignored"


@pytest.mark.parametrize(
    ("identity", "alike", "changes"),
    [
        ("exact", 5, [""] * 5),
        ("ignore_stereo", 2, [STEREO, STEREO, "", STEREO, STEREO]),
        ("ignore_isotopes", 4, ["", "", "", ISOTOPES, ""]),
        ("constitution", 1, [STEREO, STEREO, "", ISOTOPES + STEREO, STEREO]),
    ],
)
def test_differences_can_be_ignored(identity, alike, changes):
    smiles = ["C[C@H](N)F", "C[C@@H](N)F", "CC(N)F", "[2H][C@](C)(N)F", "C[C@H](N)F |&1:1|"]
    molecules = read_molecules(smiles, identity=identity)
    assert len({m.smiles for m in molecules}) == alike
    assert ["".join(m.changes) for m in molecules] == changes


PIECES = st.sampled_from(
    ["C", "N", "O", "B", "Br", "Cl", "c1ccccc1", "C(=O)O", "C(=O)[O-]", "[NH3+]", "S(=O)C", "[Na+]", "=O", "#N",
     ".", ".", "Cl.", "[C@H](F)", "[2H]", "/C=C/", "[Pt]", "[Na]", "N=[N+]=[N-]", "O[Mg]O", "(C)", "[Zn]", "P", "S"]
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.lists(PIECES, min_size=1, max_size=8).map("".join))
def test_the_short_ways_give_what_the_long_way_gives(text):
    """Structures at random: `is_standard` and the direct way of `predict` against the parent."""
    molecule = read(text)
    _, _, reasons = read_graphs([text], True)
    assert reasons == [molecule.reason]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("admet.data.chemistry.is_standard", lambda mol, smiles: False)
        assert read(text) == molecule
    if molecule.smiles is not None:
        assert read(molecule.smiles) == type(molecule)(molecule.smiles)


@pytest.mark.parametrize("identity", ["ignore_stereo", "constitution"])
def test_predict_ignores_what_training_ignored(identity):
    flat, _, _ = read_graphs(["CC(N)F"], True, identity)
    marked, _, _ = read_graphs(["C[C@H](N)F"], True, identity)
    assert np.array_equal(flat.atom_table[flat.atom_kind], marked.atom_table[marked.atom_kind])


def panel_of(rows, **more):
    frame = pd.DataFrame(rows, columns=["SMILES", "A", "ID"])
    return build_panel(table_from_frame(frame), DataConfig(target_columns=("A",), **more))


ROWS = [
    ("CCO", 1.0, "X-1"), ("OCC.Cl", 4.0, "X-2"), ("CCN", 2.0, ""), ("CCC", 3.0, "X-1"),
    ("C(C)O", 2.5, "X-1"), ("c1ccccc1.c1ccncc1", 1.0, "X-7"), ("CC[NH3+]", 2.2, "X-8"),
]  # fmt: skip


def test_changes_and_merges_stand_in_a_frame(caplog):
    caplog.set_level(logging.INFO, "admet")
    panel = panel_of(ROWS, id_column="ID")
    frame = structures_frame(panel.structures, panel.unit, with_ids=True)
    assert frame["row"].tolist() == [1, 2, 3, 5, 7]
    assert frame["id"].tolist() == ["X-1", "X-2", "", "X-1", "X-8"]
    assert frame["was"].tolist() == ["CCO", "OCC.Cl", "CCN", "C(C)O", "CC[NH3+]"]
    assert frame["became"].tolist() == ["CCO", "CCO", "CCN", "CCO", "CCN"]
    assert frame["why"].tolist() == [
        "one molecule with (row 2, 5)", "salt stripped (chloride); one molecule with (row 1, 5)",
        "one molecule with (row 7)", "one molecule with (row 1, 2)",
        "neutralised; one molecule with (row 3)",
    ]  # fmt: skip
    assert frame["A_n"].tolist() == [3, 3, 2, 3, 2]
    np.testing.assert_allclose(frame["A_sd"], [1.5, 1.5, 0.02**0.5, 1.5, 0.02**0.5])
    np.testing.assert_allclose(frame["A_range"], [3.0, 3.0, 0.2, 3.0, 0.2])
    assert "2 structures changed (1 × salt stripped; 1 × neutralised)" in caplog.text
    assert "A: 3 merged labels of CCO (row 1 and others) differ by 3, sd 1.5" in caplog.text


def test_identifiers_go_with_the_molecules_and_doubts_are_told(caplog):
    panel = panel_of(ROWS, id_column="ID")
    assert dict(zip(panel.smiles, panel.ids, strict=True)) == {
        "CCO": "X-1; X-2", "CCN": "X-8", "CCC": "X-1",
    }  # fmt: skip
    assert [(r.id, r.line) for r in panel.rejected] == [("X-7", 6)]
    assert "1 rows have no identifier in 'ID' and stand without one (row 3)" in caplog.text
    assert (
        "1 identifiers in 'ID' stand for different molecules, which stay apart: 'X-1'"
        in caplog.text
    )
    part = panel.subset(np.array([2, 0]))
    assert part.ids.tolist() == ["X-1", "X-1; X-2"]


def test_numbers_that_are_identifiers_have_no_point():
    rows = [("CCO", 1.0, 17), ("CCN", 2.0, None), ("CCC", 3.0, 19)]
    assert panel_of(rows, id_column="ID").ids.tolist() == ["17", "", "19"]


def test_a_record_of_another_side_keeps_its_identifier():
    frame = pd.DataFrame(
        {"SMILES": ["CCO", "OCC", "CC", "CCC"], "A": [1.0, 2, 3, 4], "ID": list("abcd"),
         "side": ["train", "test", "train", "val"]}
    )  # fmt: skip
    config = DataConfig(
        target_columns=("A",), id_column="ID", split_type="predefined", split_column="side"
    )
    panel = build_panel(table_from_frame(frame), config)
    assert [(r.line, r.id) for r in panel.rejected] == [(1, "a")]
    assert panel.ids.tolist() == ["b", "c", "d"]


def test_a_panel_without_changes_has_none():
    panel = panel_of([("CCO", 1.0, ""), ("CCN", 2.0, "")])
    assert panel.structures == ()
    assert panel.ids is None
    assert structures_frame(panel.structures, "line").columns.tolist() == [
        "line",
        "was",
        "became",
        "why",
    ]


def test_merging_by_constitution_gives_one_flat_molecule():
    rows = [("C[C@H](N)F", 1.0, ""), ("C[C@@H](N)F", 3.0, ""), ("CCO", 2.5, "")]
    assert len(panel_of(rows)) == 3
    panel = panel_of(rows, duplicates="ignore_stereo")
    assert panel.smiles.tolist() == ["CC(N)F", "CCO"]
    assert panel.structures[0].why == ("stereo ignored", "one molecule with (row 2)")


def test_relative_stereo_is_read_beside_explicit_hydrogens():
    written = ["C[C@H](F)Cl |r|", "[H][C@](C)(F)Cl |r|", "[H]C([H])([H])[C@H](F)Cl |r|"]
    found = {molecule.smiles for molecule in read_molecules(written)}
    assert len(found) == 1
    assert "|o1:" in found.pop()
