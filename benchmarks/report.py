"""What the benchmarks share: turns, child processes, the machine, results as JSON and Markdown."""

import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from admet.training.provenance import processor_name

RESULTS = Path(__file__).parent / "results"
BIN = Path(sys.executable).parent


def panel_argument() -> Path | None:
    """Gives the panel named on the command line or in PANEL, the Biogen file where there is one."""
    named = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PANEL", "")
    if named and not Path(named).exists():
        raise SystemExit(f"{named!r} does not exist. Name a panel, or none for made-up molecules.")
    return Path(named) if named else None


def describe_machine() -> dict[str, Any]:
    """Names the machine and the versions."""
    return {
        "processor": processor_name(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "versions": {name: version(name) for name in ("torch", "chemprop", "rdkit", "numpy")},
    }


def in_turns(runs: dict[str, Callable[[], float]], turns: int) -> dict[str, float]:
    """Lets runs take turns and gives the median of what each returns; the first turn warms up."""
    values: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 1):
        for name, run in runs.items():
            value = run()
            if turn:
                values[name].append(value)
    return {name: statistics.median(found) for name, found in values.items()}


def seconds_of(function: Callable[[], Any]) -> float:
    """Gives the wall time of a call."""
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def command_seconds(words: Sequence[object], *, code: int = 0) -> float:
    """Gives the wall time of a command, which must end with an exit code."""
    started = time.perf_counter()
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    spent = time.perf_counter() - started
    if done.returncode != code:
        raise RuntimeError(f"{words} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return spent


def peak_mib() -> float:
    """Gives the largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def mean_and_spread(
    rows: Sequence[dict[str, Any]], by: str, keys: Sequence[str]
) -> dict[str, list[str]]:
    """Gives for each value of one key the mean of others over rows ± their standard deviation.

    Args:
        rows: One a seed and arm.
        by: The key of the arm.
        keys: What is averaged.

    Returns:
        Arm → a cell a key.
    """
    found: dict[str, list[str]] = {}
    for arm in dict.fromkeys(row[by] for row in rows):
        cells = []
        for key in keys:
            values = [float(row[key]) for row in rows if row[by] == arm]
            spread = statistics.stdev(values) if len(values) > 1 else math.nan
            cells.append(f"{statistics.fmean(values):.3f} ± {spread:.3f}")
        found[str(arm)] = cells
    return found


def write_results(name: str, content: dict[str, Any], table: str, note: str) -> None:
    """Writes one benchmark's JSON and Markdown, and prints the table."""
    RESULTS.mkdir(exist_ok=True)
    machine = describe_machine()
    (RESULTS / f"{name}.json").write_text(json.dumps(content | machine, indent=2) + "\n")
    versions = ", ".join(f"{k} {v}" for k, v in machine["versions"].items())
    text = f"{table}\n\n{note} {machine['processor']}, {machine['threads']} threads, {versions}.\n"
    (RESULTS / f"{name}.md").write_text(text)
    print(text, flush=True)
