"""Start-up: help, a bad configuration, one prediction from a cold start; the same of Chemprop.

Usage: python benchmarks/start_up.py
Writes benchmarks/results/start_up.json and .md.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from admet.cli.__main__ import COMMANDS
from models import train_small
from report import BIN, command_seconds, in_turns, write_results

TURNS = 5


def main() -> None:
    """Measures, prints and writes the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "one.csv").write_text("SMILES\nCC(=O)Oc1ccccc1C(=O)O\n")
        (folder / "bad.yaml").write_text("training:\n  epoch: 3\n")
        ours, theirs = train_small(folder)
        admet, one, out = BIN / "admet", folder / "one.csv", folder / "out.csv"
        predict = [admet, "predict", "--model-dir", ours, "--data-path", one, "--output", out]
        chemprop = [BIN / "chemprop", "predict", "--test-path", one, "--model-paths", theirs]
        runs: dict[str, Callable[[], float]] = {
            **{
                f"admet {c} --help": partial(command_seconds, [admet, c, "--help"])
                for c in COMMANDS
            },
            "chemprop train --help": lambda: command_seconds([BIN / "chemprop", "train", "--help"]),
            "admet train, unknown key": lambda: command_seconds(
                [admet, "train", "--config", folder / "bad.yaml"], code=2
            ),
            "admet predict, one molecule": lambda: command_seconds([*predict, "--overwrite"]),
            "chemprop predict, one molecule": lambda: command_seconds(
                [*chemprop, "-s", "SMILES", "-o", folder / "theirs.csv", "--accelerator", "cpu"]
            ),
        }
        seconds = in_turns(runs, TURNS)
    lines = ["| command | seconds |", "|---|---|"]
    lines += [f"| `{name}` | {value:.2f} |" for name, value in seconds.items()]
    write_results("start_up", {"seconds": seconds}, "\n".join(lines), f"Medians of {TURNS} turns.")


if __name__ == "__main__":
    main()
