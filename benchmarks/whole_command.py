"""The whole command: `admet train` with the affinity on against `chemprop train` without it.

Usage: python benchmarks/whole_command.py path/to/biogen_adme_3521.csv; TURNS=3 sets the turns.
Writes benchmarks/results/whole_command.json and .md.
"""

import os
import statistics
import tempfile
from pathlib import Path

import yaml

from admet.run_directory import Files, read_json
from report import BIN, command_seconds, panel_argument, write_results

CONFIG = Path(__file__).parents[1] / "configs" / "biogen_adme.yaml"
EPOCHS, TURNS = 50, int(os.environ.get("TURNS", "3"))


def main() -> None:
    """Measures, prints and writes the table."""
    panel = panel_argument()
    if panel is None:
        raise SystemExit("Name the Biogen panel: python benchmarks/whole_command.py PANEL.csv")
    targets = yaml.safe_load(CONFIG.read_text())["data"]["target_columns"]
    seconds: dict[str, list[float]] = {"chemprop": [], "admet, 32": [], "admet, auto": []}
    phases: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["ADMET_CACHE_DIR"] = str(folder / "cache")
        for turn in range(TURNS):
            theirs = [BIN / "chemprop", "train", "--data-path", panel, "-s", "SMILES"]
            theirs += ["--target-columns", *targets, "--epochs", EPOCHS, "--split-type"]
            theirs += ["SCAFFOLD_BALANCED", "--ffn-num-layers", "2", "--accelerator", "cpu"]
            theirs += ["-o", folder / f"theirs{turn}"]
            seconds["chemprop"].append(command_seconds(theirs))
            for precision in ("32", "auto"):
                ours = [BIN / "admet", "train", "--config", CONFIG, "--data-path", panel]
                ours += ["--task-affinity.enabled", "--training.epochs", EPOCHS]
                ours += ["--training.precision", precision, "--data.cache", "false"]
                ours += ["--save-dir", folder / f"ours{precision}{turn}"]
                seconds[f"admet, {precision}"].append(command_seconds(ours))
                phases.append(read_json(folder / f"ours{precision}{turn}" / Files.RUN)["seconds"])
            print(turn, {k: round(v[-1], 1) for k, v in seconds.items()}, phases[-1], flush=True)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    lines = [f"| whole command, {EPOCHS} epochs | seconds | ratio |", "|---|---|---|"]
    for name, value in medians.items():
        what = "chemprop 2.3.1 train" if name == "chemprop" else f"{name}: affinity, 3 groups"
        lines.append(f"| {what} | {value:.1f} | {value / medians['chemprop']:.2f} |")
    share = statistics.median(p["affinity"] / p["training"] for p in phases[1::2])
    share_32 = statistics.median(p["affinity"] / p["training"] for p in phases[::2])
    note = (
        f"{panel.name}, scaffold split, both with two hidden layers in the heads; medians of "
        f"{TURNS} turns. The affinity phase takes {share:.1%} of the training's time at `auto`, "
        f"{share_32:.1%} at 32."
    )
    content = {"seconds": seconds, "phases": phases, "affinity_share": share}
    write_results("whole_command", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
