"""How long a network of binary endpoints should learn: by ranks and by probabilities, out of fold.

Tox21 is binary as it is. Of the other panels the labels above a threshold are the hits: the upper
fifth of each endpoint, and of PKIS2 an inhibition above 50 %. Frozen inputs have seen none of the
labels. Three scaffold folds of one seed; the first is tested.

Usage: python benchmarks/class_steps.py FOLDER [seed], FOLDER being that of study_panels.py.
Writes benchmarks/results/class_steps.json and .md. One thread.
"""

import logging
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from admet.config.study import StudyRun
from admet.data import Panel, folds, load_panel
from admet.featurize.cache import cache_folder, cached_graphs
from admet.kinds import BINARY
from admet.model.inputs import vectors
from admet.study.arms import ARMS
from admet.study.material import Material
from report import write_results
from study_panels import PANELS, study_of

NAMES = ("biogen_adme_3521", "az_dmpk", "pkis2_kinases", "tox21")
INPUTS = ("minimol", "rdkit")
STEPS: dict[str, dict[str, int]] = {
    **{str(n): {"class_steps": n} for n in (60, 90, 120, 150, 200)},
    "60 epochs": {"class_steps": 10**6},
}
FEWEST_HITS = 20


def main() -> None:
    """Measures, prints and writes the table."""
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    logging.getLogger("admet").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for name in NAMES:
        material = material_of(folder, name)
        split = folds(material.panel, "scaffold", n_folds=3, seed=seed)[0]
        for arm in ("frozen_mlp", "frozen_own_heads"):
            for steps, change in STEPS.items():
                own = material.config.study
                mlp = own.frozen_mlp.model_copy(update=change)
                study = own.model_copy(update={"frozen_mlp": mlp})
                config = material.config.model_copy(update={"study": study})
                found = ARMS[arm].fit(replace(material, config=config), split, seed).mean
                rank, loss = scores(material.panel.labels.values[split.test], found)
                rows.append({"panel": name, "arm": arm, "steps": steps, "rank": rank, "loss": loss})
                print(rows[-1], flush=True)
    table = [f"| panel | arm | {' | '.join(STEPS)} |", "|---" * (2 + len(STEPS)) + "|"]
    for start in range(0, len(rows), len(STEPS)):
        part = rows[start : start + len(STEPS)]
        cells = [f"{row['rank']:.3f} · {row['loss']:.3f}" for row in part]
        table.append(f"| {part[0]['panel']} | {part[0]['arm']} | {' | '.join(cells)} |")
    note = (
        "Mean over endpoints of 1 − AUROC, and mean log loss, by steps (whole epochs, one at "
        f"least; the last column has no limit of steps). Seed {seed}."
    )
    write_results("class_steps", {"rows": rows}, "\n".join(table), note)


def material_of(folder: Path, name: str) -> Material:
    """Reads a panel, makes its labels hits, and computes its inputs."""
    config = study_of(name, folder, folder, 3, 1)
    panel = load_panel(config.data_path, config.data)
    inputs = PANELS[name].inputs
    if name != "tox21":
        panel, inputs = binary(panel, 50.0 if name == "pkis2_kinases" else None), INPUTS
    study = config.study.model_copy(update={"inputs": inputs})
    config = StudyRun.model_construct(**dict(config) | {"study": study})
    cache = cache_folder()
    found = {each: vectors([each], panel.smiles, cache) for each in inputs}
    return Material(config, panel, cached_graphs(panel.smiles, cache), found)


def binary(panel: Panel, threshold: float | None) -> Panel:
    """Makes hits of labels above a threshold, or of the upper fifth; endpoints with few leave."""
    y = panel.labels.values
    limits = np.nanquantile(y, 0.8, axis=0) if threshold is None else threshold
    hits = np.where(np.isnan(y), np.nan, (y > limits).astype(float))
    kept = np.flatnonzero(np.nansum(hits, axis=0) >= FEWEST_HITS)
    labels = replace(panel.labels, values=hits, limits=None).columns(kept.tolist())
    tasks = tuple(replace(panel.tasks[column], kind=BINARY) for column in kept)
    return replace(panel, tasks=tasks, labels=labels)


def scores(y: np.ndarray, p: np.ndarray) -> tuple[float, float]:
    """Gives the mean of 1 − AUROC over tasks with both classes, and the mean log loss."""
    ranks = []
    for own, found in zip(y.T, p.T, strict=True):
        known = ~np.isnan(own)
        if len(set(own[known])) == 2:
            ranks.append(1 - roc_auc_score(own[known], found[known]))
    near = np.clip(p, 1e-6, 1 - 1e-6)
    return float(np.mean(ranks)), float(np.nanmean(-np.log(np.where(y > 0.5, near, 1 - near))
                                                   * np.where(np.isnan(y), np.nan, 1)))  # fmt: skip


if __name__ == "__main__":
    main()
