"""One change at a time to a network, and to models on frozen inputs, out of fold, on real panels.

Usage: python benchmarks/recipe.py FOLDER frozen|informed|kernel|networks [folds [seeds [panel …]]]

FOLDER is that of benchmarks/study_panels.py. Of three scaffold folds of each seed the first `folds`
are tested; a seed deals the folds anew and draws other weights. Frozen inputs are MiniMol and
descriptors, which have seen none of these labels. One thread. A fit that is in
benchmarks/results/recipe.json is not done again. Networks have 20 epochs, and 10 % of what is not
tested chooses the best one. Rows that begin with "best epoch" cost no training of their own: they
are other choices among the epochs of "as it is".
"""

import json
import logging
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

import admet.training.fit as fit_module
from admet.config.study import StudyRun
from admet.data import Split, folds, load_panel
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.chemprop import GroupedNetwork
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.inputs import vectors
from admet.study.arms import ARMS
from admet.study.material import Material
from admet.training.callbacks import EpochRecorder
from report import write_results
from study_panels import PANELS

RESULTS = Path(__file__).parent / "results" / "recipe.json"
INPUTS = ("minimol", "rdkit")
BASE = "as it is"
N_FOLDS = 3
EPOCHS = 20
SECTION = {"frozen": "frozen_mlp", "informed": "informed_heads", "kernel": "kernel"}
ARM = SECTION | {"networks": "multi_task"}
Changes = dict[str, dict[str, Any]]
FROZEN: Changes = {
    BASE: {},
    "num_layers: 3": {"num_layers": 3},
    "dropout: 0.5": {"dropout": 0.5},
    "hidden_size: 256": {"hidden_size": 256},
    "together: num_layers 3, dropout 0.5": {"num_layers": 3, "dropout": 0.5},
    "together: num_layers 3, hidden_size 256": {"num_layers": 3, "hidden_size": 256},
    "loss: mse": {"loss": "mse"},
    "loss: huber": {"loss": "huber"},
    "loss_mean: tasks": {"loss_mean": "tasks"},
    "weight_averaging: ema": {"weight_averaging": "ema"},
    "dropout: 0.2": {"dropout": 0.2},
    "learning_rate: 2e-3": {"learning_rate": 2e-3},
    "learning_rate: 5e-4": {"learning_rate": 5e-4},
    "weight_averaging: swa": {"weight_averaging": "swa"},
    "hidden_size: 1024": {"hidden_size": 1024},
    "epochs: 120": {"epochs": 120},
}
NETWORKS: Changes = {
    BASE: {},
    "training.loss: huber": {"training": {"loss": "huber"}},
    "training.loss: mae": {"training": {"loss": "mae"}},
    "training.weight_averaging: ema": {"training": {"weight_averaging": "ema"}},
    "model.extra_inputs: [minimol, rdkit]": {"model": {"extra_inputs": INPUTS}},
    "training.learning_rate: 2e-3": {"training": {"learning_rate": 2e-3}},
    "model.ffn.hidden_size: 600": {"model": {"ffn": {"hidden_size": 600}}},
    "model.message_passing.depth: 4": {"model": {"message_passing": {"depth": 4}}},
    "training.loss_mean: tasks": {"training": {"loss_mean": "tasks"}},
    "training.weight_averaging: swa": {"training": {"weight_averaging": "swa"}},
    "model.ffn.num_layers: 1": {"model": {"ffn": {"num_layers": 1}}},
    "model: dropout 0.1": {"model": {"message_passing": {"dropout": 0.1}, "ffn": {"dropout": 0.1}}},
    "together: huber, ema, extra inputs, learning rate 2e-3, heads of 600": {
        "training": {"loss": "huber", "weight_averaging": "ema", "learning_rate": 2e-3},
        "model": {"extra_inputs": INPUTS, "ffn": {"hidden_size": 600}},
    },
}
KERNEL: Changes = {BASE: {}, "chosen_by: likelihood": {"chosen_by": "likelihood"}}
INFORMED: Changes = {
    BASE: {},
    "learning_rate: 1e-3": {"learning_rate": 1e-3},
    "epochs: 20": {"epochs": 20},
    "epochs: 20, learning_rate: 1e-3": {"epochs": 20, "learning_rate": 1e-3},
    "epochs: 50, learning_rate: 1e-3": {"epochs": 50, "learning_rate": 1e-3},
    "loss: huber": {"loss": "huber"},
    "loss: mse": {"loss": "mse"},
}
CHANGES = {"frozen": FROZEN, "informed": INFORMED, "kernel": KERNEL, "networks": NETWORKS}
TASK_BEST, LAST = "best epoch: of each task", "best epoch: the last"


