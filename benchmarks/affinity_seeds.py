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
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper
from report import panel_argument, write_results
from whole_command import CONFIG

SETTINGS: dict[str, dict[str, Any]] = {
    "gradient (1 epoch)": {"estimator": "gradient"},
    "aligned, 1 run": {"affinity_runs": 1},
    "aligned (4 runs)": {},
    "aligned, 16 runs": {"affinity_runs": 16},
}


def labels_of(groups: list[list[str]], names: list[str]) -> list[int]:
    """Gives the group of each task."""
    return [next(i for i, group in enumerate(groups) if name in group) for name in names]


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
    counts = [k for k in (2, 3, 4, 5) if k < len(names)]
    content: dict[str, Any] = {}
    header = "estimator | seconds | Pearson | Spearman | "
    header += " | ".join(f"ARI, {k} groups" for k in counts)
    lines = [f"| {header} |", "|---" * (4 + len(counts)) + "|"]
    for setting, keys in SETTINGS.items():
        matrices, started = [], time.perf_counter()
        for seed in range(n_seeds):
            config = TaskAffinityConfig(seed=seed, log_affinity_matrix=False, **keys)
            matrices.append(TaskAffinityComputer(config).compute(panel, graphs).matrix)
        seconds = (time.perf_counter() - started) / n_seeds
        pairs = list(itertools.combinations([m[upper] for m in matrices], 2))
        pearson = float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))
        spearman = float(np.mean([spearmanr(a, b)[0] for a, b in pairs]))
        rand = []
        for k in counts:
            cuts = [labels_of(TaskGrouper(k).cluster(m, names), names) for m in matrices]
            agreement = [adjusted_rand_score(a, b) for a, b in itertools.combinations(cuts, 2)]
            rand.append(float(np.mean(agreement)))
        content[setting] = {
            "seconds": seconds,
            "pearson": pearson,
            "spearman": spearman,
            "ari": dict(zip(map(str, counts), rand, strict=True)),
            "matrices": [m.tolist() for m in matrices],
        }
        shown = " | ".join(f"{r:.2f}" for r in rand)
        lines.append(f"| {setting} | {seconds:.1f} | {pearson:.2f} | {spearman:.2f} | {shown} |")
        print(lines[-1], flush=True)
    note = (
        f"{source}, all molecules, {n_seeds} seeds; means over pairs of seeds: correlations of the "
        "off-diagonal scores, adjusted Rand index of the groups."
    )
    write_results("affinity_seeds", {"settings": content}, "\n".join(lines), note)


if __name__ == "__main__":
    main()
