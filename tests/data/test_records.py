"""Records are reconciled with lines: no quote swallows some."""

import gzip

import pytest

from admet.config import TableReading
from admet.data import count_records, read_table, stream_table
from admet.errors import DataError

MOLECULES = [f"{'C' * (i + 1)}O" for i in range(60)]


def rows(names, mark="\t"):
    """A table of 60 records with a name and a value."""
    lines = [mark.join(("SMILES", "name", "y"))]
    for i, smiles in enumerate(MOLECULES, start=1):
        lines.append(mark.join((smiles, names.get(i, f"cpd {i}"), f"{i / 10:.1f}")))
    return "\n".join(lines) + "\n"


SWALLOWING = {20: '"cpd 20', 50: 'cpd 50"'}


def test_a_tsv_with_two_single_quotes_keeps_all_its_records(write_csv, caplog):
    path = write_csv(rows(SWALLOWING), "t.tsv")
    with caplog.at_level("INFO"):
        table = read_table(path)
    assert table.frame["SMILES"].tolist() == MOLECULES
    assert table.frame["name"][19] == '"cpd 20'
    assert "read without quoting" in caplog.text
    assert count_records(path) == 60
    parts = list(stream_table(path, 7))
    assert [s for part in parts for s in part.frame["SMILES"]] == MOLECULES


@pytest.mark.parametrize("names", [{20: '"cpd 20'}, {60: '"cpd 60'}, {1: 'x" "', 2: '"y'}])
def test_a_tsv_with_one_single_quote_keeps_all_its_records(write_csv, names):
    assert len(read_table(write_csv(rows(names), "t.tsv")).frame) == 60


def test_a_packed_tsv_too(write_csv):
    path = write_csv(gzip.compress(rows(SWALLOWING).encode()), "t.tsv.gz")
    assert len(read_table(path).frame) == 60


@pytest.mark.parametrize(
    ("names", "name", "message"),
    [
        (SWALLOWING, "t.csv", r"quote that opens in line 21 closes in line 51 .* 31 records"),
        ({20: '"cpd 20', 21: 'cpd 21"'}, "t.csv", r"opens in line 21 closes in line 22"),
        ({20: '"cpd 20'}, "t.csv", "quote that opens in line 21 does not close"),
        ({20: '"cpd 20', 50: '"cpd 50'}, "t.csv", "opens in line 21 closes inside a cell in line"),
        ({3: '"a,b"', 20: '"cpd 20'}, "t.csv", "opens in line 21 does not close"),
        # Cells in quotes elsewhere: whether quotes are letters is not certain.
        ({3: '"a\tb"', **SWALLOWING}, "t.tsv", r"opens in line 21 closes in line 51"),
        ({3: '"a, b"', 20: '"cpd 20'}, "t.tsv", "opens in line 21 does not close"),
    ],
)
def test_a_quote_at_fault_is_named_where_it_opens(write_csv, names, name, message):
    path = write_csv(rows(names, "\t" if name == "t.tsv" else ","), name)
    for read in (read_table, count_records, lambda p: list(stream_table(p, 5))):
        with pytest.raises(DataError, match=message) as caught:
            read(path)
        assert "data.quoting: none" in str(caught.value)


def test_a_quote_that_closes_in_another_column_is_no_lesser_fault(write_csv):
    text = rows({20: '"cpd 20'}, ",").replace("5.0\n", '5.0"\n')
    with pytest.raises(DataError, match="opens in line 21 closes in line 51"):
        read_table(write_csv(text))


def test_swallowed_lines_need_not_all_be_whole(write_csv):
    text = (
        rows(SWALLOWING, ",").replace("cpd 30,3.0", "cpd 30").replace("\nCCCCCCO,", "\n\nCCCCCCO,")
    )
    with pytest.raises(DataError, match="opens in line 22 closes"):
        read_table(write_csv(text))


@pytest.mark.parametrize(
    "note",
    [
        "one\ntwo", "a, b\nc, d", "Batch 1\na, b, c\ndone", "\n\n\n", "x,y\n",
        "soluble, stable\nat pH 7, 4",
        '5"" tube\nof glass', "1.2,3.4\n5.6,7.8\n9",
    ],
)  # fmt: skip
def test_a_note_of_several_lines_is_a_cell(write_csv, note):
    path = write_csv(f'SMILES,y,note\nCCO,1,"{note}"\nCCN,2,x\nCCC,3,"{note}"\n')
    table = read_table(path)
    assert table.frame["note"].tolist() == [note.replace('""', '"'), "x", note.replace('""', '"')]
    assert not table.faults


def test_cells_of_several_lines_are_counted(write_csv, caplog):
    with caplog.at_level("INFO"):
        read_table(write_csv('SMILES,y,note\nCCN,2,x\nCCO,1,"one\ntwo"\nCCC,3,"a\nb"\n'))
    assert "2 records span several lines, the first at line 3" in caplog.text


def test_the_user_may_say_what_quotes_are(write_csv):
    text = 'SMILES\tname\ty\nCCO\t"a\t1\nCCN\tb"\t2\nCCC\t"c d"\t3\n'
    path = write_csv(text, "t.tsv")
    with pytest.raises(DataError, match="data.quoting: quoted"):
        read_table(path)
    plain = read_table(path, TableReading(quoting="none"))
    assert plain.frame["name"].tolist() == ['"a', 'b"', '"c d"']
    quoted = read_table(path, TableReading(quoting="quoted"))
    assert quoted.frame["name"].tolist() == ["a\t1\nCCN\tb", "c d"]


def test_a_table_of_one_column_has_no_cell_of_several_lines(write_csv):
    with pytest.raises(DataError, match="opens in line 2 closes in line 3"):
        read_table(write_csv('SMILES\n"CCO\nCCN"\nC\n'))
