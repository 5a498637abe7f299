"""Shows the one message that each kind of bad input gets, with its exit code.

Usage: python examples/bad_inputs.py
"""

import contextlib
import io
import os
import tempfile
from pathlib import Path

from admet.cli.__main__ import main

GOOD = "SMILES,LogD,KSOL\nCCO,1.0,2\nCCN,2.0,1\nCCC,3.0,5\nCCCl,1.5,3\n"
FILES: dict[str, bytes] = {
    "good.csv": GOOD.encode(),
    "empty.csv": b"",
    "header_only.csv": b"SMILES,LogD\n",
    "text.csv": b"SMILES,LogD\nCCO,1.0\nCCN,>10\nCCC,low\n",
    "no_label.csv": b"SMILES,LogD,KSOL\nCCO,1,\nCCN,2,\n",
    "constant.csv": b"SMILES,LogD\nCCO,1.5\nCCN,1.5\n",
    "twice.csv": b"SMILES,LogD,LogD\nCCO,1,2\n",
    "latin1.csv": "SMILES,LogD µ\nCCO,1\n".encode("latin-1"),
    "invalid.csv": b"SMILES,LogD\nnot,1\nvalid,2\n",
    "infinite.csv": b"SMILES,LogD\nCCO,1\nCCN,inf\n",
    "semicolon.csv": b"SMILES;LogD\nCCO;1\n",
    "quote.csv": b'SMILES,LogD\n"CCO,1\n',
    "sides.csv": b"SMILES,LogD,side\nCCO,1,train\nCCN,2,fold2\n",
    "ragged.csv": b"SMILES,LogD\nCCO\nCCN\n",
    "broken.parquet": b"PAR1 but no more",
    "sheet.xlsx": b"PK",
    "unknown_key.yaml": b"training:\n  epoch: 3\n",
    "not_yaml.yaml": b"data: [1\n",
}
TRAIN = ["train", "--save-dir", "run", "--data-path"]
LOGD = ["--data.target-columns", "LogD"]
CASES: dict[str, list[str]] = {
    "missing file": [*TRAIN, "godo.csv", *LOGD],
    "empty file": [*TRAIN, "empty.csv", *LOGD],
    "header without records": [*TRAIN, "header_only.csv", *LOGD],
    "unknown format": [*TRAIN, "sheet.xlsx", *LOGD],
    "damaged Parquet": [*TRAIN, "broken.parquet", *LOGD],
    "unreadable encoding": [*TRAIN, "latin1.csv", *LOGD],
    "semicolons for commas": [*TRAIN, "semicolon.csv", *LOGD],
    "unclosed quote": [*TRAIN, "quote.csv", *LOGD],
    "every record ragged": [*TRAIN, "ragged.csv", *LOGD],
    "duplicated column": [*TRAIN, "twice.csv", *LOGD],
    "missing SMILES column": [*TRAIN, "good.csv", *LOGD, "--data.smiles-column", "smiles"],
    "missing target column": [*TRAIN, "good.csv", "--data.target-columns", "logd"],
    "no target named": [*TRAIN, "good.csv"],
    "text in a target": [*TRAIN, "text.csv", *LOGD],
    "target without a label": [*TRAIN, "no_label.csv", "--data.target-columns", "LogD", "KSOL"],
    "constant target": [*TRAIN, "constant.csv", *LOGD],
    "infinite label": [*TRAIN, "infinite.csv", *LOGD],
    "all SMILES invalid": [*TRAIN, "invalid.csv", *LOGD],
    "binary task with other labels": [
        *TRAIN, "good.csv", *LOGD, "--data.task-kinds", "LogD", "binary"
    ],
    "ratios that do not sum to 1": [
        *TRAIN, "good.csv", *LOGD, "--data.split-ratios", "0.8", "0.3", "0.1"
    ],
    "time split without a column": [*TRAIN, "good.csv", *LOGD, "--data.split-type", "time"],
    "unknown side in a predefined split": [
        *TRAIN, "sides.csv", *LOGD, "--data.split-type", "predefined",
        "--data.split-column", "side",
    ],
    "too many groups": [
        *TRAIN, "good.csv", "--data.target-columns", "LogD", "KSOL",
        "--task-affinity.enabled", "true",
    ],
    "unknown flag": [*TRAIN, "good.csv", *LOGD, "--training.epoch", "3"],
    "unknown YAML key": ["train", "--config", "unknown_key.yaml"],
    "broken YAML": ["train", "--config", "not_yaml.yaml"],
    "device that is not there": [*TRAIN, "good.csv", *LOGD, "--training.device", "cuda:9"],
    "filled save-dir": ["train", "--save-dir", ".", "--data-path", "good.csv", *LOGD],
    "no run directory": ["predict", "--model-dir", "x", "--data-path", "good.csv", "--output", "o"],
}  # fmt: skip


def show() -> None:
    """Runs every case in a temporary folder."""
    os.environ["COLUMNS"] = "120"
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for name, content in FILES.items():
            Path(name).write_bytes(content)
        for number, (name, words) in enumerate(CASES.items(), start=1):
            said = io.StringIO()
            with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
                code = main(words)
            assert code == 2, f"{name}: exit {code}\n{said.getvalue()}"
            print(f"{number}. {name} (exit {code})\n{said.getvalue().rstrip()}\n")
        assert sorted(p.name for p in Path().iterdir()) == sorted(FILES), (
            "something was left behind"
        )


if __name__ == "__main__":
    show()
