"""What is written: the ending decides, types stay, nothing is run by a spreadsheet."""

import gzip
import json
import zipfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from rdkit import Chem

from admet.cli.__main__ import main
from admet.data import read_table
from admet.errors import ConfigError, DataError
from admet.inference import predict_table
from admet.run_directory import load_model
from admet.table_files import check_rows, write_table

FRAME = pd.DataFrame(
    {
        "SMILES": ["CCO", "xx", "CCN", ""],
        "n": pd.array([1, 2, None, 4], "Int64"),
        "x": [0.1, np.nan, 2.123456789012, 1e300],
        "when": pd.to_datetime(
            ["2020-01-01", None, "2021-05-06 07:08:09", "2022-01-01"], format="ISO8601"
        ),
        "note": ["=1+1", "-5", None, "a\nb"],
        "ok": [True, False, True, False],
    }
)


@pytest.fixture(scope="module")
def model(trained):
    return load_model(trained, batch_size=2)


def predict(model, folder, ending, frame=FRAME):
    frame.to_parquet(folder / "t.parquet")
    output = folder / f"p{ending}"
    predict_table(model, folder / "t.parquet", output)
    return output


def test_parquet_is_parquet_and_keeps_types(model, tmp_path):
    out = pd.read_parquet(predict(model, tmp_path, ".parquet"))
    came = pq.read_table(tmp_path / "t.parquet")
    went = pq.read_table(tmp_path / "p.parquet", columns=came.column_names)
    assert went.equals(came)
    assert out["LogD_pred"].dtype == np.float64
    assert out["LogD_pred"].notna().tolist() == [True, False, True, False]
    assert out["reason"].tolist() == ["", "invalid SMILES", "", "empty SMILES"]
    assert pq.ParquetFile(tmp_path / "p.parquet").num_row_groups == 2  # it was written in parts


def test_parquet_of_a_text_is_text_with_numbers(model, tmp_path):
    (tmp_path / "t.csv").write_text("SMILES,id\nCCO,007\nCCN,\n")
    predict_table(model, tmp_path / "t.csv", tmp_path / "p.parquet")
    out = pd.read_parquet(tmp_path / "p.parquet")
    assert out["id"].tolist() == ["007", ""]
    assert out["LogD_pred"].dtype == np.float64


def test_a_parquet_with_unusual_types_comes_back(model, tmp_path):
    frame = pd.DataFrame(
        {
            "SMILES": ["CCO"] * 5,
            "late": [None, None, None, "x", "y"],  # nothing in the first part
            "kind": pd.Categorical(["a", "b", "a", None, "b"]),
            "list": [[1, 2], [], None, [3], [4]],
            "raw": [b"1", b"2", None, b"3", b""],
        }
    )
    out = pd.read_parquet(predict(model, tmp_path, ".parquet", frame))
    assert out["late"].fillna("").tolist() == ["", "", "", "x", "y"]
    assert out["kind"].astype(object).fillna("").tolist() == ["a", "b", "a", "", "b"]
    assert [list(v) if v is not None else v for v in out["list"]] == [[1, 2], [], None, [3], [4]]
    assert out["raw"].tolist() == [b"1", b"2", None, b"3", b""]


def test_csv_tsv_and_packed_csv_hold_the_same(model, tmp_path):
    text = predict(model, tmp_path, ".csv").read_bytes()
    assert gzip.decompress(predict(model, tmp_path, ".csv.gz").read_bytes()) == text
    frame = pd.read_csv(tmp_path / "p.csv")
    assert frame["note"].tolist()[0] == "'=1+1"
    tabs = pd.read_csv(predict(model, tmp_path, ".tsv"), sep="\t")
    pd.testing.assert_frame_equal(tabs, frame)


def test_an_excel_file_keeps_types_and_runs_nothing(model, tmp_path):
    path = predict(model, tmp_path, ".xlsx")
    with zipfile.ZipFile(path) as book:
        assert b"<f>" not in book.read("xl/worksheets/sheet1.xml")  # text, and no formula
    frame = read_table(path).frame
    assert frame["n"].tolist()[:2] == [1, 2]
    assert frame["x"].tolist()[2] == FRAME["x"][2]
    assert frame["when"][2] == FRAME["when"][2]
    assert frame["note"].tolist() == ["=1+1", "-5", None, "a\nb"]
    assert frame["ok"].tolist() == FRAME["ok"].tolist()
    assert frame["LogD_pred"].notna().tolist() == [True, False, True, False]


def test_json_is_a_list_of_objects(model, tmp_path):
    rows = json.loads(predict(model, tmp_path, ".json").read_text())
    assert [row["SMILES"] for row in rows] == FRAME["SMILES"].tolist()
    assert rows[1]["LogD_pred"] is None
    assert rows[0]["n"] == 1
    assert rows[2]["n"] is None
    assert rows[2]["x"] == FRAME["x"][2]
    assert rows[2]["when"] == "2021-05-06 07:08:09"
    whole = model.predict(["CCO"])["LogD_pred"][0]
    assert rows[0]["LogD_pred"] == pytest.approx(whole, abs=1e-6)


