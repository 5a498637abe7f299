import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from admet.config import DataConfig
from admet.data import build_panel, load_panel, read_molecules, rejected_frame, table_from_frame
from admet.data.chemistry import is_standard
from admet.data.demo import make_demo_panel
from admet.data.duplicates import merge_duplicates
from admet.data.labels import Labels, Task
from admet.errors import DataError
from admet.kinds import BINARY, REGRESSION


def config(*targets, **more):
    return DataConfig(target_columns=targets, **more)


def test_a_panel_of_awkward_names(write_csv):
    name = "LOG PPB (HUMAN) (% unbound) > µ/ß"
    panel = load_panel(write_csv(f"SMILES,{name}\nCCO,1.5\nCCN,\nCCC,2\n"), config(name))
    assert panel.task_names == [name]
    assert panel.labels.values[:, 0].tolist() == [1.5, 2.0]


def test_every_row_left_out_has_a_line_and_a_reason(write_csv, caplog):
    caplog.set_level(logging.INFO, "admet")
    text = (
        "SMILES,A\nCCO,1.5\nxx,2\n,3\nCCN,\nCC>>CO,1\n[Na+],2\nCCCC\nCC a name,2\n*C,1\nCCCCC,3\n"
    )
    panel = load_panel(write_csv(text), config("A"))
    rows = rejected_frame(panel)
    assert rows["line"].tolist() == [3, 4, 5, 6, 7, 8, 9, 10]
    assert rows["reason"].tolist() == [
        "invalid SMILES",
        "empty SMILES",
        "no label in any target",
        "a reaction, not a molecule",
        "nothing organic: sodium",
        "has 1 cells where the header has 2",
        "text behind the SMILES: 'a name'",
        "a wildcard atom (*), not a whole molecule",
    ]
    assert len(panel) == 2
    assert "8 rows left out" in caplog.text


@pytest.mark.parametrize(
    ("text", "targets", "message"),
    [
        ("smiles,A\nC,1\nCC,2\n", ["A"], "SMILES column 'SMILES' is not in .* Nearest: 'smiles'"),
        ("SMILES,LogD\nC,1\nCC,2\n", ["logd"], "Target column 'logd' .* Nearest: 'LogD'"),
        (
            "SMILES,A\nC,1\nCC,10 uM\nCO,low\n",
            ["A"],
            r"text at line 3 \('10 uM'\), line 4 \('low'\)",
        ),
        ("SMILES,A\nC,1\nCC,inf\n", ["A"], "infinite values at line 3"),
        ("SMILES,A\nC,1\nCC,1e999\n", ["A"], "infinite values at line 3"),
        ("SMILES,A\nC,1\nCC,1_000\n", ["A"], "text at line 3"),
        ("SMILES,A,B\nC,1,\nCC,2,NA\n", ["A", "B"], "Target 'B' has no label"),
        ("SMILES,A\nC,1.5\nCC,1.5\n", ["A"], "Target 'A' has the same label, 1.5"),
        ("SMILES,A\nxx,1\nyy,2\n", ["A"], "No usable row .* all 2 are left out"),
        ("SMILES,A\nC,1\nxx,2\n", ["A"], "Target 'A' has the same label, 1, .* the valid rows"),
        ("SMILES,A\nC,1\n", [], "`data.target_columns` is empty.*has: 'SMILES', 'A'"),
    ],
)
def test_bad_panels_get_one_clear_error(write_csv, text, targets, message):
    with pytest.raises(DataError, match=message):
        load_panel(write_csv(text), config(*targets))


def test_all_faults_are_named_at_once(write_csv):
    with pytest.raises(DataError) as caught:
        load_panel(write_csv("SMILES,A\nC,1\n"), config("B1", "C1"))
    assert "'B1'" in str(caught.value)
    assert "'C1'" in str(caught.value)


def test_kinds_are_inferred_and_can_be_set(write_csv):
    path = write_csv("SMILES,A,B\nC,0,1\nCC,1,2.5\nCO,1,0\n")
    panel = load_panel(path, config("A", "B"))
    assert [task.kind for task in panel.tasks] == [BINARY, REGRESSION]
    panel = load_panel(path, config("A", "B", task_kinds={"A": "regression"}))
    assert panel.tasks[0].kind is REGRESSION
    with pytest.raises(DataError, match="'B' is binary, so its labels must be 0 or 1.*2.5"):
        load_panel(path, config("A", "B", task_kinds={"B": "binary"}))


