"""How far the same training ends from itself with other threads, processes, or instructions.

To imitate a processor with fewer vector instructions, torch and oneDNN are forbidden to use them;
one machine cannot say more about another. The difference that another seed makes gives the scale.

Usage: python faults/sameness.py
Writes faults/results/sameness.json.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from admet.data.demo import TASKS, make_demo_panel
from admet.run_directory import Files

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))
ADMET = Path(sys.executable).parent / "admet"
EPOCHS = 5
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}
SSE = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41"}
VARIANTS: dict[str, tuple[list[str], dict[str, str]]] = {
    "the same again": ([], {}),
    "two threads": (["--training.threads", "2"], {}),
    "a warm cache": (["--data.cache", "true"], {}),
    "AVX2 instructions": ([], AVX2),
    "SSE instructions": ([], SSE),
    "bf16-mixed": (["--training.precision", "bf16-mixed"], {}),
    "another seed of the weights": (["--seed", "43"], {}),
}


def predictions(folder: Path, name: str, more: list[str], variables: dict[str, str]) -> np.ndarray:
    """Trains the demo panel; the predictions of the test side, shape (n, T)."""
    words = [
        "train", "--data-path", str(folder / "panel.csv"), "--save-dir", str(folder / name),
        "--data.target-columns", *TASKS, "--data.split-type", "random", "--data.split-seed", "0",
        "--data.cache", "false", "--data.cache-dir", str(folder / "cache"),
        "--training.epochs", str(EPOCHS), "--training.threads", "1", "--training.precision", "32",
    ]  # fmt: skip
    subprocess.run(
        [str(ADMET), *words, *more], check=True, capture_output=True, env=os.environ | variables
    )
    frame = pd.read_csv(folder / name / Files.PREDICTIONS)
    return frame[[f"{task}_pred" for task in TASKS]].to_numpy()


def main() -> None:
    """Trains the variants, prints and writes."""
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_demo_panel().to_csv(folder / "panel.csv", index=False)
        cold = predictions(folder, "cold", ["--data.cache", "true"], {})
        base = predictions(folder, "base", [], {})
        spread = base.std(axis=0)
        found["a cold cache"] = float((np.abs(cold - base) / spread).max())
        for name, (more, variables) in VARIANTS.items():
            other = predictions(folder, name.replace(" ", "_"), more, variables)
            found[name] = float((np.abs(other - base) / spread).max())
            print(f"{name}: {found[name]:.2g}", flush=True)
    report = {
        "panel": "make_demo_panel()",
        "epochs": EPOCHS,
        "base": "one thread, float32, no cache",
        "largest_difference_of_a_test_prediction_in_standard_deviations": found,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "sameness.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
