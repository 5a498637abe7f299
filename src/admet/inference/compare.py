"""Compares run directories on one table, or result files of `evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from pydantic import BaseModel, Field, StrictFloat, StrictInt, ValidationError

from admet.data import read_table
from admet.errors import DataError
from admet.evaluation import BY_KIND, Predicted, compare
from admet.inference.evaluate import run_on_table
from admet.run_directory import SCHEMA_VERSION, load_model, read_json


class _Scores(BaseModel):
    kind: str


class _Predictions(BaseModel):
    smiles: list[str]
    labels: dict[str, list[StrictFloat | StrictInt | None]]
    predicted: dict[str, list[StrictFloat | StrictInt]]


class _Result(BaseModel):
    """What of a result of `evaluate` a comparison needs."""

    schema_version: StrictInt = Field(ge=1)
    tasks: dict[str, _Scores]
    predictions: _Predictions


def compare_runs(
    run_dirs: Sequence[Path],
    test_data: Path,
    *,
    split: str = "all",
    n_bootstrap: int = 1000,
    seed: int = 42,
    device: torch.device | str = "cpu",
    batch_size: int = 1024,
) -> pd.DataFrame:
    """Compares run directories on a labelled table; see `admet.evaluation.compare`.

    Args:
        run_dirs: Two or more, the reference first.
        test_data: Labelled table.
        split: "all", or the side of the first run's split to restrict to.
        n_bootstrap: Resamples of the 95 % intervals.
        seed: Seed of the resampling.
        device: Where to predict.
        batch_size: Molecules in one step.

    Returns:
        The table of `admet.evaluation.compare`.

    Raises:
        DataError: If the runs share no task or no molecule, or the table cannot be used.
        RunDirectoryError: If a run directory cannot be read.
    """
    models = [load_model(run_dir, device, batch_size) for run_dir in run_dirs]
    table = read_table(test_data)
    predicted = [
        run_on_table(run_dir, model, table, split, run_dirs[0]).predicted(name)
        for run_dir, model, name in zip(run_dirs, models, short_names(run_dirs), strict=True)
    ]
    return compare(predicted, n_bootstrap=n_bootstrap, seed=seed)


def compare_results(
    result_files: Sequence[Path], *, n_bootstrap: int = 1000, seed: int = 42
) -> pd.DataFrame:
    """Compares result files of `evaluate`; see `admet.evaluation.compare`.

    Args:
        result_files: Two or more JSON files, the reference first.
        n_bootstrap: Resamples of the 95 % intervals.
        seed: Seed of the resampling.

    Returns:
        The table of `admet.evaluation.compare`.

    Raises:
        DataError: If a file is no result of `evaluate`, or they share no task or no molecule.
    """
    predicted = [
        _read_result(path, name)
        for path, name in zip(result_files, short_names(result_files), strict=True)
    ]
    return compare(predicted, n_bootstrap=n_bootstrap, seed=seed)


def short_names(paths: Sequence[Path]) -> list[str]:
    """Names paths by their last part where these differ, else by the whole path."""
    names = [path.stem if path.suffix == ".json" else path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]


def _read_result(path: Path, name: str) -> Predicted:
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DataError(
            f"{str(path)!r} has schema version {version}; this admet reads up to {SCHEMA_VERSION}. "
            "Update admet."
        )
    try:
        result = _Result.model_validate(content)
        tasks = {task: scores.kind for task, scores in result.tasks.items()}
        stored = result.predictions
        smiles = stored.smiles
        labels = np.array([stored.labels[task] for task in tasks], dtype=np.float64).T
        values = np.array([stored.predicted[task] for task in tasks], dtype=np.float64).T
        "".join([*tasks, *smiles]).encode("utf-8")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"{str(path)!r} is not a result of `admet evaluate`: {_fault(error)}."
        ) from None
    unknown = sorted(set(tasks.values()) - set(BY_KIND))
    if unknown or not tasks:
        fault = f"unknown kinds {unknown}" if unknown else "no task"
        raise DataError(f"{str(path)!r} is damaged: it holds {fault}. Evaluate the model again.")
    if labels.shape != (len(smiles), len(tasks)) or values.shape != labels.shape:
        raise DataError(f"{str(path)!r} is damaged: its columns differ in length.")
    if len(set(smiles)) != len(smiles):
        raise DataError(f"{str(path)!r} is damaged: a molecule stands twice. Evaluate again.")
    if not np.isfinite(values).all() or np.isinf(labels).any():
        raise DataError(
            f"{str(path)!r} is damaged: a prediction or a label is no finite number. Evaluate the "
            "model again."
        )
    return Predicted(name, smiles, tasks, labels, values)


def _fault(error: Exception) -> str:
    """Says in a line what is wrong with a result."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        return f"`{place[:100]}`: {first['msg']}"
    return f"{type(error).__name__} {error}"[:300]