def test_salts_and_charges_fall_on_the_parent(write_csv):
    path = write_csv("SMILES,A\nCC(=O)[O-].[Na+],1\nCC(=O)O,3\nCCO,5\n")
    panel = load_panel(path, config("A"))
    assert panel.smiles.tolist() == ["CC(=O)O", "CCO"]
    assert panel.labels.values[:, 0].tolist() == [2.0, 5.0]
    raw = load_panel(path, config("A", standardize=False))
    assert raw.smiles.tolist() == ["CC(=O)[O-].[Na+]", "CC(=O)O", "CCO"]


def test_a_valid_molecule_survives_a_standardiser_that_breaks_it(write_csv):
    mesoionic = "O=C(Nc1ccccc1)c1c([O-])n(-c2ccccc2)n[n+]1Cc1ccccc1"
    panel = load_panel(write_csv(f"SMILES,A\n{mesoionic},1\nC,2\n"), config("A"))
    assert len(panel) == 2


def test_duplicates_take_mean_and_majority_and_are_counted(write_csv, caplog):
    text = "SMILES,R,B\nOCC,1,1\nCCO,2,1\nC(C)O,6,0\nCC,5,1\nCC,,0\nC,1,0\n"
    panel = load_panel(write_csv(text), config("R", "B"))
    assert panel.smiles.tolist() == ["CCO", "CC", "C"]
    assert panel.labels.values[:, 0].tolist() == [3.0, 5.0, 1.0]
    assert panel.labels.values[0, 1] == 1.0
    assert np.isnan(panel.labels.values[1, 1])  # a tie
    assert panel.lines.tolist() == [2, 5, 7]
    assert "6 rows hold 3 molecules: 3 duplicates were merged" in caplog.text
    assert "median 2.65" in caplog.text  # sd of 1, 2, 6
    assert "1 ties, left empty" in caplog.text


@settings(deadline=None, max_examples=50)
@given(st.permutations(range(6)))
def test_merging_does_not_depend_on_the_order_of_records(order):
    smiles = np.array(["A", "B", "A", "C", "B", "A"], dtype=object)
    labels = np.array([[1.0], [2.0], [4.0], [8.0], [np.nan], [16.0]])
    order = np.array(order)
    merged = merge_duplicates(
        smiles[order], Labels(labels[order]), (Task("T", REGRESSION),), np.arange(6)[order]
    )
    assert dict(zip(merged.smiles, merged.labels.values[:, 0], strict=True)) == {
        "A": 7.0,
        "B": 2.0,
        "C": 8.0,
    }


def test_an_undoubled_label_is_kept_to_the_bit(rng):
    values = rng.standard_normal(50)[:, None] * 1e-7
    smiles = np.array([f"m{i}" for i in range(50)], dtype=object)
    merged = merge_duplicates(smiles, Labels(values), (Task("T", REGRESSION),), np.arange(50))
    assert np.array_equal(merged.labels.values, values)


def test_the_callers_frame_is_not_changed():
    frame = pd.DataFrame({"SMILES": ["CCO", "OCC", "C"], "A": [1.0, 2.0, 3.0]})
    before = frame.copy()
    build_panel(table_from_frame(frame), config("A"))
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("early", "late"),
    [("train", "test"), ("Training", "validation"), ("train", "dev"), ("val", "HOLDOUT"),
     ("valid", "testing")],
)  # fmt: skip
def test_a_predefined_split_does_not_leak_a_molecule(write_csv, early, late):
    text = f"SMILES,A,side\nCCO,1,{early}\nOCC,2,{late}\nCC,3,train\nC,4,val\n"
    data = config("A", split_type="predefined", split_column="side")
    panel = load_panel(write_csv(text), data)
    assert panel.smiles.tolist() == ["CCO", "CC", "C"]
    assert panel.labels.values[0, 0] == 2.0
    assert [r.line for r in panel.rejected] == [2]


def test_an_unknown_side_is_named_even_where_the_molecule_repeats(write_csv):
    text = "SMILES,A,side\nCCO,1,train\nOCC,2,fold1\nCC,3,test\n"
    data = config("A", split_type="predefined", split_column="side")
    with pytest.raises(DataError, match="line 3 holds 'fold1'"):
        load_panel(write_csv(text), data)


