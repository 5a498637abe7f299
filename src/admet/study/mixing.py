"""Mixes the arms of a study on each fold, by what other folds have shown."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from admet.study.composite import Evidence, nested_mixture
from admet.study.statistics import known_mean

if TYPE_CHECKING:
    from admet.study.results import Study

Predictions = Mapping[tuple[str, int, int], np.ndarray]
"""Arm, repeat and seed → predictions of all molecules, shape (n, T), in the unit of the labels."""


def mixed_out_of_fold(study: "Study", found: Predictions, repeat: int, seed: int) -> np.ndarray:
    """Gives the composite's predictions of one round, shape (n, T), in the unit of the labels."""
    folds = [split.test for split in study.splits[repeat]]
    evidence = evidence_of(study, found, repeat, seed)
    mixed = nested_mixture(evidence, folds, study.known_before(repeat))
    columns = zip(study.scaled.transforms, mixed.T, strict=True)
    return np.stack([transform.undo(column) for transform, column in columns], axis=1)


def errors_of_mean(y: np.ndarray, limits: np.ndarray | None) -> np.ndarray:
    """Gives the absolute errors of always predicting the mean; a limit that it keeps is none.

    Args:
        y: Labels, shape (n,), NaN where absent.
        limits: Which of them are limits, shape (n,), as in `Labels`; None for none.
    """
    always = np.full((1, len(y)), known_mean(y))
    return np.asarray(Evidence(y, always, 1.0, limits).errors(always)[0])


def evidence_of(study: "Study", found: Predictions, repeat: int, seed: int) -> list[Evidence]:
    """Gives what mixing needs to know of each task in one round."""
    labels, tasks = study.panel.labels, []
    for column, (name, kind) in enumerate(
        zip(study.panel.task_names, study.panel.kinds, strict=True)
    ):
        transform = study.scaled.transforms[column]
        given = np.stack([found[arm, repeat, seed][:, column] for arm in study.arms])
        y = transform.apply(labels.values[:, column])
        limits = None if labels.limits is None else labels.limits[:, column]
        errors = errors_of_mean(y, limits) if kind.scaled else (y - np.nanmean(y)) ** 2
        scale = float(np.nanmean(errors)) or float(np.nanmean(np.abs(y - np.nanmean(y))))
        assert scale > 0, name  # noqa: S101 - no task is constant
        tasks.append(Evidence(y, transform.apply(given), scale, limits, not kind.scaled))
    return tasks
