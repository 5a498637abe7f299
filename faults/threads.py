"""How far the same training with another number of threads ends from the same.

Usage: python faults/threads.py
Writes faults/results/threads.json.
"""

import json
import os
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from admet.config import TrainConfig
from admet.data.demo import TASKS, make_demo_panel
from admet.run_directory import Files
from admet.training import train

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))


def main() -> None:
    """Trains with one and with two threads, prints and writes."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_demo_panel().to_csv(folder / "panel.csv", index=False)
        for n_threads in (1, 2):
            run = train(
                TrainConfig(
                    data_path=folder / "panel.csv",
                    save_dir=folder / f"run_{n_threads}",
                    data={"target_columns": TASKS, "split_type": "random"},
                    training={"epochs": 5, "threads": n_threads, "precision": "32"},
                )
            )
            frame = pd.read_csv(run / Files.PREDICTIONS)
            found[n_threads] = frame[[f"{task}_pred" for task in TASKS]].to_numpy()
    spread = found[1].std(axis=0)
    largest = float((np.abs(found[1] - found[2]) / spread).max())
    report = {"epochs": 5, "threads": [1, 2], "largest_difference_in_standard_deviations": largest}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "threads.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(report)


if __name__ == "__main__":
    main()
