"""Compares run directories on one table, or result files of `evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from admet.data import read_table
from admet.errors import DataError
from admet.evaluation import BY_KIND, Predicted, compare
from admet.inference.evaluate import run_on_table
from admet.run_directory import TrainedModel, read_json


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
    models = [TrainedModel.load(run_dir, device, batch_size) for run_dir in run_dirs]
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
    try:
        tasks = {task: str(scores["kind"]) for task, scores in content["tasks"].items()}
        stored = content["predictions"]
        smiles = [str(s) for s in stored["smiles"]]
        labels = np.array([stored["labels"][task] for task in tasks], dtype=np.float64).T
        values = np.array([stored["predicted"][task] for task in tasks], dtype=np.float64).T
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{str(path)!r} is not a result of `admet evaluate`: {type(error).__name__} {error}."
        ) from None
    unknown = sorted(set(tasks.values()) - set(BY_KIND))
    if unknown or not tasks:
        fault = f"unknown kinds {unknown}" if unknown else "no task"
        raise DataError(f"{str(path)!r} is damaged: it holds {fault}. Evaluate the model again.")
    if labels.shape != (len(smiles), len(tasks)) or values.shape != labels.shape:
        raise DataError(f"{str(path)!r} is damaged: its columns differ in length.")
    return Predicted(name, smiles, tasks, labels, values)
