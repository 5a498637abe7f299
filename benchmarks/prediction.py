"""Molecules predicted per second after start-up, beside Chemprop; memory and rate over a million.

The rate is that of the rows beyond one: the time of the whole command less the time for one row.

Usage: python benchmarks/prediction.py [panel.csv]; ROWS=1000000 sets the length of the long table.
Writes benchmarks/results/prediction.json and .md.
"""

import csv
import itertools
import os
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from library import panel_smiles
from models import train_small
from report import BIN, command_seconds, in_turns, panel_argument, write_results

N, TURNS = 10_000, 3
LONG = int(os.environ.get("ROWS", "1_000_000"))


def write_table(path: Path, smiles: list[str], n: int) -> Path:
    """Writes a table of n SMILES, with repeats where there are not so many."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["SMILES"])
        writer.writerows([s] for s in itertools.islice(itertools.cycle(smiles), n))
    return path


def watch(words: list[str | Path]) -> tuple[float, list[tuple[float, int]]]:
    """Runs a long prediction: the peak memory of all its processes in MiB, and rows over time."""
    started, peak = time.perf_counter(), 0.0
    output = Path(words[words.index("--output") + 1])
    progress: list[tuple[float, int]] = []
    process = subprocess.Popen([str(w) for w in words], stderr=subprocess.DEVNULL)
    root = psutil.Process(process.pid)
    while process.poll() is None:
        sizes = []
        for part in (root, *root.children(recursive=True)):
            try:  # each page once, as far as the system tells: forked processes share most
                sizes.append(part.memory_full_info().pss)
            except (psutil.Error, AttributeError):
                continue
        peak = max(peak, sum(sizes) / 2**20)
        unfinished = list(output.parent.glob(f".{output.stem}.part*"))
        size = sum(p.stat().st_size for p in unfinished if p.exists())
        progress.append((time.perf_counter() - started, size))
        time.sleep(1)
    if process.returncode:
        raise RuntimeError(f"{words} ended with {process.returncode}")
    return peak, progress


def main() -> None:
    """Measures, prints and writes the table."""
    smiles, source = panel_smiles(panel_argument())
    library, _ = panel_smiles(None, 300_000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ours, theirs = train_small(folder)
        one, many = write_table(folder / "one.csv", smiles, 1), folder / "many.csv"
        write_table(many, list(dict.fromkeys(smiles + library[:N]))[:N], N)
        out = folder / "out.csv"

        def admet(table: Path) -> list[str | Path]:
            return [BIN / "admet", "predict", "--model-dir", ours, "--data-path", table,
                    "--output", out, "--overwrite"]  # fmt: skip

        def chemprop(table: Path) -> list[str | Path]:
            return [BIN / "chemprop", "predict", "--test-path", table, "-s", "SMILES",
                    "--model-paths", theirs, "-o", out, "--accelerator", "cpu"]  # fmt: skip

        seconds = in_turns(
            {
                "chemprop, one": lambda: command_seconds(chemprop(one)),
                "admet, one": lambda: command_seconds(admet(one)),
                "chemprop, many": lambda: command_seconds(chemprop(many)),
                "admet, many": lambda: command_seconds(admet(many)),
            },
            TURNS,
        )
        rates = {
            name: (N - 1) / (seconds[f"{name}, many"] - seconds[f"{name}, one"])
            for name in ("chemprop", "admet")
        }
        long = write_table(folder / "long.csv", library, LONG)
        peak, progress = watch(admet(long))
    ratio = rates["admet"] / rates["chemprop"]
    total, size = progress[-1]
    thirds = []
    for k in range(3):  # bytes written in each third of the time, as a share of the mean
        part = [s for t, s in progress if k * total / 3 <= t <= (k + 1) * total / 3 and s]
        thirds.append((part[-1] - part[0]) * 3 / max(size, 1))
    lines = [
        "| prediction | molecules/s | ratio |",
        "|---|---|---|",
        f"| chemprop 2.3.1, {N:,} molecules | {rates['chemprop']:.0f} | 1 |",
        f"| admet, {N:,} molecules | {rates['admet']:.0f} | {ratio:.2f} |",
        f"| admet, {LONG:,} molecules, start-up included | {LONG / total:.0f} | |",
    ]
    note = (
        f"First table: {source} and the enumerated library; medians of {TURNS} turns, less the "
        f"time for one molecule. Long table: the enumerated library; peak memory of all processes "
        f"{peak:.0f} MiB; rate in each third of the time, against the mean: "
        f"{', '.join(f'{t:.2f}' for t in thirds)}."
    )
    content = {
        "seconds": seconds,
        "molecules_per_second": rates,
        "ratio": ratio,
        "long": {"rows": LONG, "seconds": total, "peak_mib": peak, "thirds": thirds},
    }
    write_results("prediction", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
