"""A whole default study against Chemprop's own commands for its two baselines, side by side.

Usage: python benchmarks/study_seconds.py path/to/biogen_adme_3521.csv
Writes benchmarks/results/study_seconds.json and .md.

`admet study` has its default arms, five scaffold folds and an empty cache; the model that it writes
at the end is included. `chemprop train` has a network per task and one for all, as it is installed,
on the first of the same folds, whose seconds count five times. Both have the same threads; commands
take turns, and the study's comes between the two halves of Chemprop's.
"""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

from admet.config.study import StudyRun
from admet.data import folds, load_panel
from report import BIN, command_seconds, panel_argument, write_results

TARGETS = ("LOG *",)
EPOCHS = 50  # the default of both
N_FOLDS = 5
SEED = 42  # the default


def main() -> None:
    """Measures, prints and writes the table."""
    panel = panel_argument()
    if panel is None:
        raise SystemExit("Name the Biogen panel: python benchmarks/study_seconds.py PANEL.csv")
    theirs: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tables = chemprop_tables(panel, folder)
        half = len(tables) // 2
        for task, table in [*tables.items()][:half]:
            theirs[task] = chemprop(table, task, folder)
        ours, memory = study(panel, folder)
        for task, table in [*tables.items()][half:]:
            theirs[task] = chemprop(table, task, folder)
    whole = N_FOLDS * sum(theirs.values())
    alone = sum(seconds for task, seconds in theirs.items() if task != "all")
    rows = [
        "| | seconds | ratio |",
        "|---|---:|---:|",
        f"| chemprop train, a network per task, {N_FOLDS} × one fold | {N_FOLDS * alone:.0f} | |",
        f"| chemprop train, one for all, {N_FOLDS} × one fold | {N_FOLDS * theirs['all']:.0f} | |",
        f"| both | {whole:.0f} | 1.00 |",
        f"| admet study, {N_FOLDS} folds, and its model | {ours:.0f} | {ours / whole:.2f} |",
    ]
    note = (
        f"{panel.name}, scaffold folds, {EPOCHS} epochs a network. Largest memory of the study, "
        f"its processes together: {memory:.2f} GiB (pages that they share counted once)."
    )
    content = {"chemprop_one_fold": theirs, "study": ours, "memory_gib": memory}
    write_results("study_seconds", content, "\n".join(rows), note)


def chemprop_tables(panel: Path, folder: Path) -> dict[str, Path]:
    """Writes the first fold for Chemprop: a table per task, of its labels, and one of all."""
    config = StudyRun(data_path=panel, data={"target_columns": TARGETS}, seed=SEED)
    loaded = load_panel(panel, config.data)
    kind = config.data.split_type
    fold = folds(loaded, kind, n_folds=N_FOLDS, n_repeats=1, seed=SEED)[0]
    side = np.full(len(loaded.smiles), "train", object)
    side[fold.val], side[fold.test] = "val", "test"
    whole = pd.DataFrame(loaded.labels.values, columns=loaded.task_names)
    whole.insert(0, "SMILES", list(loaded.smiles))
    whole["side"] = side
    found: dict[str, Path] = {}
    for place, task in enumerate([*loaded.task_names, "all"]):
        own = whole if task == "all" else whole.loc[whole[task].notna(), ["SMILES", task, "side"]]
        found[task] = folder / f"{place}.csv"
        own.to_csv(found[task], index=False)
    return found


def chemprop(table: Path, task: str, folder: Path) -> float:
    """Trains one network with Chemprop's command."""
    columns = pd.read_csv(table, nrows=0).columns
    targets = [name for name in columns if name not in ("SMILES", "side")]
    words = [BIN / "chemprop", "train", "--data-path", table, "-s", "SMILES", "--accelerator"]
    words += ["cpu", "--target-columns", *targets, "--splits-column", "side"]
    words += ["--epochs", EPOCHS, "-o", folder / f"chemprop-{table.stem}"]
    seconds = command_seconds(words)
    print(f"chemprop, {task}: {seconds:.0f} s", flush=True)
    return seconds


def study(panel: Path, folder: Path) -> tuple[float, float]:
    """Does the study, and gives its seconds and its largest memory in GiB."""
    words = [BIN / "admet", "study", "--data-path", panel, "--data.target-columns", *TARGETS]
    words += ["--save-dir", folder / "study", "--seed", SEED]
    environment = {**os.environ, "ADMET_CACHE_DIR": str(folder / "cache")}
    started = time.perf_counter()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [str(word) for word in words], stdout=log, stderr=log, env=environment
        )
        with largest_memory(process.pid) as memory:
            code = process.wait()
    seconds = time.perf_counter() - started
    if code:
        raise SystemExit((folder / "log").read_text()[-2000:])
    print(f"admet study: {seconds:.0f} s, {max(memory):.2f} GiB", flush=True)
    return seconds, max(memory)


@contextmanager
def largest_memory(pid: int) -> Iterator[list[float]]:
    """Looks at the memory of a process and its children twice a second, in GiB."""
    found, ended = [0.0], threading.Event()

    def look() -> None:
        while not ended.wait(0.5):
            with suppress(psutil.Error):
                parent = psutil.Process(pid)
                sizes = []
                for process in [parent, *parent.children(recursive=True)]:
                    with suppress(psutil.Error):
                        sizes.append(process.memory_full_info().pss)
                found.append(sum(sizes) / 2**30)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield found
    finally:
        ended.set()
        thread.join()


if __name__ == "__main__":
    main()
