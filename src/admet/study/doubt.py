"""Intervals of what a study serves: calibrated out of fold, and how well they hold."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import pandas as pd

from admet.evaluation.predicted import signs
from admet.model.composite import spread_of
from admet.model.doubt import Calibration, Doubt, Evidence, Neighbours
from admet.study.results import COMPOSITE, Study

LEVELS = (0.8, 0.95)
_NEAR = (0.3, 0.5, 0.7)  # edges of similarity by which coverage is told


@dataclass(frozen=True, eq=False)
class StudyDoubt:
    """What a study knows of the errors of what it serves, from its first round.

    Attributes:
        study: The study.
        neighbours: Its molecules.
        evidence: For each task the molecules, each predicted by fits that had not seen it.
    """

    study: Study
    neighbours: Neighbours
    evidence: list[Evidence]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Looks for the nearest molecules that each fit had learnt from, which takes a while."""
        labels = study.panel.labels
        neighbours = Neighbours.of(study.panel.smiles, labels.values, labels.limits)
        return cls(study, neighbours, _evidence(study, _distances(study, neighbours)))


def doubt_of(known: StudyDoubt) -> Doubt:
    """Calibrates the composite by its predictions of molecules that no arm had seen.

    Each fit had learnt from a part of the panel only, and the composite's weights came from other
    folds, so errors are a little larger than those of the model that learns from all.

    Args:
        known: What the study knows.

    Returns:
        What its model knows of the errors of its predictions.
    """
    panel = known.study.scaled
    calibration = Calibration.fit(known.evidence, panel.kinds, panel.transforms)
    return Doubt(tuple(panel.task_names), calibration, known.neighbours)


def coverage(known: StudyDoubt) -> pd.DataFrame:
    """Measures the share of labels in intervals which other folds (by time earlier) calibrated.

    Args:
        known: What the study knows.

    Returns:
        One row per task, level and range of similarity to the nearest training molecule (empty for
        all of them): task, level, similarity, n, coverage, and the mean width of the intervals in
        the unit of the labels, for a binary task the mean number of classes.
    """
    study, panel = known.study, known.study.scaled
    rows = []
    for column, (name, kind) in enumerate(zip(panel.task_names, panel.kinds, strict=True)):
        own = known.evidence[column]
        labelled = np.isfinite(own.labels)
        for level in LEVELS:
            inside, width = np.full((2, len(labelled)), np.nan)
            repeat = study.done_rounds[0][0]
            pairs = zip(study.splits[repeat], study.known_before(repeat), strict=True)
            for split, known_before in pairs:
                others = labelled & known_before
                if not others.any():  # by time nothing calibrates the first fold
                    continue
                transforms = [panel.transforms[column]]
                calibration = Calibration.fit([own.of(others)], [kind], transforms)
                tested = split.test[labelled[split.test]]
                inside[tested], width[tested] = _held(calibration, own.of(tested), level)
            rows += _by_similarity(name, level, 1 - own.distance, inside, width)
    columns = ["task", "level", "similarity", "n", "coverage", "width"]
    return pd.DataFrame(rows, columns=columns)


