"""Small trained models for the benchmarks of prediction: the accuracy does not matter there."""

from pathlib import Path

from admet.data.demo import TASKS, make_demo_panel
from report import BIN, command_seconds


def train_small(folder: Path) -> tuple[Path, Path]:
    """Trains both programs' networks at their default size for an epoch on the demo panel.

    Args:
        folder: Where to write.

    Returns:
        Our run directory and Chemprop's model file.
    """
    targets = [task for task in TASKS if task != "hERG"]  # Chemprop takes one kind of task only
    make_demo_panel(400).to_csv(folder / "panel.csv", index=False)
    command_seconds(
        [BIN / "admet", "train", "--data-path", folder / "panel.csv", "--data.target-columns"]
        + [*targets, "--training.epochs", "1", "--training.warmup-epochs", "0"]
        + ["--save-dir", folder / "ours", "--data.split-type", "random"]
    )
    command_seconds(
        [BIN / "chemprop", "train", "--data-path", folder / "panel.csv", "-s", "SMILES"]
        + ["--target-columns", *targets, "--epochs", "1", "--warmup-epochs", "0"]
        + ["--ffn-num-layers", "2", "-o", folder / "theirs", "--accelerator", "cpu"]
    )
    return folder / "ours", folder / "theirs" / "model_0" / "best.pt"
