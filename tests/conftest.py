"""Small panels and models that many tests share."""

import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # before torch: see admet.cli._common

import numpy as np
import pandas as pd
import pytest
import torch

from admet.cli.__main__ import main
from admet.data.demo import TASKS, make_demo_panel

_CACHE = tempfile.TemporaryDirectory(prefix="admet-test-cache-")
os.environ["ADMET_CACHE_DIR"] = _CACHE.name

SMALL = [
    "--model.message-passing.hidden-size", "16",
    "--model.ffn.hidden-size", "16",
    "--model.ffn.num-layers", "1",
]  # fmt: skip
"""Overrides that make a network small enough for a test."""


@pytest.fixture(scope="session")
def demo_frame() -> pd.DataFrame:
    return make_demo_panel(200, seed=1)


@pytest.fixture
def demo_csv(tmp_path: Path, demo_frame: pd.DataFrame) -> Path:
    path = tmp_path / "panel.csv"
    demo_frame.to_csv(path, index=False)
    return path


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    def write(content: str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, demo_frame: pd.DataFrame) -> Path:
    """A run directory with affinity, three groups and two epochs; `panel.csv` stands beside it."""
    folder = tmp_path_factory.mktemp("trained")
    demo_frame.to_csv(folder / "panel.csv", index=False)
    code = main(
        [
            "train",
            "--data-path", str(folder / "panel.csv"),
            "--data.target-columns", *TASKS,
            "--data.split-type", "random",
            "--task-affinity.enabled", "true",
            "--training.epochs", "2",
            "--training.warmup-epochs", "1",
            "--save-dir", str(folder / "run"),
            *SMALL,
        ]
    )  # fmt: skip
    assert code == 0
    return folder / "run"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def small_flags() -> list[str]:
    return list(SMALL)


# Small networks gain nothing from more threads, and lose much when other work shares the cores.
torch.set_num_threads(1)

# Lightning imports this on first use; its own warning is not about this project.
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import lightning.pytorch  # noqa: F401
