"""Files as laboratories have them: workbooks, SD and SMILES files, CSV as Excel writes it."""

import datetime
import gzip
import zipfile

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from rdkit import Chem

from admet.config import DataConfig, TableReading
from admet.data import count_records, load_panel, read_table, stream_table
from admet.errors import ConfigError, DataError

Y = DataConfig(target_columns=["y"])


def workbook(path, sheets, merged=(), formulas=()):
    book = xlsxwriter.Workbook(str(path))
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if isinstance(cell, datetime.date):
                    sheet.write_datetime(i, j, cell, date)
                elif cell is not None:
                    sheet.write(i, j, cell)
        for ranged in merged:
            sheet.merge_range(ranged, "x")
        for place, formula, value in formulas:
            sheet.write_formula(place, formula, value=value)
    book.close()
    return path


ROWS = [["SMILES", "y", "id", "when", 720637], ["CCO", 1.5, 7, datetime.date(2020, 3, 1), "a"],
        ["CCN", None, 8, datetime.date(2021, 3, 1), None],
        [], ["CCC", 2, None, None, ">5"]]  # fmt: skip


def test_a_workbook_keeps_types_and_rows(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"Sheet1": ROWS, "Sheet2": []})
    table = read_table(path)
    assert table.unit == "row"
    assert table.lines.tolist() == [2, 3, 5]
    assert list(table.frame.columns) == ["SMILES", "y", "id", "when", "720637"]
    assert table.frame["y"].tolist()[::2] == [1.5, 2.0]
    assert str(table.frame["id"].dtype) == "Int64"
    assert table.frame["when"][0] == pd.Timestamp("2020-03-01")
    assert table.frame["720637"].tolist() == ["a", None, ">5"]
    assert count_records(path) == 3
    parts = list(stream_table(path, 2))
    assert [list(part.lines) for part in parts] == [[2, 3], [5]]
    assert load_panel(path, Y).labels.values[:, 0].tolist() == [1.5, 2.0]
    assert load_panel(path, Y).rejected[0].line == 3


def test_one_of_several_sheets_is_asked_by_name(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"first": ROWS, "second run": ROWS[:2]})
    with pytest.raises(ConfigError, match="2 sheets with cells: 'first', 'second run'.*data.sheet"):
        read_table(path)
    assert len(read_table(path, TableReading(sheet="second run")).frame) == 1
    with pytest.raises(ConfigError, match="Nearest: 'second run'"):
        read_table(path, TableReading(sheet="second"))
    (tmp_path / "t.csv").write_text("SMILES,y\nC,1\n")
    with pytest.raises(ConfigError, match="is no workbook"):
        read_table(tmp_path / "t.csv", TableReading(sheet="first"))


@pytest.mark.parametrize(
    ("sheets", "options", "message"),
    [
        ({"a": []}, {}, "is empty"),
        ({"a": ROWS[:1]}, {}, "has a header but no records"),
        ({"a": [[], [], *ROWS]}, {}, "begins with 2 empty row"),
        ({"a": [["Results of March"], *ROWS]}, {}, "no name in row 1, the first is B"),
        ({"a": ROWS}, {"merged": ["H8:I9", "B3:C3"]}, "merged cells, .*B3:C3"),
        (
            {"a": ROWS},
            {"formulas": [("B3", "=1+1", "")]},
            "without a stored value, the first in B3",
        ),
        ({"a": [["SMILES", "y", "y"], ["C", 1, 2]]}, {}, "more than one column named 'y'"),
    ],
)
def test_a_sheet_that_is_no_table_is_refused(tmp_path, sheets, options, message):
    path = workbook(tmp_path / "t.xlsx", sheets, **options)
    with pytest.raises(DataError, match=message):
        read_table(path)


def test_formulas_give_their_stored_values(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"a": ROWS}, formulas=[("B3", "=1+6", 7)])
    assert read_table(path).frame["y"].tolist() == [1.5, 7, 2]


def test_an_error_in_a_cell_is_no_number(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"a": ROWS}, formulas=[("B3", "=1/0", "#DIV/0!")])
    with pytest.raises(DataError, match="row 3 \\('#DIV/0!'\\)"):
        load_panel(path, Y)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"", b"SMILES,y\n", b"\xd0\xcf\x11\xe0" * 200])
def test_what_is_no_workbook_is_refused(tmp_path, content):
    (tmp_path / "t.xlsx").write_bytes(content)
    with pytest.raises(DataError, match="not a readable workbook"):
        read_table(tmp_path / "t.xlsx")