def test_a_missing_cell_of_a_typed_column_is_an_empty_smiles():
    frame = pd.DataFrame({"SMILES": pd.array(["CCO", None, "C"], dtype="string"), "A": [1, 2, 3]})
    panel = build_panel(table_from_frame(frame), config("A"))
    assert [(r.line, r.reason) for r in panel.rejected] == [(2, "empty SMILES")]


def test_a_subset_keeps_rows_together(demo_csv):
    panel = load_panel(demo_csv, config("LogD", "KSOL", "PAMPA"))
    part = panel.subset(np.array([3, 1]))
    assert part.smiles.tolist() == [panel.smiles[3], panel.smiles[1]]
    assert np.array_equal(part.labels.values, panel.labels.values[[3, 1]], equal_nan=True)
    assert part.lines.tolist() == panel.lines[[3, 1]].tolist()


@pytest.mark.parametrize(
    "smiles",
    [
        "CCO", "C[C@H](N)C(=O)O", "O=S(=O)(N)c1ccccc1", "c1ccc2[nH]ccc2c1", "F/C=C/F", "CS(C)=O",
        "CN(=O)=O", "O=n1ccccc1", "CN=N#N", "C=N#N", "[O-][N+](=O)c1ccccc1", "CC(=O)[O-]",
        "C[NH3+]", "CCN.Cl", "[13CH4]", "[2H]C", "CC(=O)O[Na]", "C[Si](C)(C)C", "OB(O)c1ccccc1",
        "CP(C)(C)=O", "CP(=O)=O", "NC(=N)N", "OC(=N)C", "C[S+](C)[O-]", "CS(=N)(=O)C", "C[CH2]",
        "[H][H]", "N[C@@H](C)C(=O)N[C@H](C)C", "CSC", "CC(=S)N", "O=C1C=CC(=O)C=C1", "*CC", "[Se]",
        "O", "C", "CO", "O=C=O", "C#N", "OC(=O)O", "NN", "B", "BBBBBBBBCC",
        "BrC(Br)(Br)C(Br)(Br)Br",
    ],
)  # fmt: skip
def test_the_short_way_gives_what_the_long_way_gives(smiles, monkeypatch):
    """Most molecules need no standardisation; telling so must not change any."""
    short = read_molecules([smiles])
    monkeypatch.setattr("admet.data.chemistry.is_standard", lambda mol, smiles: False)
    assert read_molecules([smiles]) == short


def test_most_molecules_take_the_short_way():
    smiles = [Chem.CanonSmiles(s) for s in make_demo_panel(200)["SMILES"]]
    assert np.mean([is_standard(Chem.MolFromSmiles(s), s) for s in smiles]) > 0.8


@pytest.mark.parametrize("smiles", ["[CH2]Cl", "CC\\P=P/[H]", "[H]O:C(=O)C[O-]", "CC[O-].[Na+]"])
def test_a_standardised_smiles_is_read_as_itself(smiles):
    (molecule,) = read_molecules([smiles])
    assert Chem.MolToSmiles(Chem.MolFromSmiles(molecule.smiles)) == molecule.smiles


def test_a_list_is_no_molecule():
    molecules = read_molecules([["C", "CC"], [], np.array(["C", "N"]), {"a": 1}, None])
    assert [m.reason for m in molecules] == [
        "text behind the SMILES: \"'CC']\"", "invalid SMILES",
        "text behind the SMILES: \"'N']\"", "text behind the SMILES: '1}'", "empty SMILES",
    ]  # fmt: skip


def test_a_molecule_of_several_times_counts_at_the_latest():
    values = np.array([5.0, 1.0, 2.0, 7.0])
    merged = merge_duplicates(
        np.array(["A", "B", "A", "B"], dtype=object),
        Labels(np.array([[1.0], [2.0], [3.0], [2.0]])),
        (Task("T", REGRESSION),),
        np.arange(4),
        values,
        split_type="time",
    )
    assert merged.split_values.tolist() == [5.0, 7.0]
    assert merged.messages[-1].startswith("2 molecules: each has several times and counts at the")
    assert merged.labels.values.tolist() == [[2.0], [2.0]]


def test_a_molecule_of_several_groups_counts_for_the_first_and_that_is_said():
    merged = merge_duplicates(
        np.array(["A", "B", "A"], dtype=object),
        Labels(np.array([[1.0], [2.0], [3.0]])),
        (Task("T", REGRESSION),),
        np.arange(3),
        np.array([4, 1, 0]),
        split_type="group",
    )
    assert merged.split_values.tolist() == [4, 1]
    assert "1 molecule stands in several groups" in merged.messages[-1]
