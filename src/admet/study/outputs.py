"""The files of a study, except its fits and `study.json`."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from admet.config import dump_yaml_config
from admet.config.study import StudyRun
from admet.data import Split
from admet.run_directory import Files, RunDirectoryWriter, write_composite, write_doubt, write_json
from admet.study.doubt import StudyDoubt, coverage, doubt_of, intervals
from admet.study.executors import Executor
from admet.study.material import Material
from admet.study.refit import refit
from admet.study.results import Study
from admet.table_files import write_table
from admet.training.outputs import write_records, write_split
from admet.training.provenance import describe_run

FITS, STUDY = "fits", "study.json"
"""Names of the folder of fits, and of the file that says which study it is."""
SCHEMA_VERSION = 1
"""Raised when a reader of an older version could no longer understand the folder."""
MODEL, PICTURES = "model", "pictures"
RESULTS, VERDICT = "results.csv", "verdict.csv"
PREDICTIONS, COVERAGE = "predictions.parquet", "coverage.csv"
COMPARISONS, CURVE = "comparisons.csv", "learning_curve.csv"
INTERVALS, LEFT_OUT = "intervals.parquet", "left_out.csv"

FOLDERS = (MODEL, PICTURES)
"""Names of the folders."""
TABLES = (RESULTS, VERDICT, PREDICTIONS, COVERAGE, COMPARISONS, CURVE, INTERVALS, LEFT_OUT)
"""Names of the tables."""


def write_model(
    study: Study,
    known: StudyDoubt,
    material: Material,
    origin: Mapping[str, Any],
    executor: Executor,
) -> None:
    """Trains the composite on all molecules, and writes it as a run directory."""
    assert study.path is not None  # noqa: S101 - `run` gives one
    config = study.config
    with RunDirectoryWriter(study.path / MODEL, overwrite=True) as writer:
        start = time.perf_counter()
        write_composite(writer.path, refit(study, material, executor))
        write_doubt(writer.path, doubt_of(known))
        write_records(writer.path, study.panel)
        everything = np.arange(len(study.panel))  # it has seen all of it
        none = everything[:0]
        write_split(writer.path, study.panel, Split(everything, none, none))
        text = dump_yaml_config(config.only(StudyRun))
        (writer.path / Files.CONFIG).write_text(text, encoding="utf-8")
        seconds = {"training": time.perf_counter() - start}
        run = describe_run(config.data_path) | {"seed": config.seed, "seconds": seconds}
        run |= origin
        write_json(writer.path / Files.RUN, run)


def write_tables(study: Study, known: StudyDoubt) -> None:
    """Writes the tables, then the pictures."""
    from admet.study.pictures import write_pictures  # noqa: PLC0415 - matplotlib takes a second

    assert study.path is not None  # noqa: S101 - `run` gives one
    write_table(study.path / RESULTS, study.results)
    write_table(study.path / VERDICT, study.verdict)
    write_table(study.path / PREDICTIONS, study.predictions)
    write_table(study.path / COVERAGE, coverage(known))
    write_table(study.path / INTERVALS, intervals(known))
    left_out = pd.DataFrame(list(study.left_out.items()), columns=["arm", "why"])
    write_table(study.path / LEFT_OUT, left_out)
    write_table(study.path / COMPARISONS, study.comparisons)
    if study.curve_fits:
        write_table(study.path / CURVE, study.curve)
    else:  # an earlier run may have measured one
        (study.path / CURVE).unlink(missing_ok=True)
    write_pictures(study, study.path / PICTURES)
