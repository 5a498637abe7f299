"""The order of the sections of a page."""

from typing import Any

import numpy as np
import pandas as pd

from admet.inference.held_out import HeldOut
from admet.model.chemprop.task_affinity.problems.base import count_common
from admet.report.content import Page, Section
from admet.report.folders import Origin
from admet.report.parts import (
    affinity,
    arms,
    coverage,
    curves,
    fold_groups,
    labels,
    left_out,
    measured,
    repeat,
    run_verdict,
    study_verdict,
)
from admet.report.run_record import RunRecord
from admet.report.study_record import StudyRecord
from admet.study.outputs import COVERAGE, INTERVALS, LEFT_OUT


def study_page(record: StudyRecord) -> Page:
    """Makes the page of a study."""
    cells = record.pictures["measured"]
    ends = record.tables[INTERVALS]
    if len(ends) == len(cells):  # the same labels in the same order
        cells = cells.assign(**{key: ends[key].to_numpy() for key in ("low", "high", "similarity")})
    names = list(cells["task"].unique())
    gone = record.tables[LEFT_OUT]
    left = [f"Arm {row['arm']}: {row['why']}" for _, row in gone.iterrows()]
    served = record.verdicts[-1].served.replace("_", " ")
    sections: list[Section] = [
        study_verdict.section(record),
        fold_groups.section(record, names),
        arms.section(record),
        measured.section(
            cells,
            f"Predictions of the {served}, each by fits that had not seen the molecule (first "
            "repeat and seed).",
            "This study was written by a version that kept no intervals of single predictions.",
        ),
        curves.study_section(record),
        labels.section(
            names, _facts(cells, record), _shared(cells, names), "tested by the folds", {}
        ),
        left_out.section(record.origin, left),
        coverage.section(
            record.tables[COVERAGE],
            "Labels in intervals that the other folds calibrated (by time the earlier ones), of "
            "molecules that no fit had seen.",
        ),
        repeat.section(record.origin, "study"),
    ]
    title = f"Study of {len(names)} endpoint{'s' * (len(names) > 1)}"
    return Page(title, _words(record.origin, record.path.name), sections)


def run_page(record: RunRecord) -> Page:
    """Makes the page of a training."""
    spec = record.model.spec
    names = spec.task_names
    sections = [run_verdict.section(record), affinity.section(record.affinity)]
    if record.tested is not None and len(record.tested.cells):
        sections.append(
            measured.section(
                record.tested.cells,
                "Predictions of the molecules of the test side.",
                "This model does not know its errors: it had no validation side, or is of an "
                "earlier version.",
            )
        )
    sections += [
        curves.section(record.history, "This model keeps no losses of its training."),
        labels.section(
            names,
            _counts(record),
            record.n_labels,
            "training side" if record.scores else "all that it learnt from",
            record.origin.sides,
        ),
        left_out.section(record.origin),
        coverage.section(
            _coverage(record.tested),
            "Labels of the test side in intervals that the validation side calibrated.",
            "Nothing was held out to try the intervals of this model on, or it has none.",
        ),
        repeat.section(record.origin, "train" if record.scores else "study"),
    ]
    return Page(
        f"Training on {len(names)} endpoint{'s' * (len(names) > 1)}",
        _words(record.origin, record.path.name),
        sections,
    )


def _coverage(tested: HeldOut | None) -> pd.DataFrame:
    return pd.DataFrame() if tested is None else tested.coverage


def _facts(cells: pd.DataFrame, record: StudyRecord) -> pd.DataFrame:
    first = cells.groupby("task", sort=False)
    keys = [key for key in ("kind", "unit", "scale") if key in cells]
    found = first[keys].first().fillna("").reset_index()
    found["labels"] = found["task"].map({v.task: v.n for v in record.verdicts})
    found["tested"] = first.size().to_numpy()  # by time the oldest are not
    if "limit" in cells:
        found["limits"] = first["limit"].agg(lambda own: int((own != 0).sum())).to_numpy()
    return found


def _shared(cells: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Counts molecules with labels of both endpoints, shape (T, T)."""
    rows, smiles = pd.factorize(cells["SMILES"])
    present = np.zeros((len(smiles), len(names)), dtype=bool)
    present[rows, pd.Categorical(cells["task"], names).codes] = True
    return count_common(present)


def _counts(record: RunRecord) -> pd.DataFrame:
    shared = record.n_labels
    rows = []
    for index, task in enumerate(record.model.spec.tasks):
        row: dict[str, Any] = {"task": task.name, "kind": task.kind, "unit": task.unit}
        row["scale"] = task.transform
        row["learnt from"] = None if shared is None else int(shared[index, index])
        for side, scores in record.scores.items():
            found = scores.tasks.get(task.name)
            row[side] = None if found is None else found.n
        rows.append(row)
    return pd.DataFrame(rows)


def _words(origin: Origin | None, name: str) -> list[str]:
    """Gives what stands below the title: the folder, the table, the time, the version."""
    if origin is None:
        return [name]
    run = origin.run
    data, versions = run.get("data"), run.get("versions")
    found = [name]
    if isinstance(data, dict) and data.get("path"):
        found.append(f"table {str(data['path']).replace(chr(92), '/').rsplit('/', 1)[-1]}")
    if run.get("created"):
        found.append(f"written {str(run['created'])[:16].replace('T', ' ')} UTC")
    if isinstance(versions, dict) and versions.get("admet"):
        found.append(f"admet {versions['admet']}")
    return found
