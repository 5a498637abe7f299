"""How well the affinities of different seeds agree, by estimator.

Usage: python benchmarks/affinity_seeds.py path/to/biogen_adme_3521.csv [number of seeds]
Writes benchmarks/results/affinity_seeds.json and .md.
"""

import itertools
import logging
import sys
import time
from typing import Any

import numpy as np
import yaml
from scipy.stats import spearmanr
from sklearn.metrics import adjusted_rand_score

from admet.config import DataConfig, TaskAffinityConfig
from admet.data import build_panel, load_panel, table_from_frame
from admet.data.demo import TASKS, make_demo_panel
from admet.featurize import featurize
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups import STABLE, group_tasks
from report import panel_argument, write_results
from whole_command import CONFIG

SETTINGS: dict[str, dict[str, Any]] = {
    "gradient (1 epoch)": {"estimator": "gradient"},
    "lookahead (1 epoch)": {"estimator": "lookahead"},
    "aligned, 4 runs": {"estimator": "aligned", "affinity_runs": 4},
    "residual, 1 run": {"estimator": "residual", "affinity_runs": 1},
    "residual (8 runs)": {"estimator": "residual"},
    "residual, 16 runs": {"estimator": "residual", "affinity_runs": 16},
    "coregionalization": {"estimator": "coregionalization"},
}


def coverage(
    estimates: list[AffinityEstimate], upper: tuple[np.ndarray, np.ndarray]
) -> float | None:
    """Gives the share of intervals that hold the mean of the other seeds; None without any."""
    matrices = np.stack([estimate.matrix for estimate in estimates])
    held = []
    for seed, estimate in enumerate(estimates):
        if estimate.doubt is None:
            return None
        others = np.delete(matrices, seed, axis=0).mean(axis=0)
        inside = (estimate.doubt.low <= others) & (others <= estimate.doubt.high)
        held.append(inside[upper])
    return float(np.mean(held))


def main() -> None:
    """Measures, prints and writes the table."""
    logging.disable(logging.WARNING)
    path, n_seeds = panel_argument(), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    if path is not None and path.exists():
        targets = tuple(yaml.safe_load(CONFIG.read_text())["data"]["target_columns"])
        panel, source = load_panel(path, DataConfig(target_columns=targets)), path.name
    else:
        table = table_from_frame(make_demo_panel())
        panel, source = build_panel(table, DataConfig(target_columns=tuple(TASKS))), "demo panel"
    graphs, names = featurize(panel.smiles), panel.task_names
    upper = np.triu_indices(len(names), 1)
    counts: list[int | str] = [k for k in (2, 3, 4, 5) if k < len(names)]
    counts.append("auto")
    content: dict[str, Any] = {}
    header = "estimator | seconds | Pearson | Spearman | "
    header += " | ".join(f"ARI at {k}" for k in counts) + " | intervals that hold | RMS of seeds"
    lines = [f"| {header} |", "|---" * (6 + len(counts)) + "|"]
    for setting, keys in SETTINGS.items():
        found, started = [], time.perf_counter()
        for seed in range(n_seeds):
            config = TaskAffinityConfig(seed=seed, log_affinity_matrix=False, **keys)
            found.append(TaskAffinityComputer(config).compute(panel, graphs))
        seconds = (time.perf_counter() - started) / n_seeds
        values = np.stack([estimate.matrix[upper] for estimate in found])  # (seeds, pairs)
        pairs = list(itertools.combinations(values, 2))
        pearson = float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
        spearman = float(np.mean([spearmanr(a, b)[0] for a, b in pairs]))
        rand = {}
        for k in counts:
            cuts, stable = [], 0
            for seed, estimate in enumerate(found):
                config = TaskAffinityConfig(n_groups=k, seed=seed, log_affinity_matrix=False)
                grouping = group_tasks(estimate, names, config)
                cuts.append(grouping.labels)
                stable += grouping.agreement >= STABLE
            agreement = [adjusted_rand_score(a, b) for a, b in itertools.combinations(cuts, 2)]
            calls = f" (stable: {stable} of {n_seeds})" if found[0].doubt else ""
            rand[str(k)] = {"ari": float(np.mean(agreement)), "called_stable": stable, "as": calls}
        held = coverage(found, upper)
        content[setting] = {
            "seconds": seconds,
            "pearson": pearson,
            "spearman": spearman,
            "groups": rand,
            "intervals_that_hold": held,
            "matrices": [estimate.matrix.tolist() for estimate in found],
        }
        shown = " | ".join(f"{r['ari']:.2f}{r['as']}" for r in rand.values())
        covered = "" if held is None else f"{held:.0%}"
        spread = float(np.sqrt(values.var(axis=0, ddof=1).mean()))
        lines.append(
            f"| {setting} | {seconds:.1f} | {pearson:.2f} | {spearman:.2f} | {shown} | {covered} | "
            f"{spread:.3f} |"
        )
        print(lines[-1], flush=True)
    note = (
        f"{source}, all molecules, {n_seeds} seeds; means over pairs of seeds: correlations of the "
        "off-diagonal scores, adjusted Rand index of the groups, and in brackets how many seeds "
        "called them stable. An interval holds where it covers the mean of the other seeds."
    )
    write_results("affinity_seeds", {"settings": content}, "\n".join(lines), note)


if __name__ == "__main__":
    main()
