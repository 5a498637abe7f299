"""How often the affinity finds the planted groups of the demo panel, over seeds.

Usage: python benchmarks/demo_groups.py [number of seeds]
"""

import logging
import sys
from pathlib import Path

from admet.config import TaskAffinityConfig, TrainConfig, load_yaml_config
from admet.data.demo import PLANTED_GROUPS, TASKS, make_demo_panel
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper


def main() -> None:
    """Prints, for each seed, whether the groups are the planted ones."""
    n_seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    path = Path(__file__).parents[1] / "configs" / "demo.yaml"
    config = load_yaml_config(path, TrainConfig)
    frame = make_demo_panel()
    planted = {frozenset(group) for group in PLANTED_GROUPS}
    logging.disable(logging.WARNING)
    found = {"3": 0, "auto": 0}
    for seed in range(n_seeds):
        affinity = TaskAffinityConfig(**dict(config.task_affinity) | {"seed": seed})
        computer = TaskAffinityComputer(affinity, config.model)
        matrix, names = computer.compute_from_dataframe(frame, "SMILES", TASKS)
        for n_groups in (3, "auto"):
            groups = TaskGrouper(n_groups).cluster(matrix, names)
            found[str(n_groups)] += {frozenset(group) for group in groups} == planted
    print(f"planted groups found in {found['3']} of {n_seeds} seeds at n_groups: 3,")
    print(f"in {found['auto']} of {n_seeds} at n_groups: auto")


if __name__ == "__main__":
    main()