_ODS = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">
<office:body><office:spreadsheet><table:table table:name="Tabelle1">%s</table:table>
</office:spreadsheet></office:body></office:document-content>"""


_MANIFEST = """<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">
<manifest:file-entry manifest:full-path="/"
 manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/></manifest:manifest>"""


def ods(path, rows, span=""):
    def cell(value):
        if isinstance(value, str):
            text = f"<text:p>{value}</text:p>"
            return f'<table:table-cell office:value-type="string"{span}>{text}</table:table-cell>'
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'

    body = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
        archive.writestr("content.xml", _ODS % body)
    return path


def test_an_opendocument_sheet(tmp_path):
    path = ods(tmp_path / "t.ods", [["SMILES", "y"], ["CCO", 1.5], ["CCN", 2]])
    assert read_table(path).frame["y"].tolist() == [1.5, 2.0]
    assert len(read_table(path, TableReading(sheet="Tabelle1")).frame) == 2
    ods(path, [["SMILES", "y"], ["CCO", 1.5]], ' table:number-columns-spanned="2"')
    with pytest.raises(DataError, match="merged cells, A1:B1"):
        read_table(path)


def sdf(path, *records):
    text = ""
    for smiles, properties in records:
        block = smiles if "\n" in smiles else Chem.MolToMolBlock(Chem.MolFromSmiles(smiles))
        text += block + "".join(f">  <{k}>\n{v}\n\n" for k, v in properties.items()) + "$$$$\n"
    packed = path.suffix == ".gz"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


FIVE_BONDS = """five
     x

  6  5  0  0  0  0  0  0  0  0999 V2000
    0.0000    0.0000    0.0000 C   0  0
    1.0000    0.0000    0.0000 C   0  0
    0.0000    1.0000    0.0000 C   0  0
    0.0000   -1.0000    0.0000 C   0  0
   -1.0000    0.0000    0.0000 C   0  0
   -1.0000    1.0000    0.0000 C   0  0
  1  2  1  0
  1  3  1  0
  1  4  1  0
  1  5  1  0
  1  6  1  0
