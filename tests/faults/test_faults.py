"""The corpus of hostile inputs, the fuzz targets, and short runs of the fault harnesses."""

import importlib.util
import json
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from admet.config import TrainConfig
from admet.inference import predict_table
from admet.training import train

ROOT = Path(__file__).parents[2]
FAULTS = ROOT / "faults"
sys.path.insert(0, str(FAULTS))

import corpus  # noqa: E402
import targets  # noqa: E402

CASES = corpus.corpus()


def harness(tmp_path, *words):
    """Runs a harness of `faults/` to its good end; what it printed."""
    done = subprocess.run(
        [sys.executable, FAULTS / words[0], *words[1:]],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ADMET_FAULTS": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout


def test_there_are_enough_cases_and_each_has_a_name():
    assert len(CASES) >= 150
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.outcome for case in CASES} == {"accepted", "rejected", "error"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_input_has_its_stated_outcome(case, tmp_path):
    assert corpus.check(case, tmp_path) is None


def test_a_wrong_statement_about_an_input_is_found(tmp_path):
    good = corpus.Case("x", corpus.table(), "error")
    assert "must be error, was accepted" in corpus.check(good, tmp_path)
    bad = corpus.Case("x", b"", "error", "sunshine")
    assert "must say 'sunshine'" in corpus.check(bad, tmp_path)


@pytest.mark.parametrize("name", sorted(targets.TARGETS))
def test_what_fuzzing_found_stays_mended(name):
    kept = sorted((FAULTS / "fuzz_corpus" / name).iterdir())
    assert kept
    for path in kept:
        targets.TARGETS[name](path.read_bytes())


CELL = st.text(max_size=12)
LABEL = st.one_of(st.just(""), st.floats().map(repr), st.integers().map(str), CELL)


@pytest.mark.slow
@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(CELL, LABEL), max_size=6), st.sampled_from(["\n", "\r\n"]))
def test_any_table_is_read_or_refused(rows, end):
    lines = ["SMILES,y", "CCO,1", "CCN,2", *(",".join(row) for row in rows)]
    logging.disable(logging.CRITICAL)
    targets.fuzz_table((end.join(lines) + end).encode("utf-8", errors="replace"))
    logging.disable(logging.NOTSET)


YAML = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner),
    max_leaves=8,
)
SECTIONS = st.sampled_from(["data", "model", "task_affinity", "training", "seed", "save_dir"])


@settings(deadline=None, max_examples=150)
@given(st.dictionaries(SECTIONS, YAML, max_size=3))
def test_any_configuration_is_read_or_refused(content):
    targets.fuzz_config(json.dumps(content).encode())


@settings(deadline=None, max_examples=300)
@given(st.text(alphabet="CNOcno[]()=#+-.12%@/\\>*HNaCl :$~\t", max_size=20))
def test_any_smiles_is_read_or_refused(text):
    targets.fuzz_smiles(text.encode())


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not there")
@pytest.mark.parametrize("name", sorted(targets.TARGETS))
def test_a_short_run_of_the_fuzzer(name, tmp_path):
    harness(tmp_path, "fuzz.py", name, "-runs=1500", "-seed=1", f"-artifact_prefix={tmp_path}/")


@pytest.mark.slow
def test_bit_flips_and_planted_pickles_are_detected(tmp_path):
    said = harness(tmp_path, "bit_flips.py", "60")
    assert "60 of 60 bit flips detected" in said


@pytest.mark.slow
def test_strangers_run_directories_are_refused(tmp_path):
    harness(tmp_path, "strangers.py", "30")
    assert json.loads((tmp_path / "strangers.json").read_text())["hostile_run_directories"] >= 100


@pytest.mark.parametrize("precision", ["32", "bf16-mixed"])
def test_every_valid_molecule_gets_a_number(precision, demo_csv, tmp_path):
    accepted = [case for case in CASES if case.outcome == "accepted" and "molecule: " in case.name]
    model = train(
        TrainConfig(
            data_path=demo_csv,
            save_dir=tmp_path / "run",
            data={"target_columns": ["LogD", "KSOL"], "split_type": "random"},
            model={"message_passing": {"hidden_size": 32}},
            training={"epochs": 1, "warmup_epochs": 0, "precision": precision},
        )
    )
    rows = [case.content.decode().splitlines()[-1] for case in accepted]
    (tmp_path / "all.csv").write_text("SMILES,y\n" + "\n".join(rows) + "\n")
    predict_table(model, tmp_path / "all.csv", tmp_path / "out.csv")
    out = pd.read_csv(tmp_path / "out.csv")
    assert len(out) == len(accepted) >= 40
    assert out["reason"].isna().all()
    assert np.isfinite(out[["LogD_pred", "KSOL_pred"]].to_numpy()).all()


@pytest.mark.slow
def test_a_kill_leaves_nothing_or_a_run_to_resume(tmp_path):
    harness(tmp_path, "kills.py", "3", "1")