def main() -> None:
    """Measures the cells that are missing, and writes the table."""
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    n_tested, n_seeds = (int(text) for text in [*sys.argv[3:5], "2", "2"][:2])
    names = sys.argv[5:] or ["pkis2_kinases", "az_dmpk", "biogen_adme_3521"]
    logging.getLogger("admet").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    done = json.loads(RESULTS.read_text())["fits"] if RESULTS.exists() else {}
    materials = {name: material_of(folder, name) for name in names}
    for fold in range(n_tested):
        for seed in range(1, n_seeds + 1):
            splits = {
                name: folds(material.panel, "scaffold", n_folds=N_FOLDS, seed=seed)[fold]
                for name, material in materials.items()
            }
            for change in CHANGES[kind]:  # so that all panels have the same rows, wherever it ends
                for name, split in splits.items():
                    key = " | ".join((kind, name, change, f"{seed}.{fold}"))
                    if key not in done:
                        start, own = time.perf_counter(), materials[name]
                        fit_once(own, split, kind, change, 1000 * seed + fold, key, done)
                        done[key]["seconds"] = round(time.perf_counter() - start, 1)
                        print(key, done[key], flush=True)
                        write(done)


def material_of(folder: Path, name: str) -> Material:
    """Reads a panel, and computes what its fits share."""
    own, path = PANELS[name], folder / f"{name}.csv"
    data = {"target_columns": own.targets, "smiles_column": own.smiles}
    config = StudyRun(data_path=path, data=data)
    panel = load_panel(path, config.data)
    inputs = {each: vectors([each], panel.smiles, cache_folder()) for each in INPUTS}
    return Material(config, panel, cached_graphs(panel.smiles, cache_folder()), inputs)


def fit_once(
    material: Material, split: Split, kind: str, change: str, seed: int, key: str, done: Any
) -> None:
    """Fits one arm with one change, and keeps its errors under the key."""
    own = CHANGES[kind][change]
    if kind == "networks":
        training = {"epochs": EPOCHS, "threads": 1} | own.get("training", {})
        sections = {"model": own.get("model", {}), "training": training}
    else:
        sections = {"study": {"inputs": INPUTS, SECTION[kind]: own}}
    old = material.config
    config = StudyRun(data_path=old.data_path, data=old.data, **sections)
    changed = Material(config, material.panel, material.graphs, material.inputs)
    watched = kind == "networks" and change == BASE
    watch = Watcher.watching(changed, split) if watched else None
    try:
        outcome = ARMS[ARM[kind]].fit(changed, split, seed)
    finally:
        vars(fit_module)["EpochRecorder"] = EpochRecorder
    done[key] = {"error": error(material, split.test, outcome.mean)}
    if watch is not None:
        for name, predicted in watch.choices(outcome.mean).items():
            done[key.replace(BASE, name)] = {"error": error(material, split.test, predicted)}


def error(material: Material, rows: np.ndarray, predicted: np.ndarray) -> float:
    """Gives the mean over tasks of the MAE relative to always predicting the mean."""
    y = material.panel.labels.values
    constant = np.nanmean(np.abs(y - np.nanmean(y, axis=0)), axis=0)
    return float(np.nanmean(np.nanmean(np.abs(predicted - y[rows]), axis=0) / constant))


