"""How often planted groups are found again: the demo panel, whole and thinned out, and many tasks.

Every panel gets its affinity at the default settings, with the seeds 0, 1, …; a tenth of the demo
panel's labels is drawn anew with every seed.

Usage: python benchmarks/recovery.py [path/to/biogen_adme_3521.csv]
Writes benchmarks/results/recovery.json and .md.
"""

import logging
import time
import warnings
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from admet.config import DataConfig, TaskAffinityConfig
from admet.config.task_affinity import ClusteringMethod
from admet.data import build_panel, table_from_frame
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups import group_tasks
from library import panel_smiles
from report import panel_argument, peak_mib, write_results
from simulate import simulated_panel

DEMO_SEEDS = 10
MANY = (  # tasks, groups, share of cells with a label, seeds
    (100, 5, 0.02, 3),
    (100, 5, 0.05, 3),
    (100, 5, 0.2, 3),
    (1000, 20, 0.02, 1),
    (1000, 20, 0.05, 1),
)


def rand_index(
    estimate: AffinityEstimate,
    names: list[str],
    n_groups: int,
    method: ClusteringMethod,
    planted: list[int],
) -> float:
    """Gives the adjusted Rand index of the groups found and the planted ones."""
    grouper = TaskGrouper(n_groups, method)
    grouper.cluster(estimate.strength, names)
    return float(adjusted_rand_score(grouper.labels, planted))


def affinity(
    frame: pd.DataFrame, names: list[str], seed: int
) -> tuple[AffinityEstimate, TaskAffinityConfig, float]:
    """Measures a panel; the estimate, how it was measured, and the seconds it took."""
    panel = build_panel(table_from_frame(frame), DataConfig(target_columns=tuple(names)))
    config = TaskAffinityConfig(seed=seed, n_groups="auto", log_affinity_matrix=False)
    started = time.perf_counter()
    estimate = TaskAffinityComputer(config).compute(panel)
    return estimate, config, time.perf_counter() - started


def thinned(frame: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Removes nine labels in ten, at random."""
    rng = np.random.default_rng(1000 + seed)
    found = frame.copy()
    for task in TASKS:
        found.loc[rng.random(len(found)) < 0.9, task] = np.nan
    return found


def main() -> None:
    """Measures, prints and writes the table."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rows: list[dict[str, Any]] = []
    header = "panel | labels a task | seeds | agglomerative | spectral | transfer | auto"
    lines = [f"| {header} | seconds | peak, MiB |", "|---" * 9 + "|"]

    def add(name: str, frames: list[pd.DataFrame], names: list[str], planted: list[int]) -> None:
        measured = [affinity(frame, names, seed) for seed, frame in enumerate(frames)]
        n_groups = len(set(planted))
        row: dict[str, Any] = {
            "panel": name,
            "labels": float(np.mean([frame[names].notna().sum().mean() for frame in frames])),
            "seeds": len(frames),
            "seconds": float(np.median([seconds for *_, seconds in measured])),
            "peak_mib": peak_mib(),
        }
        for method in ("agglomerative", "spectral", "transfer"):
            row[method] = [rand_index(e, names, n_groups, method, planted) for e, *_ in measured]
        row["auto"] = [
            float(adjusted_rand_score(group_tasks(e, names, config).labels, planted))
            for e, config, _ in measured
        ]
        rows.append(row)
        shown = " | ".join(
            f"{np.mean(row[key]):.2f} ({np.mean(np.array(row[key]) == 1):.0%})"
            for key in ("agglomerative", "spectral", "transfer", "auto")
        )
        lines.append(
            f"| {name} | {row['labels']:.0f} | {row['seeds']} | {shown} | {row['seconds']:.1f} | "
            f"{row['peak_mib']:.0f} |"
        )
        print(lines[-1], flush=True)

    demo, tasks = make_demo_panel(), list(TASKS)
    planted = [next(k for k, g in enumerate(PLANTED_GROUPS) if task in g) for task in TASKS]
    add("demo", [demo] * DEMO_SEEDS, tasks, planted)
    few = [thinned(demo, seed) for seed in range(DEMO_SEEDS)]
    add("demo, nine labels in ten removed", few, tasks, planted)
    smiles, source = panel_smiles(panel_argument())
    for n_tasks, n_groups, density, n_seeds in MANY:
        frames = []
        for seed in range(n_seeds):
            frame, label = simulated_panel(
                smiles, n_tasks, n_groups=n_groups, density=density, seed=seed
            )
            frames.append(frame)
        name = f"{n_tasks} tasks in {n_groups} groups, {density:.0%} of the cells"
        add(name, frames, list(frames[0].columns[1:]), label.tolist())
    note = (
        "Mean adjusted Rand index with the planted groups, in brackets the share of seeds that "
        "found them exactly, at the planted number of groups by method and at `n_groups: auto` "
        f"(agglomerative). Simulated labels on the {len(smiles)} molecules of {source}: 30 % of a "
        "task's variance is its own, noise 0.3."
    )
    write_results("recovery", {"panels": rows}, "\n".join(lines), note)


if __name__ == "__main__":
    main()
