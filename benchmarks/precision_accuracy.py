"""Whether bfloat16 training costs accuracy, against what another seed costs.

Trains the multi-task network of `configs/biogen_adme.yaml` on one split with several seeds, in
float32 and in bf16-mixed, and compares the test errors.

Usage: python benchmarks/precision_accuracy.py path/to/biogen_adme_3521.csv [number of seeds]
Writes benchmarks/results/precision_accuracy.json and .md.
"""

import logging
import math
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from admet.config import TrainConfig, load_yaml_config
from admet.training import read_test, train
from report import write_results

CONFIG = Path(__file__).parents[1] / "configs" / "biogen_adme.yaml"
SPLIT_SEED = 42


def test_errors(data: Path, seed: int, precision: str) -> dict[str, float]:
    """Gives the mean absolute error of each task on the test side."""
    base = load_yaml_config(CONFIG, TrainConfig)
    with tempfile.TemporaryDirectory() as folder:
        keys: dict[str, Any] = dict(base) | {
            "data_path": data,
            "save_dir": Path(folder) / "run",
            "seed": seed,
            "data": type(base.data)(**dict(base.data) | {"split_seed": SPLIT_SEED}),
            "training": type(base.training)(epochs=base.training.epochs, precision=precision),
        }
        train(TrainConfig(**keys))
        scores = read_test(keys["save_dir"])
    tasks = {} if scores is None else scores.tasks
    return {name: task.values["MAE"].value or math.nan for name, task in tasks.items()}


def main() -> None:
    """Trains, prints and writes the table."""
    data, n_seeds = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5
    logging.disable(logging.WARNING)
    errors: dict[str, list[dict[str, float]]] = {"32": [], "bf16-mixed": []}
    for seed in range(n_seeds):
        for precision, runs in errors.items():
            runs.append(test_errors(data, seed, precision))
            print(seed, precision, round(statistics.mean(runs[-1].values()), 4), flush=True)
    tasks = list(errors["32"][0])
    rows = []
    for name in [*tasks, "macro mean"]:
        values = {
            precision: [
                statistics.mean(run.values()) if name == "macro mean" else run[name] for run in runs
            ]
            for precision, runs in errors.items()
        }
        spread = {p: statistics.stdev(v) for p, v in values.items()}
        mean = {p: statistics.mean(v) for p, v in values.items()}
        rows.append((name, mean, spread, mean["bf16-mixed"] - mean["32"]))
    lines = [
        f"| test MAE, mean of {n_seeds} seeds (sd) | float32 | bf16-mixed | difference |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {mean['32']:.4f} ({spread['32']:.4f}) | {mean['bf16-mixed']:.4f} "
        f"({spread['bf16-mixed']:.4f}) | {difference:+.4f} |"
        for name, mean, spread, difference in rows
    ]
    write_results(
        "precision_accuracy",
        {"data": data.name, "split_seed": SPLIT_SEED, "errors": errors},
        "\n".join(lines),
        f"{data.name}, scaffold split of seed {SPLIT_SEED}, 50 epochs, multi-task, seeds 0 to "
        f"{n_seeds - 1}.",
    )


if __name__ == "__main__":
    main()
