import gzip

import pandas as pd
import pytest

from admet.data import read_table, stream_table, table_from_frame
from admet.errors import DataError, DataFileNotFoundError

ROWS = 'SMILES,"LOG ER (B-A/A-B), pH 7.4 [%] > µ"\nCCO,1.5\nCCN,\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", ROWS.encode()),
        ("t.csv.gz", gzip.compress(ROWS.encode(), mtime=0)),
        ("t.csv", b"\xef\xbb\xbf" + ROWS.encode()),
        ("t.csv", ROWS.replace("\n", "\r\n").encode()),
        ("t.csv", ROWS.encode("utf-16")),
    ],
    ids=["plain", "gzip", "bom", "crlf", "utf-16"],
)
def test_text_formats_read_alike(write_csv, name, content):
    table = read_table(write_csv(content, name))
    assert list(table.frame.columns) == ["SMILES", "LOG ER (B-A/A-B), pH 7.4 [%] > µ"]
    assert table.frame.iloc[:, 1].tolist() == ["1.5", ""]
    assert table.lines.tolist() == [2, 3]


def test_tsv(write_csv):
    table = read_table(write_csv("SMILES\tA, B\nCCO\t1\n", "t.tsv"))
    assert list(table.frame.columns) == ["SMILES", "A, B"]


def test_parquet(tmp_path):
    frame = pd.DataFrame({"SMILES": ["CCO", "CCN"], "A": [1.0, None]})
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    pd.testing.assert_frame_equal(table.frame, frame)
    assert table.unit == "row"


def test_lines_count_newlines_in_quotes_and_blank_lines(write_csv):
    table = read_table(write_csv('SMILES,note\nCCO,"two\nlines"\n\nCCN,x\n'))
    assert table.lines.tolist() == [2, 5]


def test_a_ragged_record_is_named_and_kept_in_order(write_csv):
    table = read_table(write_csv("SMILES,A\nCCO,1\nCCN\nCCC,1,2\nCO,3,,\n"))
    assert table.faults == {
        1: "has 1 cells where the header has 2",
        2: "has 3 cells where the header has 2",
    }
    assert len(table.frame) == 4
    assert table.sound().frame["A"].tolist() == ["1", "3"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "t.csv", "is empty"),
        (" \n\n", "t.csv", "is empty"),
        ("SMILES,A\n", "t.csv", "has a header but no records"),
        ("SMILES,A,A\nC,1,2\n", "t.csv", "more than one column named 'A'"),
        (b"SMILES,A\nC,\xff\n", "t.csv", "not valid UTF-8: byte 0xff in line 2. Save it as UTF-8"),
        ("a,b;c\nC,1;2\n", "t.csv", "may be separated by ',' and ';'"),
        ('SMILES,A\n"C,1\n', "t.csv", "cannot be read as a table"),
        ("SMILES,A\nC\nCC\n", "t.csv", "No record .* has as many cells"),
        (b"not gzip", "t.csv.gz", "cannot be read"),
        (b"not parquet", "t.parquet", "not a readable Parquet"),
        (b"", "t.parquet", "is empty"),
        ("SMILES,A\nC,1\n", "t.xls", "unknown format. Known endings"),
    ],
)
def test_bad_files_get_one_clear_error(write_csv, content, name, message):
    with pytest.raises(DataError, match=message):
        read_table(write_csv(content, name))


def test_missing_file_names_the_near_one(write_csv):
    path = write_csv("SMILES\nC\n", "admet_train.csv")
    with pytest.raises(DataFileNotFoundError, match="Nearest: 'admet_train.csv'"):
        read_table(path.with_name("admet_trian.csv"))
    with pytest.raises(FileNotFoundError, match="No folder"):
        read_table(path.parent / "nowhere" / "t.csv")


def test_a_folder_is_no_table(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


def test_frames_are_checked_and_not_changed():
    frame = pd.DataFrame([[1, 2]], columns=["A", "A"])
    with pytest.raises(DataError, match="more than one column named 'A'"):
        table_from_frame(frame)
    numbers = pd.DataFrame({0: ["C"], 1: [2.0]})
    assert list(table_from_frame(numbers).frame.columns) == ["0", "1"]
    assert list(numbers.columns) == [0, 1]


def test_an_index_of_a_parquet_file_is_a_column(tmp_path):
    frame = pd.DataFrame({"ID": ["a", "b"], "SMILES": ["C", "CC"], "y": [1.0, 2.0]})
    frame.set_index("ID").to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").frame["ID"].tolist() == ["a", "b"]
    (part,) = stream_table(tmp_path / "t.parquet", 10)
    assert part.frame["ID"].tolist() == ["a", "b"]
    frame.iloc[[1]].to_parquet(tmp_path / "t.parquet")  # row numbers are no column
    assert list(read_table(tmp_path / "t.parquet").frame.columns) == ["ID", "SMILES", "y"]


@pytest.mark.parametrize("frame", [None, "panel.csv", [1], {"SMILES": ["C"]}])
def test_only_a_frame_is_a_frame(frame):
    with pytest.raises(DataError, match="must be a pandas DataFrame; got"):
        table_from_frame(frame)
