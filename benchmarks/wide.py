"""Seconds of each phase of `admet train` on a wide simulated panel.

The panel has two hundred endpoints of 1,200 molecules. Each endpoint is a planted latent with noise
of its own, and seven in ten cells are empty. Pictures and tests grow with the number of tasks, too,
and should take no longer than the training.

Usage: python benchmarks/wide.py [N_TASKS]. Writes benchmarks/results/wide.json and .md.
"""

import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.image import imread

from admet.config import TrainConfig
from admet.data.demo import TASKS, make_demo_panel
from admet.run_directory import Files, read_json
from admet.training import train
from report import write_results

N_MOLECULES, EPOCHS = 1200, 20
_MISSING = 0.7
_NOISE = 0.5  # share of an endpoint's variance that is its own


def make_wide_panel(n_tasks: int, seed: int = 0) -> pd.DataFrame:
    """Simulates a panel whose endpoints follow those of the demo panel.

    Args:
        n_tasks: Number of endpoints.
        seed: Seed of the noise and the gaps.

    Returns:
        Columns SMILES and `Assay 000`, `Assay 001`, …
    """
    rng = np.random.default_rng(seed)
    panel = make_demo_panel(N_MOLECULES, missing=0.0)
    sources = [name for name in TASKS if name != "hERG"]
    columns: dict[str, object] = {"SMILES": panel["SMILES"]}
    for index in range(n_tasks):
        values = panel[sources[index % len(sources)]].to_numpy()
        values = (values - values.mean()) / values.std()
        noise = rng.standard_normal(len(values))
        column = np.sqrt(1 - _NOISE) * values + np.sqrt(_NOISE) * noise
        column[rng.random(len(column)) < _MISSING] = np.nan
        columns[f"Assay {index:03d}"] = column.round(4)
    return pd.DataFrame(columns)


def main() -> None:
    """Trains on the panel, prints and writes the table."""
    n_tasks = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    with tempfile.TemporaryDirectory() as name:
        table, run_dir = Path(name) / "wide.csv", Path(name) / "run"
        frame = make_wide_panel(n_tasks)
        frame.to_csv(table, index=False)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            train(
                TrainConfig(
                    data_path=table,
                    save_dir=run_dir,
                    data={"target_columns": list(frame.columns[1:]), "cache": False},
                    task_affinity={"enabled": True, "n_groups": "auto"},
                    training={"epochs": EPOCHS},
                )
            )
        seconds = read_json(run_dir / Files.RUN)["seconds"]
        pixels = {path.name: imread(path).shape[1::-1] for path in run_dir.glob("*.png")}
    lines = ["| phase | seconds |", "|---|---|"]
    lines += [f"| {phase} | {value:.1f} |" for phase, value in seconds.items()]
    pictures = ", ".join(f"{name} {w} × {h} pixels" for name, (w, h) in sorted(pixels.items()))
    note = (
        f"{n_tasks} simulated endpoints, {N_MOLECULES} molecules, {EPOCHS} epochs, seed 42. "
        f"{len(caught)} warnings of libraries; {pictures}."
    )
    content = {
        "n_tasks": n_tasks,
        "n_molecules": N_MOLECULES,
        "epochs": EPOCHS,
        "seconds": seconds,
        "warnings": len(caught),
        "pixels": pixels,
    }
    write_results("wide", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