def test_an_sd_file_keeps_rows_structures_and_properties(model, tmp_path):
    path = predict(model, tmp_path, ".sdf")
    mols = list(Chem.SDMolSupplier(str(path)))
    assert [mol.GetNumAtoms() for mol in mols] == [3, 0, 3, 0]
    assert mols[0].GetProp("SMILES") == "CCO"
    assert mols[3].GetProp("note") == "a\nb"
    assert mols[1].GetProp("reason") == "invalid SMILES"
    predict_table(model, path, tmp_path / "again.sdf", "SMILES")
    first, again = (read_table(p).frame for p in (path, tmp_path / "again.sdf"))
    assert again["LogD_pred_"].tolist()[0] == first["LogD_pred"].tolist()[0]


def test_structures_of_an_sd_file_stay_as_they_are(model, tmp_path):
    mol = Chem.MolFromSmiles("CCO")
    mol.SetProp("_Name", "wine")
    from rdkit.Chem import rdDepictor

    rdDepictor.Compute2DCoords(mol)
    block = Chem.MolToMolBlock(mol)
    (tmp_path / "t.sdf").write_text(f"{block}>  <y>\n1\n\n$$$$\n{block}$$$$\nbroken\n$$$$\n")
    assert predict_table(model, tmp_path / "t.sdf", tmp_path / "p.sdf") == 1
    text = (tmp_path / "p.sdf").read_text()
    assert text.count(block) == 2
    assert len(list(Chem.SDMolSupplier(str(tmp_path / "p.sdf")))) == 3
    predict_table(model, tmp_path / "t.sdf", tmp_path / "p.csv")
    out = pd.read_csv(tmp_path / "p.csv", keep_default_na=False)
    assert out["Name"].tolist() == ["wine", "wine", "broken"]
    assert "cannot be read" in out["reason"][2]


@pytest.mark.parametrize("name", ["p", "p.xls", "p.gz", "p.parquet.csv2", "p.csv.zip"])
def test_an_unknown_ending_is_refused_before_any_work(trained, tmp_path, name, capsys):
    words = ["--model-dir", str(tmp_path / "none"), "--data-path", str(tmp_path / "none.csv")]
    for command in ("predict", "evaluate"):
        assert main([command, *words, "--output", str(tmp_path / name)]) == 2
        said = capsys.readouterr().err
        assert "`output` must end in .csv, .csv.gz" in said
        assert (".sdf" in said) is (command == "predict")


def test_a_sheet_has_an_end(tmp_path):
    with pytest.raises(ConfigError, match="takes 1,048,576 rows with the header; .* 1,048,577"):
        check_rows(tmp_path / "p.xlsx", "output", 1_048_576)
    check_rows(tmp_path / "p.xlsx", "output", 1_048_575)
    check_rows(tmp_path / "p.csv", "output", 10_000_000)
    with pytest.raises(DataError, match="32,768 characters; a workbook takes 32,767"):
        write_table(tmp_path / "p.xlsx", pd.DataFrame({"a": ["x" * 32_768]}))
    with pytest.raises(DataError, match="16,384 columns"):
        write_table(tmp_path / "p.xlsx", pd.DataFrame([range(16_385)]))
    assert list(tmp_path.iterdir()) == []


def test_whole_numbers_beyond_a_spreadsheet_are_text(tmp_path):
    write_table(tmp_path / "p.xlsx", pd.DataFrame({"id": [2**60 + 1, 5]}))
    assert read_table(tmp_path / "p.xlsx").frame["id"].tolist() == [str(2**60 + 1), 5]


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".xlsx"])
def test_evaluate_and_compare_write_tidy_tables(trained, tmp_path, ending):
    panel = trained.parent / "panel.csv"
    output = tmp_path / f"e{ending}"
    words = ["--n-bootstrap", "5", "--output", str(output)]
    model = ["--model-dir", str(trained), "--data-path", str(panel)]
    assert main(["evaluate", *model, *words]) == 0
    frame = read_table(output).frame
    assert {"task", "metric", "value"} <= set(frame.columns)
    whole = ["--output", str(tmp_path / "e.json")]
    assert main(["evaluate", *model, "--n-bootstrap", "5", *whole]) == 0
    assert json.loads((tmp_path / "e.json").read_text())["schema_version"] == 4
    files = ["--result-files", str(tmp_path / "e.json"), str(tmp_path / "e.json")]
    assert main(["compare_models", *files, "--n-bootstrap", "5", "--output", str(output)]) == 0
    assert {"model", "difference"} <= set(read_table(output).frame.columns)


def test_every_door_takes_a_sheet(trained, tmp_path, capsys):
    panel = pd.read_csv(trained.parent / "panel.csv")
    with pd.ExcelWriter(tmp_path / "t.xlsx", engine="xlsxwriter") as book:
        panel.to_excel(book, sheet_name="assays", index=False)
        panel.iloc[:5].to_excel(book, sheet_name="more", index=False)
    model = ["--model-dir", str(trained), "--data-path", str(tmp_path / "t.xlsx")]
    output = ["--output", str(tmp_path / "p.xlsx")]
    for command in ("predict", "evaluate"):
        assert main([command, *model, *output]) == 2
        assert "2 sheets with cells: 'assays', 'more'" in capsys.readouterr().err
    assert main(["predict", *model, *output, "--sheet", "more"]) == 0
    assert len(read_table(tmp_path / "p.xlsx").frame) == 5
    assert main(["evaluate", *model, "--sheet", "assays", "--n-bootstrap", "0"]) == 0
    table = ["--test-data", str(tmp_path / "t.xlsx"), "--sheet", "assays"]
    runs = ["--model-dirs", str(trained), str(trained), "--n-bootstrap", "2"]
    assert main(["compare_models", *runs, *table]) == 0
