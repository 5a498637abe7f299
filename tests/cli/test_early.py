"""A mistyped name is answered before anything heavy is imported, and nothing else is refused."""

import gzip
import json
import subprocess
import sys

import pandas as pd
import pytest

from admet.cli.__main__ import main
from admet.config import DataConfig
from admet.config.reading import LabelReading
from admet.data import read_table
from admet.data.formats import FORMATS
from admet.errors import AdmetError, DataError
from admet.headers import ENDINGS, Column, check_columns, check_panel, possible_headers

HEAVY = {"torch", "chemprop", "lightning", "rdkit", "pandas", "sklearn", "matplotlib"}
FRAME = pd.DataFrame({"SMILES": ["CCO", "CCN", "CCC"], "LogD": [1.0, 2.0, 3.0], "hERG": [1, 0, 1]})


@pytest.fixture
def place(tmp_path):
    FRAME.to_csv(tmp_path / "panel.csv", index=False)
    run = tmp_path / "run"
    run.mkdir()
    (run / "model.json").write_text(json.dumps({"smiles_column": "SMILES"}))
    (tmp_path / "c.yaml").write_text("training: {epoch: 3}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train --data-path panl.csv --data.target-columns LogD", "Nearest: 'panel.csv'"),
        ("train --data-path panel.csv --data.target-columns LogDD", "Nearest: 'LogD'"),
        ("train --data-path panel.csv --data.target-columns LogD --data.smiles-column SMILE",
         "Nearest: 'SMILES'"),
        ("train --data-path panel.csv --data.target-columns LogD hERG --model.groups [[\"LogDD\"]]",
         "Nearest: 'LogD'"),
        ("train --data-path panel.csv --data.target-columns LogD --training.epoch 3", "epochs"),
        ("train --data-path panel.csv --data.target-columns LogD --model.init-from a.pt",
         "does not exist"),
        ("train --config c.yaml", "Nearest: 'epochs'"),
        ("study --data-path panl.csv --data.target-columns LogD", "Nearest: 'panel.csv'"),
        ("study --data-path panel.csv --data.target-columns hERGG", "Nearest: 'hERG'"),
        ("compute_task_affinity --data-path panel.csv --target-columns LogDD hERG --n-groups 2",
         "Nearest: 'LogD'"),
        ("inspect panl.csv", "Nearest: 'panel.csv'"),
        ("inspect panel.csv --target-columns LogDD", "Nearest: 'LogD'"),
        ("predict --model-dir ru --data-path panel.csv --output o.csv", "Nearest: 'run'"),
        ("predict --model-dir run --data-path panl.csv --output o.csv", "Nearest: 'panel.csv'"),
        ("predict --model-dir run --data-path panel.csv --output o.csv --smiles-column SMLES",
         "Nearest: 'SMILES'"),
        ("evaluate --model-dir run --data-path panel.csv --id-column id", "Identifier column 'id'"),
        ("compare_models --model-dirs run ru --test-data panel.csv", "Nearest: 'run'"),
        ("compare_models --model-dirs run run --test-data panl.csv", "Nearest: 'panel.csv'"),
        ("compare_models --result-files a.json b.json", "'a.json' does not exist"),
        ("show ru", "Nearest: 'run'"),
        ("report ru", "Nearest: 'run'"),
        ("export ru --output e", "Nearest: 'run'"),
        ("serve --model-dir ru", "Nearest: 'run'"),
        ("import_chemprop panel.pt --save-dir r", "Nearest: 'panel.csv'"),
        ("tune --data-path panel.csv --data.target-columns hERGG", "Nearest: 'hERG'"),
        ("study --data-path panel.csv --data.target-columns LogD --study.groups [[\"LogDD\"]]",
         "Nearest: 'LogD'"),
    ],
)  # fmt: skip
def test_a_mistyped_name_needs_no_heavy_import(place, words, said):
    code = (
        "import sys\n"
        "from admet.cli.__main__ import main\n"
        "status = main(sys.argv[1:])\n"
        f"heavy = {sorted(HEAVY)!r}\n"
        "print('HEAVY', [name for name in heavy if name in sys.modules])\n"
        "sys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words.split()],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert said in " ".join(done.stderr.split())
    assert "HEAVY []" in done.stdout


def test_the_endings_are_those_of_the_formats():
    assert set(ENDINGS) == {ending for form in FORMATS for ending in form.endings}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"SMILES,LogD\nCCO,1\n"),
        ("a.csv", b"\xef\xbb\xbfSMILES,LogD\r\nCCO,1\r\n"),
        ("a.csv", b"SMILES;LogD\nCCO;1,5\nCCN;2,5\n"),
        ("a.csv", "SMILES\tLogD\nCCO\t1\n".encode("utf-16")),
        ("a.csv", b"sep=|\nSMILES|LogD\nCCO|1\n"),
        ("a.csv", b'\n\n"SMILES","LogD"\nCCO,1\n'),
        ("a.csv", b'SMILES,LogD,"two\nlines"\nCCO,1,2\n'),
        ("a.csv", "SMILES,LogD,µM\nCCO,1,2\n".encode("cp1252")),
        ("a.tsv", b'SMILES\tLogD\t5" tube\nCCO\t1\t2\n'),
        ("a.csv.gz", gzip.compress(b"SMILES,LogD\nCCO,1\n", mtime=0)),
        ("a.smi", b"SMILES LogD\nCCO 1\n"),
    ],
)
def test_what_the_whole_reading_accepts_is_not_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    columns = list(read_table(path, LabelReading()).frame.columns)
    check_columns(path, [Column(name, "Target") for name in columns])
    if not name.endswith("smi"):
        with pytest.raises(DataError, match="Target column 'LogDD' is not in"):
            check_columns(path, [Column("LogDD", "Target")])


def test_typed_tables_are_looked_into(tmp_path):
    FRAME.set_index("hERG").to_parquet(tmp_path / "a.parquet")
    FRAME.to_excel(tmp_path / "a.xlsx", index=False, engine="xlsxwriter")
    for path in (tmp_path / "a.parquet", tmp_path / "a.xlsx"):
        check_columns(path, [Column(name, "Target") for name in read_table(path).frame.columns])
        with pytest.raises(DataError, match=r"Nearest: 'LogD'"):
            check_columns(path, [Column("LogDD", "Target")])


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02", b'"open', b"\xff" * 100])
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.xlsx"])
def test_a_broken_table_is_left_to_the_whole_reading(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    possible_headers(path)
    with pytest.raises(AdmetError):
        read_table(path)


def test_patterns_are_matched_against_the_header(tmp_path):
    path = tmp_path / "panel.csv"
    FRAME.to_csv(path, index=False)
    for good in ("Log*", "numeric", "h[E]RG"):
        check_panel(path, DataConfig(target_columns=(good,)))
    with pytest.raises(DataError, match=r"names 'LOG\*', but no column matches"):
        check_panel(path, DataConfig(target_columns=("LOG*",)))


def test_inspect_still_finds_smiles_and_shows_what_is_there(tmp_path, capsys):
    frame = pd.concat([FRAME] * 20, ignore_index=True).rename(columns={"SMILES": "my smiles"})
    frame["my smiles"] = ["C" * (i + 1) for i in range(len(frame))]
    frame["LogD"] = range(len(frame))
    path = tmp_path / "panel.csv"
    frame.to_csv(path, index=False)
    assert main(["inspect", str(path), "--target-columns", "LogD", "LogDD"]) == 0
    shown = capsys.readouterr().out
    assert "LogD" in shown
    assert "LogDD" in shown
