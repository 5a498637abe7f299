import json

import numpy as np
import pandas as pd
import pytest

from admet.cli.__main__ import main
from admet.spreadsheet import harmless
from admet.table_files import write_table


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"), (" =1", "' =1"), ("\t=1", "'\t=1"), ("-1.5", "-1.5"),
        ("+3", "+3"), ("-1e-5", "-1e-5"), ("-.5", "-.5"), ("-inf", "-inf"), ("CCO", "CCO"),
        ("[O-]C", "[O-]C"), ("", ""), ("a=b", "a=b"), ("-", "'-"),
        ("-1,5", "-1,5"), ("-1.234,5", "-1.234,5"), ("-5 %", "-5 %"), ("-12 345", "-12 345"),
        ("+1'000", "+1'000"), ("-1,5+A1", "'-1,5+A1"), ("-12-A", "'-12-A"), ("+1 @x", "'+1 @x"),
    ],
)  # fmt: skip
def test_formulas_become_text_and_numbers_stay(cell, written):
    frame = pd.DataFrame({"a": [cell, "x"], "n": [-1.5, 2.0]}, index=["=r", "s"])
    found = harmless(frame)
    assert found["a"].tolist() == [written, "x"]
    assert found["n"].tolist() == [-1.5, 2.0]
    assert found.index.tolist() == ["'=r", "s"]
    assert frame["a"].tolist() == [cell, "x"]


def test_headers_are_cells_too():
    assert harmless(pd.DataFrame({"=a": [1], "-1": [2]})).columns.tolist() == ["'=a", "-1"]


def test_predictions_cannot_be_run(trained, tmp_path):
    path, output = tmp_path / "in.csv", tmp_path / "out.csv"
    path.write_text('SMILES,note,shift\nCCO,"=HYPERLINK(""http://x"")",-1.50\n=1+1,@x,+2\n')
    words = ["predict", "--model-dir", str(trained), "--data-path", str(path)]
    assert main([*words, "--output", str(output)]) == 0
    frame = pd.read_csv(output, dtype=str, keep_default_na=False)
    assert frame["note"].tolist() == ['\'=HYPERLINK("http://x")', "'@x"]
    assert frame["shift"].tolist() == ["-1.50", "+2"]
    assert frame["SMILES"].tolist() == ["CCO", "'=1+1"]


@pytest.mark.parametrize("before", ["\x0b", "\x0c", "\x00", "\u00a0", "\ufeff", "\u2003"])
def test_blanks_of_all_kinds_do_not_hide_a_formula(before):
    assert harmless(pd.DataFrame({"a": [f"{before}=1"]}))["a"].tolist() == [f"'{before}=1"]


def test_formulas_in_categories_become_text():
    frame = pd.DataFrame({"a": pd.Categorical(["=1", "x", "=1"]), "n": [1, 2, 3]})
    assert harmless(frame)["a"].tolist() == ["'=1", "x", "'=1"]


def test_two_headers_stay_two():
    columns = harmless(pd.DataFrame([[1, 2]], columns=["=x", "'=x"])).columns.tolist()
    assert columns == ["'=x_", "'=x"]


def test_long_lists_are_written_whole():
    cell = harmless(pd.DataFrame({"a": [np.arange(2000), np.arange(1)]}))["a"].tolist()
    assert json.loads(cell[0]) == list(range(2000))


def test_a_workbook_and_json_keep_every_cell_as_it_is(tmp_path):
    table = pd.DataFrame([["-12-A", "=x", [1, 2]], ["a", "b", [3]]], columns=["id", "", ""])
    write_table(tmp_path / "t.xlsx", table)
    sheet = pd.read_excel(tmp_path / "t.xlsx", engine="calamine")
    assert sheet.iloc[0].tolist() == ["-12-A", "=x", "[1, 2]"]
    write_table(tmp_path / "t.json", table)
    first, *_ = json.loads((tmp_path / "t.json").read_text())
    assert list(first.values()) == ["-12-A", "=x", [1, 2]]