M  END
"""


@pytest.mark.parametrize("name", ["t.sdf", "t.sdf.gz"])
def test_an_sd_file_with_properties(tmp_path, name):
    path = sdf(tmp_path / name, ("CCO", {"y": "1.5", "note": "a\nb"}), (FIVE_BONDS, {"y": "2"}),
               ("no\nstructure\n", {"y": "3"}),
               ("C[C@H](F)Cl", {"y": "4", "log P > 0": "x"}))  # fmt: skip
    table = read_table(path)
    assert table.unit == "record"
    assert list(table.frame.columns) == ["SMILES", "Name", "y", "note", "log P > 0"]
    assert table.frame["SMILES"].tolist() == ["CCO", "", "", "C[C@H](F)Cl"]
    assert table.frame["note"][0] == "a\nb"
    assert table.frame["Name"].tolist() == ["", "five", "no", ""]
    assert "invalid structure" in table.faults[1]
    assert "valence" in table.faults[1]
    assert "cannot be read" in table.faults[2]
    panel = load_panel(path, Y)
    assert [r.line for r in panel.rejected] == [2, 3]
    assert panel.unit == "record"
    parts = list(stream_table(path, 3))
    assert [list(part.lines) for part in parts] == [[1, 2, 3], [4]]
    assert count_records(path) == 4


def test_a_property_called_smiles_stays(tmp_path, caplog):
    path = sdf(tmp_path / "t.sdf", ("CCO", {"SMILES": "OCC", "y": "1"}))
    with caplog.at_level("INFO"):
        table = read_table(path)
    assert table.frame["SMILES"][0] == "OCC"
    assert table.frame["SMILES_structure"][0] == "CCO"
    assert "its property SMILES is taken" in caplog.text


def test_an_sd_file_in_cp1252_and_without_an_end(tmp_path):
    text = Chem.MolToMolBlock(Chem.MolFromSmiles("C")) + "> <y>\n1 µM\n"
    (tmp_path / "t.sdf").write_bytes(text.encode("cp1252"))
    assert read_table(tmp_path / "t.sdf").frame["y"].tolist() == ["1 µM"]
    (tmp_path / "t.sdf").write_bytes(b"\n\n")
    with pytest.raises(DataError, match="is empty"):
        read_table(tmp_path / "t.sdf")


@pytest.mark.parametrize(
    ("text", "columns", "first"),
    [
        ("CCO ethanol of wine\nCCN\n", ["SMILES", "Name"], ["CCO", "ethanol of wine"]),
        ("CCO\tethanol\nCCN\tamine\n", ["SMILES", "Name"], ["CCO", "ethanol"]),
        ("smiles name\nCCO ethanol\n", ["smiles", "name"], ["CCO", "ethanol"]),
        ("SMILES\tid\ty\nCCO\t7\t1.5\n", ["SMILES", "id", "y"], ["CCO", "7", "1.5"]),
        ("CCO |$a$| ethanol\n", ["SMILES", "Name"], ["CCO |$a$|", "ethanol"]),
    ],
)
def test_a_smiles_file(write_csv, text, columns, first):
    table = read_table(write_csv(text, "t.smi"))
    assert list(table.frame.columns) == columns
    assert table.frame.iloc[0].tolist() == first
    assert table.unit == "line"
    assert count_records(write_csv(text, "t.smi")) == len(table.frame)


GOOD = {"SMILES": ["CCO", "CCN"], "y": ["1", "2"]}


@pytest.mark.parametrize(
    "text",
    [
        "SMILES;y\nCCO;1\nCCN;2\n", "SMILES\ty\nCCO\t1\nCCN\t2\n", "SMILES|y\nCCO|1\nCCN|2\n",
        "sep=;\nSMILES;y\nCCO;1\nCCN;2\n", "sep=,\r\nSMILES,y\r\nCCO,1\r\nCCN,2\r\n",
        '"sep=\t"\nSMILES\ty\nCCO\t1\nCCN\t2\n', '"SMILES";"y"\n"CCO";"1"\n"CCN";"2"\n',
        "SMILES;y;\nCCO;1;\nCCN;2;\n",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["t.csv", "t.txt"])
def test_the_delimiter_is_found_where_it_is_certain(write_csv, text, name):
    table = read_table(write_csv(text, name))
    assert {name: table.frame[name].tolist() for name in GOOD} == GOOD


@pytest.mark.parametrize(
    ("text", "header"),
    [
        ("SMILES;LogD (pH 7,4)\nCCO;1,5\nCCN;2,5\n", ["SMILES", "LogD (pH 7,4)"]),
        ("SMILES,a;b,y\nCCO,x;y,1\nCCN,z,2\n", ["SMILES", "a;b", "y"]),
        ("SMILES,a;b\nCCO,x;y\nCCN,z;w\n", ["SMILES", "a;b"]),
        ('SMILES,"a;b"\nCCO,1\nCCN\n', ["SMILES", "a;b"]),
    ],
)
def test_the_other_mark_may_stand_in_names(write_csv, text, header):
    assert list(read_table(write_csv(text)).frame.columns) == header


def test_a_delimiter_that_is_not_certain_is_asked(write_csv):
    path = write_csv("a,b;c\nCCO,1;2\nCCN,3;4\n")
    with pytest.raises(DataError, match="',' and ';'.*data.delimiter: semicolon"):
        read_table(path)
    reading = TableReading(delimiter="semicolon")
    assert list(read_table(path, reading).frame.columns) == ["a,b", "c"]


def test_a_line_that_names_the_delimiter_counts_as_a_line(write_csv):
    assert read_table(write_csv("sep=;\nSMILES;y\nCCO;1\n")).lines.tolist() == [3]


def test_cp1252_is_read_where_it_is_certain(write_csv, caplog):
    text = "SMILES,Löslichkeit [µM]\nCCO,1\n"
    with caplog.at_level("INFO"):
        table = read_table(write_csv(text.encode("cp1252")))
    assert list(table.frame.columns) == ["SMILES", "Löslichkeit [µM]"]
    assert "cp1252" in caplog.text
    assert "line 1 'Löslichkeit'" in caplog.text


@pytest.mark.parametrize(
    "content",
    [
        "SMILES,y\nCCO,Привет\n".encode("cp1251"), "SMILES,y µ\nCCO,".encode() + b"\xb5\n",
        b"SMILES,y\nCCO,\x81\n", b"SMILES,y\nCCO,\xb5\x00\n", b"SMILES,y\nCCO,\xff\n",
        "SMILES,y\nCCO,データ\n".encode("shift_jis"),
    ],
)  # fmt: skip
def test_other_bytes_are_asked(write_csv, content):
    path = write_csv(content)
    with pytest.raises(DataError, match="not valid UTF-8.*data.encoding"):
        read_table(path)


def test_the_user_may_say_the_encoding(write_csv):
    path = write_csv("SMILES,y\nCCO,Привет\n".encode("cp1251"))
    assert read_table(path, TableReading(encoding="cp1251")).frame["y"][0] == "Привет"
    with pytest.raises(DataError, match="not valid ASCII"):
        read_table(path, TableReading(encoding="ascii"))
    with pytest.raises(ConfigError, match="must be the name of a text encoding"):
        TableReading(encoding="klingon")


@pytest.mark.parametrize("unit", ["µM", "%", "mL/min/kg", "log10(mol/L)", "10^-6 cm/s",
                                  "[nM]", "log mL/min/kg", "µg·mL⁻¹", "µL/min/10^6 cells", "h",
                                  "mg/mL"])  # fmt: skip
def test_a_row_of_units_is_recognised(write_csv, caplog, unit):
    path = write_csv(f"SMILES,y,note\n-,{unit},\nCCO,1.5,a\nCCN,>2,b\nCCC,,c\nCC,2,x\n")
    with caplog.at_level("INFO"):
        table = read_table(path)
    assert table.units == {"y": unit.strip("[]")}
    assert table.lines.tolist() == [3, 4, 5, 6]
    assert "units: y" in caplog.text
    assert count_records(path) == 4
    assert next(stream_table(path, 2)).lines.tolist() == [3, 4]


@pytest.mark.parametrize("row", ["C,1,", "C,µM,", "-,high,", ",,", "-,µM,text here"])
def test_another_first_record_is_none_of_units(write_csv, row):
    table = read_table(write_csv(f"SMILES,y,note\n{row}\nCCO,1.5,a\nCCN,2,b\n"))
    assert not table.units
    assert len(table.frame) in (2, 3)


def test_units_reach_the_tasks(tmp_path):
    rows = [["SMILES", "y"], [None, "µM"], ["CCO", 1.5], ["CCN", 2.5]]
    panel = load_panel(workbook(tmp_path / "t.xlsx", {"a": rows}), Y)
    assert panel.tasks[0].unit == "µM"
    assert panel.lines.tolist() == [3, 4]


def test_the_user_may_say_that_there_are_units(write_csv):
    path = write_csv("SMILES,y\n,parrots\nCCO,1.5\nCCN,2\n")
    assert read_table(path, TableReading(units_row="present")).units == {"y": "parrots"}
    assert len(read_table(path).frame) == 3
    path = write_csv("SMILES,y\n,µM\nCCO,1.5\nCCN,2\n")
    assert len(read_table(path, TableReading(units_row="absent")).frame) == 3


def test_a_time_split_by_dates_of_a_workbook(tmp_path):
    rows = [ROWS[0], ROWS[1], ["CCN", 2, 8, datetime.date(2019, 3, 1), None]]
    data = DataConfig(target_columns=["y"], split_type="time", split_column="when")
    panel = load_panel(workbook(tmp_path / "t.xlsx", {"a": rows}), data)
    assert np.diff(panel.split_values)[0] < 0


def test_tabs_of_a_smiles_file_are_cells(write_csv):
    path = write_csv("SMILES\tA\tB\nCCN\t1.5\t\nC[C@H](O)F |o1:1|\t1.0\t2.0\nCCC\t\t3\n", "t.smi")
    table = read_table(path)
    assert not table.faults
    assert table.frame.to_numpy().tolist() == [
        ["CCN", "1.5", ""], ["C[C@H](O)F |o1:1|", "1.0", "2.0"], ["CCC", "", "3"],
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["t.csv.gz", "t.sdf.gz", "t.smi.gz"])
def test_a_damaged_archive_is_one_message(tmp_path, name):
    packed = bytearray(gzip.compress(b"SMILES,y\nCCO,1\n" * 500))
    packed[20:40] = bytes(20)
    (tmp_path / name).write_bytes(packed)
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / name)


def test_a_byte_order_mark_is_no_part_of_a_name(write_csv):
    path = write_csv(b"\xef\xbb\xbfSMILES,y\nCCO,1\n")
    assert list(read_table(path, TableReading(encoding="utf-8")).frame.columns) == ["SMILES", "y"]


def test_a_row_of_units_that_is_said_to_be_there_is_one(write_csv):
    said = TableReading(units_row="present")
    table = read_table(write_csv("SMILES,y,ratio\n,nM,1\nCCO,2,3\n"), said)
    assert len(table.frame) == 1
    assert table.units["y"] == "nM"
    with pytest.raises(DataError, match="no records"):
        read_table(write_csv("SMILES,y\n,nM\n"), said)
