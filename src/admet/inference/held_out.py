"""What a training held out for its test, with intervals, and how well these held."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from admet.evaluation import Predicted
from admet.model.doubt.asked import Asked
from admet.model.trained_model import TrainedModel

LEVELS = (0.8, 0.95)
"""Shares of new labels that intervals shall hold; the first one is shown."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """The test side of a training.

    Attributes:
        cells: One row per molecule and task with a label: task, kind, unit, scale (the transform
            that is learnt), SMILES, label, limit (1 where the true value is above the label, −1
            where it is below, else 0), prediction; low and high (ends of the 80 % interval, NaN for
            a binary task and where nothing is known), and similarity to the nearest molecule that
            the model learnt from.
        coverage: One row per task and level: task, level, n, coverage (share of the labels in
            their intervals or sets), and width (mean width of the intervals, for a binary task mean
            number of classes). Without rows where the model does not know its errors.
    """

    cells: pd.DataFrame
    coverage: pd.DataFrame


def held_out(model: TrainedModel, tested: Predicted) -> HeldOut:
    """Adds to the predictions of a test what the model says of their errors.

    Labels that are limits count in no coverage: whether the true value is inside is not known.

    Args:
        model: The model.
        tested: Labels and predictions of its test side, its tasks in their order.

    Returns:
        Cells and coverage.

    Raises:
        ConfigError: If a package that computes an extra input of the model is missing.
    """
    told = _told(model, list(tested.smiles)) if model.doubt is not None else {}
    parts, rows = [], []
    for column, task in enumerate(model.spec.tasks):
        label = tested.labels[:, column]
        limit = np.zeros(len(label), np.int8) if tested.limits is None else tested.limits[:, column]
        ends = {level: _ends(frame, task.name, len(label)) for level, frame in told.items()}
        low, high = ends.get(LEVELS[0], np.full((2, len(label)), np.nan))
        part = pd.DataFrame(
            {
                "task": task.name,
                "kind": task.kind,
                "unit": task.unit,
                "scale": task.transform,
                "SMILES": list(tested.smiles),
                "label": label,
                "limit": limit,
                "prediction": tested.predictions[:, column],
                "low": low,
                "high": high,
                "similarity": told[LEVELS[0]][f"{task.name}_similarity"] if told else np.nan,
            }
        )
        parts.append(part[np.isfinite(label)])
        exact = np.isfinite(label) & (limit == 0)
        for level, frame in told.items():
            if task.kind == "binary":
                held, width = _sets(frame[f"{task.name}_set"], label)
            else:
                low, high = ends[level]
                held, width = (low <= label) & (label <= high), high - low
            known = exact & np.isfinite(width)
            if known.any():
                shares = float(held[known].mean()), float(width[known].mean())
                rows.append((task.name, level, int(known.sum()), *shares))
    coverage = pd.DataFrame(rows, columns=["task", "level", "n", "coverage", "width"])
    return HeldOut(pd.concat(parts, ignore_index=True), coverage)


def _told(model: TrainedModel, smiles: list[str]) -> dict[float, pd.DataFrame]:
    """Predicts n molecules: level → a frame of n rows, with the columns of `predict`."""
    asked = {level: Asked(level, nearest=level == LEVELS[0]) for level in LEVELS}
    encode, size = model.encoder(with_structures=True), model.predictor.batch_size
    parts: dict[float, list[pd.DataFrame]] = {level: [] for level in LEVELS}
    for start in range(0, len(smiles), size):
        encoded = encode(smiles[start : start + size])
        for level, wanted in asked.items():
            parts[level].append(pd.DataFrame(model.predict_encoded(encoded, wanted)))
    return {level: pd.concat(own, ignore_index=True) for level, own in parts.items() if own}


def _ends(frame: pd.DataFrame, name: str, n: int) -> np.ndarray:
    """Gives both ends of the intervals of a task, shape (2, n); NaN for a binary one."""
    if f"{name}_low" not in frame:
        return np.full((2, n), np.nan)
    return frame[[f"{name}_low", f"{name}_high"]].to_numpy(float).T


def _sets(sets: pd.Series, label: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tells whether each set of classes holds the label, and how many classes it has."""
    texts = sets.astype(str).tolist()
    held = [("1" if y == 1 else "0") in text for text, y in zip(texts, label, strict=True)]
    width = [float("0" in text) + float("1" in text) for text in texts]
    return np.array(held), np.array(width)
