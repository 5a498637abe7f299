"""Flips bits of a run directory at random and checks that opening it reports the damage.

Also truncates files, swaps them, and plants pickles under their names, which must be refused
without being run.

Usage: python faults/bit_flips.py [flips] [seed]
Writes faults/results/bit_flips.json; ends with 1 where a flip went unnoticed.
"""

import json
import os
import pickle
import random
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from admet.config import TrainConfig
from admet.data.demo import make_demo_panel
from admet.errors import RunDirectoryError
from admet.run_directory import load_model
from admet.training import train

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))


class Planted:
    """A pickle that leaves a mark where it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        """Writes the mark on opening."""
        return (Path.write_text, (self.mark, "run"))


def refused(run_dir: Path) -> bool:
    """Tells whether opening the directory ends in the error that is meant for it."""
    try:
        load_model(run_dir)
    except RunDirectoryError:
        return True
    return False


def flips(run_dir: Path, n_flips: int, rng: random.Random) -> tuple[int, list[str]]:
    """Flips one bit at a time, a file at random, and puts it back."""
    files = sorted(p for p in run_dir.iterdir() if p.is_file())
    found, missed = 0, []
    for _ in range(n_flips):
        path = rng.choice(files)
        content = path.read_bytes()
        if not content:
            continue
        place, bit = rng.randrange(len(content)), rng.randrange(8)
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        path.write_bytes(bytes(damaged))
        if refused(run_dir):
            found += 1
        else:
            missed.append(f"{path.name}, byte {place}, bit {bit}")
        path.write_bytes(content)
    return found, missed


def planted(run_dir: Path) -> tuple[int, int, bool]:
    """Puts a pickle in the place of every file; refused, tried, and whether one was run."""
    mark = run_dir.parent / "mark"
    content = pickle.dumps(Planted(mark))
    names = sorted(p.name for p in run_dir.iterdir() if p.is_file())
    count = 0
    for name in names:
        kept = (run_dir / name).read_bytes()
        (run_dir / name).write_bytes(content)
        count += refused(run_dir)
        (run_dir / name).write_bytes(kept)
    return count, len(names), mark.exists()


def main() -> int:
    """Flips, prints and writes."""
    n_flips = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_demo_panel(200).to_csv(folder / "panel.csv", index=False)
        run_dir = folder / "run"
        train(
            TrainConfig(
                data_path=folder / "panel.csv",
                save_dir=run_dir,
                data={"target_columns": ["LogD", "KSOL"], "split_type": "random"},
                model={"message_passing": {"hidden_size": 16}},
                task_affinity={"enabled": True, "n_groups": 2},
                training={"epochs": 1, "warmup_epochs": 0},
            )
        )
        if refused(run_dir):
            raise RuntimeError("the untouched run directory is refused")
        found, missed = flips(run_dir, n_flips, rng)
        n_refused, n_planted, was_run = planted(run_dir)
        cut = 0
        files = sorted(p.name for p in run_dir.iterdir() if p.is_file() and p.stat().st_size)
        for name in files:
            copy = folder / "copy"
            shutil.copytree(run_dir, copy)
            content = (copy / name).read_bytes()
            (copy / name).write_bytes(content[: rng.randrange(len(content))])
            cut += refused(copy)
            shutil.rmtree(copy)
    tried = found + len(missed)
    report = {
        "flips": tried,
        "detected": found,
        "missed": missed,
        "pickles_planted": n_planted,
        "pickles_refused": n_refused,
        "a_pickle_was_run": was_run,
        "truncated": len(files),
        "truncations_detected": cut,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "bit_flips.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{found} of {tried} bit flips detected; {missed[:5]}")
    print(f"{n_refused} of {n_planted} pickles refused, run: {was_run}; {cut} of {len(files)} cuts")
    fine = not missed and n_refused == n_planted and cut == len(files) and not was_run
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