def intervals(known: StudyDoubt) -> pd.DataFrame:
    """Gives each label with what is served for it, and an interval.

    The other folds calibrate it, by time the earlier ones.

    Args:
        known: What the study knows.

    Returns:
        One row per tested molecule and task with a label, as they stand in the panel: task,
        SMILES, label, limit ("<" or ">" where it is one, else empty), prediction, low and high (the
        ends of the 80 % interval, in the unit of the labels; empty for a binary task and where too
        few labels calibrate it), and similarity to the nearest molecule that the fit had learnt
        from.
    """
    study, panel = known.study, known.study.scaled
    first, level = study.done_rounds[0], LEVELS[0]
    served = study.out_of_fold[study.verdicts[-1].served, *first]
    folds = list(zip(study.splits[first[0]], study.known_before(first[0]), strict=True))
    parts = []
    for column, task in enumerate(panel.tasks):
        own = known.evidence[column]
        ends = np.full((2, len(panel)), np.nan)
        for split, known_before in folds if task.kind.scaled else []:
            others = np.isfinite(own.labels) & known_before
            if not others.any():  # by time nothing calibrates the first fold
                continue
            calibration = Calibration.fit([own.of(others)], [task.kind], [task.transform])
            tested = own.of(split.test)
            found = calibration.intervals(
                0, served[split.test, column], tested.spread, tested.distance, level
            )
            ends[:, split.test] = found
        rows = np.flatnonzero(study.panel.labels.present[:, column] & study.tested)
        part = {
            "task": task.name,
            "SMILES": study.panel.smiles[rows],
            "label": study.panel.labels.values[rows, column],
            "limit": signs(study.panel.labels.every_limit[rows, column]),
            "prediction": served[rows, column],
            "low": ends[0, rows],
            "high": ends[1, rows],
            "similarity": 1 - own.distance[rows],
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _held(
    calibration: Calibration, evidence: Evidence, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Tells which labels lie in their intervals (1 or 0), and how wide these are; NaN for none."""
    (task,), (kind,), (transform,) = (
        calibration.tasks,
        calibration.kinds,
        calibration.transforms,
    )
    y, p = evidence.labels, evidence.predictions
    if not kind.scaled:
        kept = task.classes(p, level)
        return kept[np.arange(len(y)), y.astype(int)].astype(float), kept.sum(axis=1).astype(float)
    low, high = task.interval(p, evidence.spread, evidence.distance, level)
    held = np.where(np.isfinite(low), (low <= y) & (y <= high), np.nan)
    return held, transform.undo(high) - transform.undo(low)


def _by_similarity(
    name: str, level: float, similarity: np.ndarray, inside: np.ndarray, width: np.ndarray
) -> list[tuple[str, float, str, int, float, float]]:
    """Gives the rows of a task: all molecules, then by ranges of similarity."""
    told = np.isfinite(inside)
    found = []
    edges = (-np.inf, *_NEAR, np.inf)
    ranges = [("", told)]
    for a, b in pairwise(edges):
        text = f"below {b:g}" if a < 0 else f"{a:g} and more" if b > 1 else f"{a:g} to {b:g}"
        ranges.append((text, told & (similarity >= a) & (similarity < b)))
    for text, rows in ranges:
        if rows.any():
            held = float(inside[rows].mean())
            found.append((name, level, text, int(rows.sum()), held, float(width[rows].mean())))
    return found


def _evidence(study: Study, distance: np.ndarray) -> list[Evidence]:
    """Gives what the first round knows of each task, out of fold."""
    panel, found = study.scaled, study.out_of_fold
    first = study.done_rounds[0]
    served = COMPOSITE if (COMPOSITE, *first) in found else study.arms[0]
    labels = panel.labels
    y = labels.values if labels.limits is None else np.where(labels.limits, np.nan, labels.values)
    evidence = []
    for column, (name, transform) in enumerate(
        zip(panel.task_names, panel.transforms, strict=True)
    ):
        arms = np.stack([transform.apply(found[arm, *first][:, column]) for arm in study.arms])
        evidence.append(
            Evidence(
                transform.apply(y[:, column]),
                transform.apply(found[served, *first][:, column]),
                spread_of(arms, study.weights[name].weights),
                distance[:, column],
            )
        )
    return evidence


def _distances(study: Study, everything: Neighbours) -> np.ndarray:
    """Gives each molecule's distance to the labelled molecules of the other folds, (n, T)."""
    found = np.full(study.panel.labels.values.shape, np.nan)
    for split in study.splits[study.done_rounds[0][0]]:
        nearest = everything.subset(split.known).nearest_to(everything.bits[split.test])
        found[split.test] = nearest.distance
    return found
