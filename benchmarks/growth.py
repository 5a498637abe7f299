"""How time and memory grow with molecules, tasks and threads; each point in a process of its own.

Usage: python benchmarks/growth.py
Writes benchmarks/results/growth.json and .md.
"""

import json
import logging
import subprocess
import sys
import time
from typing import Any

import numpy as np
import torch

from library import panel_smiles
from report import peak_mib, write_results
from simulate import simulated_panel

MOLECULES, TASKS, THREADS, STEPS = (1_000, 10_000, 100_000), (1, 10, 100, 1_000), (1, 2), 150


def measure(n_molecules: int, n_tasks: int, threads: int, chemprop: bool) -> dict[str, float]:
    """Measures one point in this process."""
    from admet.config import ModelConfig
    from admet.featurize import unfold
    from admet.featurize.cache import cached_graphs
    from admet.kinds import REGRESSION
    from admet.model.chemprop import BatchLoader, GroupedNetwork, TaskLoss
    from admet.model.chemprop.plan import NetworkPlan

    torch.set_num_threads(threads)
    logging.disable(logging.WARNING)
    smiles, _ = panel_smiles(None, n_molecules)
    started = time.perf_counter()
    graphs = cached_graphs(smiles, None)
    featurized = time.perf_counter()
    unfolding = unfold(graphs, 3)
    unfolded = time.perf_counter()
    result = {"featurize": featurized - started, "unfold": unfolded - featurized}
    if n_tasks == 1:
        targets = np.random.default_rng(0).standard_normal((n_molecules, 1))
    else:
        frame, _ = simulated_panel(smiles, n_tasks, density=0.05)
        targets = frame.drop(columns="SMILES").to_numpy()
    plan = NetworkPlan.together([str(i) for i in range(n_tasks)])
    network = GroupedNetwork(ModelConfig(), plan, graphs.d_v, graphs.d_e)
    loader = BatchLoader(
        unfolding, np.arange(n_molecules), targets, 64, shuffle=True, backward=True
    )
    task_loss = TaskLoss([REGRESSION] * n_tasks)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    done, begun = 0, 0.0
    while done < STEPS + 10:
        for batch in loader:
            if done == 10:  # the first steps warm up
                begun = time.perf_counter()
            optimizer.zero_grad()
            loss = task_loss(network(batch.graphs), batch.targets, batch.mask)
            loss.backward()
            optimizer.step()
            done += 1
            if done == STEPS + 10:
                break
    result["training molecules/s"] = 64 * STEPS / (time.perf_counter() - begun)
    result["peak_mib"] = peak_mib()
    if chemprop:
        result["chemprop molecules/s"] = chemprop_rate(smiles)
    return result


def chemprop_rate(smiles: list[str]) -> float:
    """Measures Chemprop's modules on the same molecules."""
    from chemprop import nn as chemprop_nn
    from chemprop.data import BatchMolGraph
    from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
    from chemprop.models import MPNN
    from rdkit import Chem

    from training_step import steps

    featurizer = SimpleMoleculeMolGraphFeaturizer()
    made = [featurizer(Chem.MolFromSmiles(s)) for s in smiles[:960]]
    network = MPNN(
        chemprop_nn.BondMessagePassing(),
        chemprop_nn.NormAggregation(),
        chemprop_nn.RegressionFFN(n_layers=2),
    )
    run = steps(
        network, lambda rows: BatchMolGraph([made[i] for i in rows]), np.arange(960).reshape(15, 64)
    )
    run()
    return max(run() for _ in range(3))


def in_a_process(**point: Any) -> dict[str, float]:
    """Measures one point in a process of its own."""
    words = [sys.executable, "-W", "ignore", __file__, "point", json.dumps(point)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(point, result, flush=True)
    return result


def main() -> None:
    """Measures, prints and writes the tables."""
    if sys.argv[1:2] == ["point"]:
        print(json.dumps(measure(**json.loads(sys.argv[2]))))
        return
    base = {"n_molecules": 3_000, "n_tasks": 1, "threads": 2, "chemprop": False}
    molecules = {n: in_a_process(**base | {"n_molecules": n}) for n in MOLECULES}
    tasks = {n: in_a_process(**base | {"n_tasks": n}) for n in TASKS}
    threads = {n: in_a_process(**base | {"threads": n, "chemprop": True}) for n in THREADS}
    header = "molecules | featurise, molecules/s | number surroundings, s | training, molecules/s"
    lines = [f"| {header} | peak, MiB |", "|---|---|---|---|---|"]
    lines += [
        f"| {n:,} | {n / r['featurize']:.0f} | {r['unfold']:.2f} | "
        f"{r['training molecules/s']:.0f} | {r['peak_mib']:.0f} |"
        for n, r in molecules.items()
    ]
    lines += [
        "",
        "| tasks (3,000 molecules) | training, molecules/s | peak, MiB |",
        "|---|---|---|",
    ]
    lines += [
        f"| {n:,} | {r['training molecules/s']:.0f} | {r['peak_mib']:.0f} |"
        for n, r in tasks.items()
    ]
    lines += ["", "| threads | chemprop, molecules/s | admet | ratio |", "|---|---|---|---|"]
    lines += [
        f"| {n} | {r['chemprop molecules/s']:.0f} | {r['training molecules/s']:.0f} | "
        f"{r['training molecules/s'] / r['chemprop molecules/s']:.2f} |"
        for n, r in threads.items()
    ]
    content = {"molecules": molecules, "tasks": tasks, "threads": threads}
    note = "Enumerated library; float32, batch 64, depth 3, hidden 300."
    write_results("growth", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
