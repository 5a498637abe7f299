"""What the affinity phase costs, against the training that follows and against a plain program.

Panels of 6 tasks (the given one), 100 and 1,000 (simulated on the same molecules). The plain
program takes one autograd call per task and step and compares all pairs in a NumPy loop.

Usage: python benchmarks/affinity_cost.py path/to/biogen_adme_3521.csv [6 100 1000]
Writes benchmarks/results/affinity_cost.json and .md.
"""

import logging
import sys
import time
from typing import Any

import numpy as np
import torch
import yaml

from admet.config import DataConfig, ModelConfig, TaskAffinityConfig, TrainConfig, TrainingConfig
from admet.data import Panel, Split, build_panel, load_panel, table_from_frame
from admet.featurize import PackedGraphs, featurize
from admet.model.chemprop.losses import TaskLoss
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.problems import MoleculeProblem
from admet.training.arms import plan_of
from admet.training.fit_model import fit_model
from library import panel_smiles
from report import panel_argument, peak_mib, write_results
from simulate import simulated_panel
from whole_command import CONFIG

EPOCHS, MEASURED, DENSITY = 50, 3, {100: 0.05, 1000: 0.02}


def training_seconds(panel: Panel, graphs: PackedGraphs) -> float:
    """Gives the time of 50 epochs, from the median of a few."""
    config = TrainConfig(training=TrainingConfig(epochs=MEASURED, warmup_epochs=1), seed=0)
    split = Split.of(np.zeros(len(panel)))
    model = fit_model(panel, split, graphs, config, plan_of(config, panel.task_names))
    return float(EPOCHS * np.median([row["seconds"] for row in model.history]))


def affinity_seconds(panel: Panel, graphs: PackedGraphs, **keys: Any) -> float:
    """Gives the time of one affinity phase."""
    config = TaskAffinityConfig(log_affinity_matrix=False, **keys)
    started = time.perf_counter()
    TaskAffinityComputer(config).compute(panel, graphs)
    return time.perf_counter() - started


def plain_seconds(panel: Panel, graphs: PackedGraphs) -> float:
    """Gives the time of the plain program for one epoch at batch size 64."""
    problem = MoleculeProblem.of(panel, graphs, ModelConfig(), torch.device("cpu"))
    started = time.perf_counter()
    network, loss = problem.network(), TaskLoss(panel.kinds)
    optimizer = torch.optim.Adam(network.parameters())
    encoder = list(network.encoder.parameters())
    n = len(panel.tasks)
    total, count = np.zeros((n, n)), np.zeros((n, n))
    for inputs, y, mask, _ in problem.batches(network, 64, 0):
        losses = loss.per_task(network(inputs), y, mask)
        gradients: dict[int, np.ndarray] = {}
        for task in range(n):
            if mask[:, task].any():
                parts = torch.autograd.grad(losses[task], encoder, retain_graph=True)
                gradients[task] = np.concatenate([g.numpy().ravel() for g in parts])
        for i, one in gradients.items():
            for j, other in gradients.items():
                norm = np.linalg.norm(one) * np.linalg.norm(other)
                total[i, j] += one @ other / max(norm, 1e-30)
                count[i, j] += 1
        optimizer.zero_grad()
        losses.mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return time.perf_counter() - started


def main() -> None:
    """Measures, prints and writes the table."""
    logging.disable(logging.WARNING)
    path = panel_argument()
    smiles, source = panel_smiles(path)
    panels: dict[int, Panel] = {}
    if path is not None and path.exists():
        targets = tuple(yaml.safe_load(CONFIG.read_text())["data"]["target_columns"])
        panels[6] = load_panel(path, DataConfig(target_columns=targets))
    for n_tasks, density in DENSITY.items():
        frame, _ = simulated_panel(smiles, n_tasks, density=density)
        config = DataConfig(target_columns=tuple(frame.columns[1:]))
        panels[n_tasks] = build_panel(table_from_frame(frame), config)
    rows: dict[int, dict[str, float]] = {}
    asked = [int(word) for word in sys.argv[2:]] or list(panels)
    for n_tasks in asked:
        panel = panels[n_tasks]
        graphs = featurize(panel.smiles)
        affinity_seconds(panel, graphs)  # warms up
        rows[n_tasks] = {
            "labels": int(panel.labels.present.sum()),
            "affinity": float(np.median([affinity_seconds(panel, graphs) for _ in range(3)])),
            "training": training_seconds(panel, graphs),
            "peak_mib": peak_mib(),
        }
        if n_tasks == 100:
            rows[n_tasks]["plain program"] = plain_seconds(panel, graphs)
        print(n_tasks, rows[n_tasks], flush=True)
    header = "tasks | labels | affinity, s | training, 50 epochs, s | share | plain program, s"
    lines = [f"| {header} | peak, MiB |", "|---|---|---|---|---|---|---|"]
    for n_tasks, row in rows.items():
        plain = row.get("plain program")
        beside = f"{plain:.0f} ({plain / row['affinity']:.0f} ×)" if plain else ""
        lines.append(
            f"| {n_tasks} | {row['labels']:.0f} | {row['affinity']:.1f} | {row['training']:.0f} | "
            f"{row['affinity'] / row['training']:.1%} | {beside} | {row['peak_mib']:.0f} |"
        )
    densities = ", ".join(f"{d:.0%} of the cells at {n}" for n, d in DENSITY.items())
    note = f"Molecules of {source}; simulated labels: {densities}. Default settings."
    write_results("affinity_cost", {"panels": rows}, "\n".join(lines), note)


if __name__ == "__main__":
    main()
