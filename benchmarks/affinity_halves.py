"""Whether two halves of a panel's molecules give the same groups, where each calls its own stable.

Usage: python benchmarks/affinity_halves.py FOLDER [divisions [panel …]]

FOLDER is that of benchmarks/study_panels.py. The molecules are dealt to two halves by chance,
again for each division; the default affinity is measured on either half, and grouped with
`n_groups: auto` and at the number of groups of the whole panel. Writes
benchmarks/results/affinity_halves.json and .md.
"""

import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from admet.config import DataConfig, TaskAffinityConfig
from admet.data import Panel, load_panel
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups import STABLE, Grouping, group_tasks
from report import write_results
from study_panels import PANELS

LEAST = 50  # labels of a task in a half; tasks with fewer are left out


def main() -> None:
    """Measures, prints and writes the table."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    folder = Path(sys.argv[1])
    n_divisions = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rows: list[dict[str, Any]] = []
    table = [
        (
            "| panel | tasks | Pearson of the halves | intervals that hold the other half | "
            "ARI, auto: all · both stable (how many) | ARI at the number of the whole: the same |"
        ),
        "|---" * 6 + "|",
    ]
    for name in sys.argv[3:] or PANELS:
        own = PANELS[name]
        path, targets = folder / f"{name}.csv", own.targets
        for _ in range(2):  # again without the tasks that have too few labels
            config = DataConfig(target_columns=targets, smiles_column=own.smiles)
            panel = load_panel(path, config)
            counts = panel.labels.present.sum(axis=0)
            targets = tuple(np.array(panel.task_names)[counts >= 2 * LEAST].tolist())
        found = [division(panel, seed) for seed in range(n_divisions)]
        row = {"panel": name, "tasks": len(targets), "divisions": found}
        rows.append(row)
        cells = [name, str(row["tasks"])]
        cells += [f"{np.mean([d[key] for d in found]):.2f}" for key in ("pearson", "held")]
        cells += [shown(found, key) for key in ("auto", "whole")]
        table.append("| " + " | ".join(cells) + " |")
        print(table[-1], flush=True)
    note = (
        f"Means of {n_divisions} divisions of the molecules by chance; tasks with {2 * LEAST} "
        f"labels at least. Stable: an agreement of {STABLE} by the draws of that half alone."
    )
    write_results("affinity_halves", {"rows": rows}, "\n".join(table), note)


def division(panel: Panel, seed: int) -> dict[str, Any]:
    """Measures two halves."""
    names = panel.task_names
    order = np.random.default_rng(seed).permutation(len(panel))
    halves = [np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])]
    first, second = (affinity(panel, rows, seed) for rows in halves)
    whole = affinity(panel, np.arange(len(panel)), seed)
    upper = np.triu_indices(len(names), 1)
    n_groups = len(grouped(whole, names, "auto", seed).groups)
    a, b = first.matrix[upper], second.matrix[upper]
    assert first.doubt is not None
    held = (first.doubt.low[upper] <= b) & (b <= first.doubt.high[upper])
    return {
        "pearson": float(np.corrcoef(a, b)[0, 1]),
        "held": float(held.mean()),
        "auto": both(first, second, names, "auto", seed),
        "whole": both(first, second, names, n_groups, seed),
    }


def affinity(panel: Panel, rows: np.ndarray, seed: int) -> AffinityEstimate:
    """Measures the default affinity on some molecules."""
    config = TaskAffinityConfig(seed=seed, log_affinity_matrix=False)
    graphs = cached_graphs(panel.smiles, cache_folder()).subset(rows)
    return TaskAffinityComputer(config, cache=cache_folder()).compute(panel.subset(rows), graphs)


def grouped(
    estimate: AffinityEstimate, names: list[str], n_groups: int | str, seed: int
) -> Grouping:
    """Groups by an affinity."""
    config = TaskAffinityConfig(n_groups=n_groups, seed=seed, log_affinity_matrix=False)
    return group_tasks(estimate, names, config)


def both(
    first: AffinityEstimate,
    second: AffinityEstimate,
    names: list[str],
    n_groups: int | str,
    seed: int,
) -> dict[str, Any]:
    """Compares the groups of two halves."""
    a, b = (grouped(estimate, names, n_groups, seed) for estimate in (first, second))
    stable = min(a.agreement, b.agreement) >= STABLE
    return {"ari": float(adjusted_rand_score(a.labels, b.labels)), "stable": bool(stable)}


def shown(found: list[dict[str, Any]], key: str) -> str:
    """Writes the mean index of all divisions, and of those where both halves say stable."""
    all_of = [each[key]["ari"] for each in found]
    sure = [each[key]["ari"] for each in found if each[key]["stable"]]
    told = f"{np.mean(sure):.2f} ({len(sure)})" if sure else "– (0)"
    return f"{np.mean(all_of):.2f} · {told}"


if __name__ == "__main__":
    main()
