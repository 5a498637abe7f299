"""What training together really gains: every task alone, every pair, all, and random groups.

A panel of up to six tasks has so few other sets that all of them follow; of the demo panel the
planted groups and their unions do, of other panels the families of sister assays and their unions.

Trains one network with one head on each set of tasks, several times, with the settings of the real
training, and keeps the test error of each task. It takes hours on a laptop; it can be stopped at
any time and goes on where it was.

The panels are the demo panel, the demo panel without nine in ten of its labels but those of the
test molecules, and the Biogen panel, each with one scaffold split and several seeds; and the other
panels of benchmarks/study_panels.py, of which the seeds are the three folds by cluster, since one
test side has too few labels of their small tasks. AstraZeneca's panel has 20 epochs instead of 50,
and of PKIS2 a part of the tasks is taken.

Usage: python benchmarks/transfer/measure.py demo|demo_sparse|path/to/<panel>.csv [seeds [heads]]
Appends to benchmarks/transfer/<panel>.csv. With `heads` every task has a head of its own on the
encoder of the set; pairs and all tasks are trained so, and <panel>_heads.csv keeps them. As many
processes of one thread as LOKY_MAX_CPU_COUNT says, or as there are cores.
"""

import csv
import itertools
import logging
import re
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import yaml

from admet.config import DataConfig, TrainConfig, TrainingConfig
from admet.data import (
    Labels,
    Panel,
    Split,
    build_panel,
    folds,
    load_panel,
    split_panel,
    table_from_frame,
)
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.featurize import PackedGraphs, featurize
from admet.model.chemprop.plan import Plan, disjoint
from admet.training.fit_model import fit_model

sys.path.insert(0, str(Path(__file__).parents[1]))

from affinity_truths import SISTERS
from study_panels import PANELS

FOLDER = Path(__file__).parent
PARTS = {"pkis2_kinases": ("EGFR*", "ERBB2*", "ERBB4*", "AURK*", "JNK*")}
"""Tasks of panels that have too many pairs: of 46 kinases three families of three."""
CONFIG = FOLDER.parents[1] / "configs" / "biogen_adme.yaml"
SPLIT_SEED, N_RANDOM, N_FOLDS = 42, 20, 3
ALL_SETS_UP_TO = 6  # tasks
COLUMNS = ("set", "seed", "task", "n_test", "mae", "mse", "seconds")
Key = tuple[tuple[int, ...], int]


def load(name: str, n_seeds: int) -> tuple[Panel, list[Split], str]:
    """Gives the panel, its split for each seed, and its short name."""
    if name in {"demo", "demo_sparse"}:
        config = DataConfig(target_columns=tuple(TASKS))
        panel, short = build_panel(table_from_frame(make_demo_panel()), config), name
    elif "biogen" in name:
        targets = tuple(yaml.safe_load(CONFIG.read_text())["data"]["target_columns"])
        config = DataConfig(target_columns=targets)
        panel, short = load_panel(name, config), "biogen"
    else:
        short = Path(name).stem
        own = PANELS[short]
        targets = PARTS.get(short, own.targets)
        config = DataConfig(target_columns=targets, smiles_column=own.smiles)
        panel = load_panel(name, config)
        return panel, folds(panel, "cluster", n_folds=N_FOLDS, seed=SPLIT_SEED)[:n_seeds], short
    split = split_panel(panel, config, SPLIT_SEED)
    if name == "demo_sparse":
        gone = np.random.default_rng(0).random(panel.labels.values.shape) < 0.9
        gone[split.test] = False
        panel = replace(panel, labels=Labels(np.where(gone, np.nan, panel.labels.values)))
    return panel, [split] * n_seeds, short


def epochs_of(short: str) -> int:
    """Gives how long the networks of a panel are trained."""
    return 20 if short == "az_dmpk" else 50


def families(short: str, names: list[str]) -> list[tuple[int, ...]]:
    """Lists the groups that a chemist, or the maker of the panel, would form."""
    if short.startswith("demo"):
        return [tuple(sorted(map(TASKS.index, group))) for group in PLANTED_GROUPS]
    found = [
        tuple(i for i, name in enumerate(names) if any(re.search(part, name) for part in parts))
        for parts in SISTERS.get(short, [])
    ]
    rest = tuple(i for i in range(len(names)) if all(i not in family for family in found))
    return [family for family in [*found, rest] if family]


def sets_of(short: str, names: list[str]) -> list[tuple[int, ...]]:
    """Lists the sets of tasks: singles, pairs, all, random ones of three and more, the rest."""
    n_tasks = len(names)
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
    else:
        own = families(short, names)
        unions = [tuple(sorted(a + b)) for a, b in itertools.combinations(own, 2)]
        sets += [s for s in own + unions if s not in sets]
    return sets


def train_network(
    panel: Panel,
    graphs: PackedGraphs,
    split: Split,
    tasks: tuple[int, ...],
    seed: int,
    rows: np.ndarray,
    epochs: int,
    *,
    heads: bool = False,
) -> np.ndarray:
    """Trains one set with one seed on one thread; predictions of some molecules, shape (m, T)."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    names = [panel.task_names[column] for column in tasks]
    training = TrainingConfig(epochs=epochs, precision="32", threads=1)
    config = TrainConfig(training=training, seed=seed)
    groups = [[name] for name in names] if heads else [names]
    plan = Plan.of("manual_groups", disjoint(groups), names, share_encoder=True)
    model = fit_model(panel, split, graphs, config, plan)
    return model.predictor.predict_graphs(graphs, rows).mean


def train_set(
    panel: Panel,
    graphs: PackedGraphs,
    split: Split,
    tasks: tuple[int, ...],
    seed: int,
    epochs: int,
    *,
    heads: bool,
) -> list[tuple[str, int, str, int, float, float, float]]:
    """Trains one set with one seed; a row a task."""
    started = time.perf_counter()
    predicted = train_network(panel, graphs, split, tasks, seed, split.test, epochs, heads=heads)
    seconds = time.perf_counter() - started
    rows = []
    for k, column in enumerate(tasks):
        labels = panel.labels.values[split.test, column]
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


def jobs(sets: list[tuple[int, ...]], n_seeds: int, done: set[tuple[str, int]]) -> Iterator[Key]:
    """Lists what is left, seed by seed."""
    for seed in range(n_seeds):
        for tasks in sets:
            if ("+".join(map(str, tasks)), seed) not in done:
                yield tasks, seed


def main() -> None:
    """Trains what is left."""
    n_seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    panel, splits, short = load(sys.argv[1], n_seeds)
    graphs = featurize(panel.smiles)
    heads = sys.argv[3:] == ["heads"]
    path = FOLDER / f"{short}{'_heads' if heads else ''}.csv"
    sets = sets_of(short, panel.task_names)
    if heads:
        sets = [tasks for tasks in sets if len(tasks) in {2, len(panel.tasks)}]
    left = list(jobs(sets, n_seeds, done_so_far(path)))
    print(f"{len(left)} trainings to go", flush=True)
    work = joblib.Parallel(n_jobs=-1, return_as="generator_unordered")(
        joblib.delayed(train_set)(
            panel, graphs, splits[seed], tasks, seed, epochs_of(short), heads=heads
        )
        for tasks, seed in left
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
