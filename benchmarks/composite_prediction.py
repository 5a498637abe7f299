"""Molecules that a mixture predicts per second, where the time goes, and what `fast` saves.

The members are trained as a study does it, on a real panel, networks for one epoch (what they have
learnt does not change how long they take), and have equal weights. New molecules are predicted.

Usage: python benchmarks/composite_prediction.py panel.csv [TARGET …]; `LOG *` unless given.
N=1000 sets how many molecules are predicted.
Writes benchmarks/results/composite_prediction.json and .md.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from admet.config.study import StudyRun
from admet.data import load_panel
from admet.featurize import featurize
from admet.featurize.encode import encode
from admet.model.composite import CompositePredictor
from admet.model.inputs import vectors
from admet.model.molecules import Molecules
from admet.model.trained_model import TrainedModel
from admet.study.composite import Mixture
from admet.study.executors import LocalExecutor
from admet.study.material import Material
from admet.study.refit import refit
from library import panel_smiles
from report import write_results

N = int(os.environ.get("N", "1000"))
ARMS = (
    "single_task", "multi_task", "own_heads", "frozen_mlp", "frozen_own_heads", "kernel",
    "joint_kernel", "boosted",
)  # fmt: skip
INPUTS = ("minimol", "admet_ai", "admet_ai_hidden", "rdkit", "morgan")


def trained(path: Path, targets: list[str]) -> TrainedModel:
    """Trains all members on all molecules."""
    config = StudyRun(
        data_path=path,
        save_dir=Path("unused"),
        data={"target_columns": targets},
        training={"epochs": 1, "warmup_epochs": 0},
        study={"arms": ARMS},  # their own defaults, as a study takes them
    )
    panel = load_panel(path, config.data)
    inputs = {name: vectors([name], panel.smiles) for name in INPUTS}
    material = Material(config, panel, featurize(panel.smiles), inputs)
    equal = Mixture(np.full(len(ARMS), 1 / len(ARMS)), len(panel))
    study: Any = SimpleNamespace(arms=list(ARMS), weights=dict.fromkeys(panel.task_names, equal))
    return TrainedModel(refit(study, material, LocalExecutor(1)))


def costs(call: Callable[[], Any]) -> tuple[float, float]:
    """Gives seconds by the clock and of the processor, those of its worker processes too."""
    wall, used = time.perf_counter(), processor_seconds()
    call()
    return time.perf_counter() - wall, processor_seconds() - used


def processor_seconds() -> float:
    """Gives what this process and the children that have ended have used."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def parts_of(model: TrainedModel, smiles: list[str]) -> dict[str, Callable[[], Any]]:
    """Gives the steps of a prediction, each alone."""
    assert isinstance(model.predictor, CompositePredictor)
    canonical = encode(smiles, True, 1, False, with_structures=True).structures or []
    ready = Molecules(canonical, featurize(canonical), {n: vectors([n], canonical) for n in INPUTS})
    steps: dict[str, Callable[[], Any]] = {
        "reading and standardising SMILES": lambda: encode(
            smiles, True, 1, False, with_structures=True
        ),
        "graphs": lambda: featurize(canonical),
    }
    for name in INPUTS:
        steps[f"input {name}"] = partial(vectors, [name], canonical)
    for spec, member in zip(model.predictor.spec.members, model.predictor.members, strict=True):
        steps[f"arm {spec.arm}"] = partial(member.predict, ready)
    return steps


def main() -> None:
    """Measures, prints and writes the table."""
    path = Path(sys.argv[1])
    model = trained(path, sys.argv[2:] or ["LOG *"])
    smiles, _ = panel_smiles(None, N)
    small = smiles[:20]
    whole = {"whole": model, "fast": model.faster()}
    found: dict[str, tuple[float, float]] = {}
    for name, own in whole.items():
        own.predict(small)
        found[name] = costs(partial(own.predict, smiles))
    parts = parts_of(model, smiles)
    vectors(["admet_ai"], ["C"])  # so that those of the molecules are not kept from before
    steps = {name: costs(step) for name, step in parts.items()}
    total = sum(used for _, used in steps.values())
    lines = ["| step | ms of the processor a molecule | share |", "|---|---:|---:|"]
    for name, (_, used) in steps.items():
        lines.append(f"| {name} | {1000 * used / N:.2f} | {100 * used / total:.0f} % |")
    lines += ["", "| prediction | molecules/s | molecules per second of the processor |"]
    lines += ["|---|---:|---:|"]
    for name, label in (("whole", "whole mixture"), ("fast", "`fast`")):
        wall, used = found[name]
        lines.append(f"| {label} | {N / wall:.0f} | {N / used:.0f} |")
    content = {"n": N, "steps": steps, "predictions": found}
    note = (
        f"{N:,} molecules that no member has seen, predicted from Python in one process; members "
        f"trained on {path.name} ({len(model.task_names)} endpoints). Inputs that several arms "
        "read are computed once. The rates by the clock are of a machine that others used, too."
    )
    write_results("composite_prediction", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
