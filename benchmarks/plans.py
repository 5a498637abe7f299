"""Cuts of the default affinity against random groups of the same sizes, by small frozen networks.

The networks are those of `task_affinity.estimator: measured`: three scaffold folds, two seeds. An
error is the mean over tasks of that relative to the task alone. Frozen inputs that have seen labels
of a panel are left out.

Usage: python benchmarks/plans.py FOLDER [panel …], FOLDER being that of study_panels.py.
Writes benchmarks/results/plans.json and .md.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np

from admet.config import DataConfig, TaskAffinityConfig
from admet.data import load_panel
from admet.featurize.cache import cache_folder
from admet.model.chemprop.task_affinity import TaskAffinityComputer, TaskGrouper
from admet.model.chemprop.task_affinity.estimators.measured import InstrumentMeter
from admet.model.frozen.instrument import Instrument
from admet.model.inputs import vectors
from report import write_results
from study_panels import PANELS

NUMBERS, RANDOM = (2, 3, 4), 4
Plan = list[tuple[int, ...]]


def main() -> None:
    """Measures, prints and writes the table."""
    logging.disable(logging.WARNING)
    folder = Path(sys.argv[1])
    rows: list[dict[str, Any]] = []
    table = [
        "| panel | groups | by its size | with its sign | random, mean (each) | together |",
        "|---" * 6 + "|",
    ]
    for name in sys.argv[2:] or ["biogen_adme_3521", "az_dmpk"]:
        own = PANELS[name]
        config = DataConfig(target_columns=own.targets, smiles_column=own.smiles)
        panel = load_panel(folder / f"{name}.csv", config)
        inputs = [each for each in own.inputs if each != "admet_ai_hidden"]
        frozen = vectors(inputs, panel.smiles, cache_folder())
        meter = InstrumentMeter(Instrument.of(frozen, panel, 1, seeds=2))
        quiet = TaskAffinityConfig(log_affinity_matrix=False)
        estimate = TaskAffinityComputer(quiet, cache=cache_folder()).compute(panel)
        rng = np.random.default_rng(0)
        tasks = panel.task_names
        together = error(meter, [tuple(range(len(tasks)))])
        for number in NUMBERS:
            plan = plan_of(estimate.strength, number, tasks)
            signed = plan_of(estimate.matrix, number, tasks)
            dealt = [error(meter, shuffled(plan, rng)) for _ in range(RANDOM)]
            rows.append({"panel": name, "plan": plan, "error": error(meter, plan),
                         "signed": error(meter, signed), "random": dealt,
                         "together": together})  # fmt: skip
            each = ", ".join(f"{value:.3f}" for value in dealt)
            table.append(
                f"| {name} | {number} | {rows[-1]['error']:.3f} | "
                f"{rows[-1]['signed']:.3f} | {np.mean(dealt):.3f} ({each}) | "
                f"{together:.3f} |"
            )
            print(table[-1], flush=True)
    note = "Mean error relative to each task alone, three scaffold folds, two seeds."
    write_results("plans", {"rows": rows}, "\n".join(table), note)


def plan_of(affinity: np.ndarray, number: int, tasks: list[str]) -> Plan:
    """Cuts a matrix into so many groups."""
    groups = TaskGrouper(number).cluster(affinity, tasks)
    return [tuple(sorted(map(tasks.index, group))) for group in groups]


def error(meter: InstrumentMeter, plan: Plan) -> float:
    """Gives the mean over folds and seeds."""
    return float(np.nanmean(meter.relative_errors(plan)))


def shuffled(plan: Plan, rng: np.random.Generator) -> Plan:
    """Deals the tasks to groups of the same sizes."""
    order = rng.permutation(sum(map(len, plan)))
    parts = np.split(order, np.cumsum([len(group) for group in plan])[:-1])
    return [tuple(sorted(part.tolist())) for part in parts]


if __name__ == "__main__":
    main()
