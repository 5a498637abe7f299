import pandas as pd
import pytest

from admet.cli.__main__ import main
from admet.spreadsheet import harmless


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"), (" =1", "' =1"), ("\t=1", "'\t=1"), ("-1.5", "-1.5"),
        ("+3", "+3"), ("-1e-5", "-1e-5"), ("-.5", "-.5"), ("-inf", "-inf"), ("CCO", "CCO"),
        ("[O-]C", "[O-]C"), ("", ""), ("a=b", "a=b"), ("-", "'-"),
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
