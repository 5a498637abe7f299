"""What the affinity is worth in a Gaussian process of all tasks, against what a sceptic would try.

Usage: python benchmarks/joint_kernel.py FOLDER [seeds [panel …]]

FOLDER is that of benchmarks/study_panels.py. Three scaffold folds a seed, frozen inputs that have
not seen the labels. Each task alone; all tasks joined by the affinity that was measured on the
training side; by the same numbers dealt to other pairs; and by their mean for every pair. How much
of the matrix is believed is chosen by the marginal likelihood each time. Writes
benchmarks/results/joint_kernel.json and .md; rows of other panels and seeds stay as they were. A
fit that is there is not done again.
"""

import json
import logging
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from admet.config import DataConfig, TaskAffinityConfig
from admet.config.frozen import KernelConfig
from admet.data import Panel, folds, load_panel
from admet.data.scales import decided
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.frozen.joint_kernel import fit_joint_kernel
from admet.model.frozen.kernel import fit_kernel
from admet.model.inputs import vectors
from report import write_results
from study_panels import PANELS

RESULTS = Path(__file__).parent / "results" / "joint_kernel.json"
WAYS = ("each alone", "the affinity", "dealt to other pairs", "its mean for all pairs")
N_FOLDS = 3


def main() -> None:
    """Measures what is missing, and writes the table."""
    folder = Path(sys.argv[1])
    n_seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    done = json.loads(RESULTS.read_text())["fits"] if RESULTS.exists() else {}
    for name in sys.argv[3:] or ["az_dmpk", "biogen_adme_3521", "pkis2_kinases"]:
        own = PANELS[name]
        config = DataConfig(target_columns=own.targets, smiles_column=own.smiles)
        panel = load_panel(folder / f"{name}.csv", config)
        inputs = vectors(own.inputs, panel.smiles, cache_folder())
        for seed in range(1, n_seeds + 1):
            for fold in range(N_FOLDS):
                for way in WAYS:
                    key = f"{name} | {way} | {seed}.{fold}"
                    if key not in done:
                        done[key] = error(panel, inputs, way, seed, fold)
                        print(key, done[key], flush=True)
                        write(done)


def error(panel: Panel, inputs: np.ndarray, way: str, seed: int, fold: int) -> float:
    """Gives the mean over tasks of the MAE relative to always predicting the mean."""
    split = folds(panel, "scaffold", n_folds=N_FOLDS, seed=seed)[fold]
    rows = split.known
    panel = decided(panel, rows)
    config = KernelConfig()
    if way == WAYS[0]:
        alone = fit_kernel(inputs, panel, rows, config, seed)
        scaled, targets = alone.predict(inputs[split.test])[0], alone.targets
    else:
        joint = fit_joint_kernel(inputs, panel, rows, matrix(panel, rows, way, seed), config, seed)
        scaled, targets = joint.predict(inputs[split.test]), joint.targets
    predicted = targets.to_units(torch.from_numpy(scaled))
    y = panel.labels.values
    constant = np.nanmean(np.abs(y - np.nanmean(y, axis=0)), axis=0)
    return float(np.mean(np.nanmean(np.abs(predicted - y[split.test]), axis=0) / constant))


def matrix(panel: Panel, rows: np.ndarray, way: str, seed: int) -> np.ndarray:
    """Measures the affinity on the training side; of the controls, deals its numbers anew."""
    keys = {"estimator": "coregionalization", "seed": seed, "log_affinity_matrix": False}
    graphs = cached_graphs(panel.smiles, cache_folder()).subset(rows)
    estimate = TaskAffinityComputer(TaskAffinityConfig(**keys)).compute(panel.subset(rows), graphs)
    found = estimate.matrix.copy()
    upper = np.triu_indices(len(found), 1)
    if way == WAYS[2]:
        found[upper] = np.random.default_rng(seed).permutation(found[upper])
    elif way == WAYS[3]:
        found[upper] = np.nanmean(found[upper])
    found[upper[::-1]] = found[upper]
    return found


def write(done: dict[str, float]) -> None:
    """Writes the table."""
    cells: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for key, value in done.items():
        name, way, fit = key.split(" | ")
        cells[name][way][fit] = value
    lines = [f"| panel | {' | '.join(WAYS)} | fits |", "|---" * (len(WAYS) + 2) + "|"]
    for name, ways in cells.items():
        fits = set.intersection(*(set(ways[way]) for way in WAYS))
        if not fits:
            continue
        row: list[Any] = [name]
        for way in WAYS:
            apart = [ways[way][fit] / ways[WAYS[0]][fit] - 1 for fit in fits]
            low, mean, high = (100 * value for value in (min(apart), np.mean(apart), max(apart)))
            span = f" ({mean:+.1f} %; {low:+.1f} to {high:+.1f})"
            row.append(f"{np.mean([ways[way][f] for f in fits]):.3f}{span * (way != WAYS[0])}")
        lines.append("| " + " | ".join([*row, str(len(fits))]) + " |")
    note = (
        "Mean over endpoints of the MAE relative to always predicting the mean, and the change "
        "against each alone: mean, smallest and largest of the fits (seed, fold). Three scaffold "
        "folds a seed; inputs that have not seen the labels."
    )
    write_results("joint_kernel", {"fits": done}, "\n".join(lines), note)


if __name__ == "__main__":
    main()
