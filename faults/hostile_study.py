"""Feeds the tables of the hostile corpus to a study.

A study must end with one message, or with finite losses, verdicts and predictions of a model that
can be opened. Tables with the columns SMILES and y get thirty sound rows more, so that they can be
divided into folds. Pictures are drawn of hostile labels only, since they take most of the time.

Usage: python faults/hostile_study.py [every [from]]   (every third case: 3; from case 1: 1)
Writes faults/results/hostile_study.json; ends with 1 where an input had another outcome.
"""

import json
import logging
import os
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from unittest.mock import patch

import numpy as np
from corpus import Case, corpus, time_limit
from rdkit import RDLogger

import admet
from admet.config.study import StudyRun
from admet.errors import AdmetError
from admet.study import run

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))
SECONDS = 600
"""No study may take longer; other work may share the machine."""
_RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "c1ccoc1", "c1ccsc1", "C1CCNCC1")
_SOUND = "".join(
    f"{'C' * n}{ring},{0.37 * n + 0.21 * i:.2f}\n"
    for n in range(1, 6)
    for i, ring in enumerate(_RINGS)
)


def padded(case: Case) -> bytes:
    """Gives the table with sound rows behind it, where it has such columns."""
    if case.suffix != ".csv" or not case.content.startswith(b"SMILES,y\n"):
        return case.content
    end = b"" if case.content.endswith(b"\n") else b"\n"
    return case.content + end + _SOUND.encode()


def outcome_of(case: Case, folder: Path) -> tuple[str, str]:
    """Makes a study of a table: "study", "error" or "fault", and what was said."""
    path = folder / f"case{case.suffix}"
    path.write_bytes(padded(case))
    save_dir = folder / "study"
    shutil.rmtree(save_dir, ignore_errors=True)
    keys = {"split_type": "random", "cache": False, "target_columns": ("y",), **(case.split or {})}
    try:
        with time_limit(SECONDS), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            config = StudyRun(
                data_path=path,
                save_dir=save_dir,
                data=keys,
                model={"message_passing": {"hidden_size": 8}, "ffn": {"hidden_size": 8}},
                training={"epochs": 1, "warmup_epochs": 0},
                study={
                    "arms": ["multi_task", "frozen_mlp", "kernel"],
                    "inputs": ["rdkit"],
                    "folds": 2,
                    "workers": 1,
                    "frozen_mlp": {"hidden_size": 8, "epochs": 2},
                },
            )
            study = run(config)
            return ("fault", what) if (what := fault_of(study)) else ("study", "")
    except AdmetError as error:
        said = str(error)
        long = len(said) > 3000 or "Traceback" in said
        return ("fault", f"a message of {len(said)} characters") if long else ("error", said)
    except ValueError as error:  # of the configuration, as the command reports it
        return ("error", str(error)) if type(error).__name__ == "ValidationError" else _bug(error)
    except Exception as error:  # whatever else a study raises is a bug
        return _bug(error)


def _bug(error: Exception) -> tuple[str, str]:
    return "fault", f"{type(error).__name__}: {str(error)[:300]}"


def fault_of(study: admet.study.Study) -> str:
    """Says what a finished study gives that it must not; empty where all is well."""
    for (arm, _, _), values in study.out_of_fold.items():
        if not np.isfinite(values[study.tested]).all():
            return f"{arm} predicts NaN or infinity"
    for verdict in study.verdicts:
        if np.isinf(list(verdict.losses.values())).any():
            return f"the loss of {verdict.task} is infinite"
    assert study.path is not None
    found = admet.load(study.path / "model", device="cpu").predict(["CCO", "c1ccccc1O"])
    named = [f"{name}_pred" for name in study.panel.task_names]
    if not np.isfinite(found[named].to_numpy(float)).all():
        return "the model predicts NaN or infinity"
    return ""


def main() -> int:
    """Feeds, prints and writes."""
    every, start = (int(text) for text in [*sys.argv[1:3], "1", "0"][:2])
    logging.disable(logging.WARNING)
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    cases = [case for case in corpus() if case.suffix != ".yaml"][start::every]
    outcomes: Counter[str] = Counter()
    faults: dict[str, str] = {}
    for case in cases:
        began = time.perf_counter()
        drawn = case.name.startswith("label")
        with tempfile.TemporaryDirectory() as folder:
            if drawn:
                outcome, said = outcome_of(case, Path(folder))
            else:
                with patch("admet.study.pictures.write_pictures"):
                    outcome, said = outcome_of(case, Path(folder))
        outcomes[outcome] += 1
        spent = time.perf_counter() - began
        print(f"{outcome}, {spent:.1f} s, {case.name}: {said[:160]}", flush=True)
        if outcome == "fault":
            faults[case.name] = said
        elif outcome == "study" and case.outcome == "error" and padded(case) == case.content:
            faults[case.name] = "must be an error, was a study"
    report = {"inputs": len(cases), "outcomes": dict(outcomes), "faults": faults}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "hostile_study.json").write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    print(f"{len(cases) - len(faults)} of {len(cases)} as they must be; {dict(outcomes)}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
