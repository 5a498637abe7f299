"""One change at a time to the models on frozen inputs, out of fold, on real panels.

Usage: python benchmarks/frozen_recipe.py FOLDER [folds [seeds [panel …]]], FOLDER being that of
benchmarks/study_panels.py. Writes benchmarks/results/frozen_recipe.json and .md; a cell that is in
the JSON is not measured again. One thread. Scaffold folds; every fit learns from all others.
"""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from admet.config.study import StudyRun
from admet.data import Split, folds, load_panel
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.inputs import vectors
from admet.study.arms import ARMS
from admet.study.material import Material
from report import write_results
from study_panels import PANELS

RESULTS = Path(__file__).parent / "results" / "frozen_recipe.json"
MLP: dict[str, dict[str, Any]] = {
    "as it is": {},
    "loss: mse": {"loss": "mse"},
    "loss: huber": {"loss": "huber"},
    "loss_mean: tasks": {"loss_mean": "tasks"},
    "loss: mse, loss_mean: tasks": {"loss": "mse", "loss_mean": "tasks"},
    "dropout: 0.2": {"dropout": 0.2},
    "dropout: 0.5": {"dropout": 0.5},
    "hidden_size: 1024": {"hidden_size": 1024},
    "num_layers: 3": {"num_layers": 3},
    "learning_rate: 2e-3": {"learning_rate": 2e-3},
    "epochs: 120": {"epochs": 120},
}
KERNEL = {"as it is": {}, "chosen_by: likelihood": {"chosen_by": "likelihood"}}
CHANGES: dict[tuple[str, str], dict[str, Any]] = {
    **{("frozen_own_heads", name): {"frozen_mlp": change} for name, change in MLP.items()},
    **{("kernel", name): {"kernel": change} for name, change in KERNEL.items()},
}


def main() -> None:
    """Measures the cells that are missing, and writes the table."""
    folder = Path(sys.argv[1])
    n_folds, n_seeds = (int(text) for text in [*sys.argv[2:4], "3", "2"][:2])
    logging.getLogger("admet").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    done: dict[str, float] = json.loads(RESULTS.read_text())["errors"] if RESULTS.exists() else {}
    for panel_name in sys.argv[4:] or ["biogen_adme_3521", "az_dmpk", "pkis2_kinases"]:
        own = PANELS[panel_name]
        data = {"target_columns": own.targets, "smiles_column": own.smiles}
        base = StudyRun(data_path=folder / f"{panel_name}.csv", data=data)
        panel = load_panel(base.data_path, base.data)
        graphs = cached_graphs(panel.smiles, cache_folder())
        inputs = {name: vectors([name], panel.smiles, cache_folder()) for name in own.inputs}
        for seed in range(1, n_seeds + 1):
            splits = folds(panel, "scaffold", n_folds=n_folds, n_repeats=1, val_share=0, seed=seed)
            for (arm, name), change in CHANGES.items():
                key = f"{panel_name} | {arm} | {name} | {seed}"
                if key not in done:
                    start = time.perf_counter()
                    study = {"inputs": own.inputs, **change}
                    config = StudyRun(data_path=base.data_path, data=data, study=study)
                    material = Material(config, panel, graphs, inputs)
                    done[key] = error(material, splits, arm, seed)
                    print(
                        f"{key}: {done[key]:.4f}, {time.perf_counter() - start:.0f} s", flush=True
                    )
                    write(done, n_folds)


def error(material: Material, splits: list[Split], arm: str, seed: int) -> float:
    """Gives the mean over tasks of the error relative to always predicting the mean."""
    y = material.panel.labels.values
    found = np.full(y.shape, np.nan)
    for fold, split in enumerate(splits):
        outcome = ARMS[arm].fit(material, split, 1000 * seed + fold)
        found[split.test] = outcome.mean
    constant = np.nanmean(np.abs(y - np.nanmean(y, axis=0)), axis=0)
    return float((np.nanmean(np.abs(found - y), axis=0) / constant).mean())


def write(done: dict[str, float], n_folds: int) -> None:
    """Writes the table: a row per change, a column per panel and seed."""
    cells: dict[tuple[str, str], dict[str, float]] = {}
    columns: list[str] = []
    for key, value in done.items():
        panel, arm, change, seed = key.split(" | ")
        column = f"{panel}, seed {seed}"
        columns += [column] if column not in columns else []
        cells.setdefault((arm, change), {})[column] = value
    lines = ["| arm | change | " + " | ".join(columns) + " |", "|---|---|" + "---:|" * len(columns)]
    for (arm, change), row in cells.items():
        values = [f"{row[c]:.4f}" if c in row else "–" for c in columns]
        lines.append(f"| {arm} | {change} | " + " | ".join(values) + " |")
    note = (
        "Mean over endpoints of the MAE relative to always predicting the mean, out of fold, "
        f"{n_folds} scaffold folds; one thread."
    )
    write_results("frozen_recipe", {"errors": done}, "\n".join(lines), note)


if __name__ == "__main__":
    main()