class Watcher:
    """Predicts both sides after every epoch, to compare ways of choosing one."""

    def __init__(self, material: Material, split: Split) -> None:
        self.material, self.split = material, split
        self.epochs: list[tuple[np.ndarray, np.ndarray]] = []  # of both sides, scaled

    @classmethod
    def watching(cls, material: Material, split: Split) -> "Watcher":
        """Puts a recorder in the place of that of the next training."""
        watch = cls(material, split)

        class Recorder(EpochRecorder):
            def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
                super().on_train_epoch_end(trainer, pl_module)
                watch.look(pl_module.network)

        vars(fit_module)["EpochRecorder"] = Recorder
        return watch

    def look(self, network: GroupedNetwork) -> None:
        """Keeps the outputs of the network for both sides."""
        network.eval()
        batcher = network.batcher(self.material.graphs)
        with torch.inference_mode():
            found = [
                torch.cat(
                    [
                        network(GraphBatch.of(batcher.batch(part)))
                        for part in np.array_split(rows, 8)
                    ]
                ).numpy()
                for rows in (self.split.val, self.split.test)
            ]
        network.train()
        self.epochs.append((found[0], found[1]))

    def choices(self, chosen: np.ndarray) -> dict[str, np.ndarray]:
        """Gives predictions of the test side by other choices of an epoch.

        Args:
            chosen: Those of the epoch that the training chose, which says how to undo the scale.
        """
        labels = self.material.panel.labels.values
        train = labels[self.split.train]
        mean, scale = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
        in_units = [(val * scale + mean, test * scale + mean) for val, test in self.epochs]
        assert min(np.abs(test - chosen).max() for _, test in in_units) < 1e-2 * scale.max()
        y = labels[self.split.val]
        with np.errstate(invalid="ignore"):
            losses = np.stack([np.nanmean((val - y) ** 2, axis=0) for val, _ in in_units])
        best = np.where(np.isnan(losses).any(axis=0), len(losses) - 1, losses.argmin(axis=0))
        tests = np.stack([test for _, test in in_units])
        by_task = np.stack([tests[epoch, :, task] for task, epoch in enumerate(best)], axis=1)
        return {TASK_BEST: by_task, LAST: tests[-1]}


def write(done: dict[str, dict[str, float]]) -> None:
    """Writes the tables: for each panel the mean over fits of what a change changes."""
    cells: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    for key, value in done.items():
        kind, panel, change, part = key.split(" | ")
        cells[kind, panel, change][part] = value["error"]
    panels = list(dict.fromkeys(panel for _, panel, _ in cells))
    tables = []
    for kind in dict.fromkeys(kind for kind, _, _ in cells):
        lines = [
            f"**{ARM[kind]}**\n",
            f"| change | {' | '.join(panels)} |",
            "|---|" + "---|" * len(panels),
        ]
        changes = dict.fromkeys(change for own, _, change in cells if own == kind)
        for change in changes:
            shown = [
                cell(cells.get((kind, p, change), {}), cells.get((kind, p, BASE), {}), change)
                for p in panels
            ]
            lines.append(f"| {change} | {' | '.join(shown)} |")
        tables.append("\n".join(lines))
    note = (
        "Mean over endpoints of the MAE relative to always predicting the mean, in percent. First "
        "row: its mean over fits (seed, fold) and their number. Others: the mean difference from "
        "it on the same fits, with the smallest and the largest; below zero is better. "
        f"{N_FOLDS} scaffold folds; inputs {', '.join(INPUTS)}; multi_task of {EPOCHS} epochs."
    )
    write_results("recipe", {"fits": done}, "\n\n".join(tables), note)


def cell(own: dict[str, float], base: dict[str, float], change: str) -> str:
    """Writes one cell."""
    if change == BASE:
        return f"{100 * np.mean(list(own.values())):.2f} ({len(own)})" if own else "–"
    found = [100 * (own[part] - base[part]) for part in own if part in base]
    if not found:
        return "–"
    return f"{np.mean(found):+.2f} [{min(found):+.2f}, {max(found):+.2f}] ({len(found)})"


if __name__ == "__main__":
    main()
