"""Compares run directories on one table, or result files of `evaluate`."""

from collections.abc import Sequence
from pathlib import Path

import torch

from admet.config.reading import AS_FOUND, LabelReading
from admet.data import read_table
from admet.evaluation import Comparison, Evaluation, compare
from admet.inference.evaluate import run_on_table
from admet.run_directory import load_model, read_json


def compare_runs(
    run_dirs: Sequence[Path],
    test_data: Path,
    *,
    smiles_column: str | None = None,
    split: str = "all",
    n_bootstrap: int = 1000,
    seed: int = 42,
    device: torch.device | str = "cpu",
    batch_size: int = 1024,
    reading: LabelReading = AS_FOUND,
) -> Comparison:
    """Compares run directories on a labelled table; see `admet.evaluation.compare`.

    Labels are read by the rules of the first run (limits, maps, the scale on which records are
    averaged), so that all models meet the same ones.

    Args:
        run_dirs: Two or more, the reference first.
        test_data: Labelled table.
        smiles_column: Its column with the SMILES; None takes the one that each model was trained
            on.
        split: "all"; the side of the first run's split to restrict to; or "unseen", the molecules
            that no run had on any side.
        n_bootstrap: Resamples of the 95 % intervals.
        seed: Seed of the resampling.
        device: Where to predict.
        batch_size: Molecules in one step.
        reading: How the table is written, where it does not say it with certainty.

    Returns:
        The differences from the first one.

    Raises:
        DataError: If the runs share no task or no molecule, or the table cannot be used.
        RunDirectoryError: If a run directory cannot be read.
    """
    models = [load_model(run_dir, device, batch_size) for run_dir in run_dirs]
    table = read_table(test_data, reading)
    predicted = [
        run_on_table(
            run_dir,
            model,
            table,
            split,
            run_dirs[0],
            reading,
            smiles_column=smiles_column,
            judge=models[0].spec,
        ).predicted
        for run_dir, model in zip(run_dirs, models, strict=True)
    ]
    return compare(short_names(run_dirs), predicted, n_bootstrap=n_bootstrap, seed=seed)


def compare_results(
    result_files: Sequence[Path], *, n_bootstrap: int = 1000, seed: int = 42
) -> Comparison:
    """Compares result files of `evaluate`; see `admet.evaluation.compare`.

    Args:
        result_files: Two or more JSON files, the reference first.
        n_bootstrap: Resamples of the 95 % intervals.
        seed: Seed of the resampling.

    Returns:
        The differences from the first one.

    Raises:
        DataError: If a file is no result of `evaluate`, or they share no task or no molecule.
        RunDirectoryError: If a file is missing or is not JSON.
    """
    predicted = [
        Evaluation.from_json(read_json(path), str(path)).predicted for path in result_files
    ]
    return compare(short_names(result_files), predicted, n_bootstrap=n_bootstrap, seed=seed)


def short_names(paths: Sequence[Path]) -> list[str]:
    """Names paths by their last part where these differ, else by the whole path."""
    names = [path.stem if path.suffix == ".json" else path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]
