"""What training together really gains: every task alone, every pair, all, and random groups.

A panel of up to six tasks has so few other sets that all of them follow; of the demo panel the
planted groups and their unions do.

Trains one network with one head on each set of tasks, for several seeds, on one scaffold split and
with the settings of the real training, and keeps the test error of each task. It takes hours on a
laptop; it can be stopped at any time and goes on where it was.

The panels are the demo panel, the demo panel without nine in ten of its labels but those of the
test molecules, and the Biogen panel.

Usage: python benchmarks/transfer/measure.py demo|demo_sparse|path/to/biogen_adme_3521.csv [seeds]
Appends to benchmarks/transfer/<panel>.csv.
"""

import csv
import itertools
import logging
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import torch
import yaml

from admet.config import DataConfig, ModelConfig, TrainingConfig
from admet.data import Panel, build_panel, load_panel, split_panel, table_from_frame
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.featurize import PackedGraphs, featurize
from admet.model.chemprop import GraphBatch, GroupedNetwork, TargetScaler
from admet.training.fit import fit

FOLDER = Path(__file__).parent
CONFIG = FOLDER.parents[1] / "configs" / "biogen_adme.yaml"
SPLIT_SEED, N_RANDOM, EPOCHS = 42, 20, 50
ALL_SETS_UP_TO = 6  # tasks
COLUMNS = ("set", "seed", "task", "n_test", "mae", "mse", "seconds")
Key = tuple[tuple[int, ...], int]


def load(name: str) -> tuple[Panel, np.ndarray, str]:
    """Gives the panel, its split and its short name."""
    if name in {"demo", "demo_sparse"}:
        config = DataConfig(target_columns=tuple(TASKS))
        panel, short = build_panel(table_from_frame(make_demo_panel()), config), name
    else:
        targets = tuple(yaml.safe_load(CONFIG.read_text())["data"]["target_columns"])
        config = DataConfig(target_columns=targets)
        panel, short = load_panel(name, config), "biogen"
    sides = split_panel(panel, config, SPLIT_SEED)
    if name == "demo_sparse":
        gone = np.random.default_rng(0).random(panel.labels.shape) < 0.9
        gone[sides == 2] = False
        panel = replace(panel, labels=np.where(gone, np.nan, panel.labels))
    return panel, sides, short


def sets_of(n_tasks: int) -> list[tuple[int, ...]]:
    """Lists the sets of tasks: singles, pairs, all, random ones of three and more, the rest."""
    sets = [(i,) for i in range(n_tasks)]
    sets += itertools.combinations(range(n_tasks), 2)
    sets.append(tuple(range(n_tasks)))
    rng = np.random.default_rng(0)
    while len(sets) < n_tasks + n_tasks * (n_tasks - 1) // 2 + 1 + N_RANDOM:
        size = int(rng.integers(3, n_tasks))
        chosen = tuple(sorted(rng.choice(n_tasks, size, replace=False).tolist()))
        if chosen not in sets:
            sets.append(chosen)
    if n_tasks <= ALL_SETS_UP_TO:
        sizes = range(3, n_tasks)
        every = [s for size in sizes for s in itertools.combinations(range(n_tasks), size)]
        sets += [s for s in every if s not in sets]
    if n_tasks == len(TASKS):
        planted = [tuple(sorted(map(TASKS.index, group))) for group in PLANTED_GROUPS]
        unions = [tuple(sorted(a + b)) for a, b in itertools.combinations(planted, 2)]
        sets += [s for s in planted + unions if s not in sets]
    return sets


def train_network(
    panel: Panel, graphs: PackedGraphs, sides: np.ndarray, tasks: tuple[int, ...], seed: int
) -> np.ndarray:
    """Trains one set with one seed on one thread; predictions of all molecules, shape (n, T)."""
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    columns = list(tasks)
    kinds = [panel.tasks[c].kind for c in columns]
    labels = panel.labels[:, columns]
    scaler = TargetScaler.fit(labels[sides == 0], kinds)
    torch.manual_seed(seed)
    network = GroupedNetwork(ModelConfig(), [list(range(len(columns)))], graphs.d_v, graphs.d_e)
    fit(
        network,
        graphs,
        scaler.scale_labels(labels),
        sides,
        kinds,
        TrainingConfig(epochs=EPOCHS, precision="32"),
        name="network",
        seed=seed,
        device=torch.device("cpu"),
    )
    with torch.inference_mode():
        everything = np.arange(len(graphs))
        outputs = network.eval()(GraphBatch.of(network.batcher(graphs).batch(everything)))
    return scaler.to_units(outputs)


def train_set(
    panel: Panel, graphs: PackedGraphs, sides: np.ndarray, tasks: tuple[int, ...], seed: int
) -> list[tuple[str, int, str, int, float, float, float]]:
    """Trains one set with one seed; a row a task."""
    started = time.perf_counter()
    test = np.flatnonzero(sides == 2)
    predicted = train_network(panel, graphs, sides, tasks, seed)[test]
    seconds = time.perf_counter() - started
    rows = []
    for k, column in enumerate(tasks):
        labels = panel.labels[test, column]
        known = ~np.isnan(labels)
        error = predicted[known, k] - labels[known]
        rows.append(
            (
                "+".join(map(str, tasks)),
                seed,
                panel.tasks[column].name,
                int(known.sum()),
                float(np.abs(error).mean()),
                float((error**2).mean()),
                round(seconds, 1),
            )
        )
    return rows


def done_so_far(path: Path) -> set[tuple[str, int]]:
    """Reads which sets and seeds are there."""
    if not path.exists():
        return set()
    with path.open(newline="") as file:
        return {(row["set"], int(row["seed"])) for row in csv.DictReader(file)}


def jobs(n_tasks: int, n_seeds: int, done: set[tuple[str, int]]) -> Iterator[Key]:
    """Lists what is left, seed by seed."""
    for seed in range(n_seeds):
        for tasks in sets_of(n_tasks):
            if ("+".join(map(str, tasks)), seed) not in done:
                yield tasks, seed


def main() -> None:
    """Trains what is left."""
    n_seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    panel, sides, short = load(sys.argv[1])
    graphs = featurize(panel.smiles)
    path = FOLDER / f"{short}.csv"
    left = list(jobs(len(panel.tasks), n_seeds, done_so_far(path)))
    print(f"{len(left)} trainings to go", flush=True)
    work = joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(
        joblib.delayed(train_set)(panel, graphs, sides, tasks, seed) for tasks, seed in left
    )
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        for count, rows in enumerate(work, start=1):
            writer.writerows(rows)
            file.flush()
            print(count, rows[0][0], rows[0][1], rows[0][-1], flush=True)


if __name__ == "__main__":
    main()
