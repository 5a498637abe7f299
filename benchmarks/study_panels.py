"""Studies of real panels, each with several seeds: is the mixture ahead, and do verdicts agree?

Usage: python benchmarks/study_panels.py FOLDER OUTPUT [folds [seeds [panel …]]]

FOLDER holds biogen_adme_3521.csv, az_dmpk.csv, pkis2_kinases.csv, tox21.csv and pharmabench.csv;
the last is made by
    python scripts/join_panels.py FOLDER/pharmabench.csv Smiles_unify value …_reg_final_data.csv
OUTPUT gets a study per panel and seed; one that was stopped goes on. Frozen inputs that have seen
labels of a panel are left out there. Writes benchmarks/results/study_panels.json and .md; rows of
other panels, folds and seeds stay as they were.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from admet.config.study import MULTI, SINGLE, StudyRun
from admet.study import run
from admet.study.results import ALL, COMPOSITE, Study
from report import write_results

NETWORKS = ("single_task", "multi_task", "own_heads")
GROUPED = ("task_affinity", "random_groups")
WITH_INPUTS = (
    "informed_heads", "frozen_mlp", "frozen_own_heads", "kernel", "joint_kernel", "boosted",
)  # fmt: skip


@dataclass(frozen=True)
class RealPanel:
    """A panel, and what may be learnt from on it.

    Attributes:
        targets: Columns to predict, or patterns.
        smiles: Column with the structures.
        inputs: Frozen inputs that have not seen its labels.
        transforms: What `admet study` asks for where labels run over many decades.
    """

    targets: tuple[str, ...]
    smiles: str = "SMILES"
    inputs: tuple[str, ...] = ("minimol", "rdkit")
    transforms: tuple[tuple[str, str], ...] = ()


EVERY_INPUT = ("minimol", "rdkit", "admet_ai", "admet_ai_hidden")
PANELS = {
    "biogen_adme_3521": RealPanel(("LOG *",), inputs=EVERY_INPUT),
    "az_dmpk": RealPanel(("log*",)),
    "pkis2_kinases": RealPanel(("*_pct_inhib_1uM",), inputs=EVERY_INPUT),
    "pharmabench": RealPanel(
        ("numeric",),
        smiles="Smiles_unify",
        transforms=tuple((name, "log10") for name in ("cyp_2c9", "cyp_2d6", "cyp_3a4")),
    ),
    "tox21": RealPanel(("NR-*", "SR-*"), inputs=("rdkit", "morgan")),  # PCBA holds Tox21 screens
}


def main() -> None:
    """Runs the studies that are missing, and writes the table."""
    folder, output = Path(sys.argv[1]), Path(sys.argv[2])
    n_folds, n_seeds = (int(text) for text in [*sys.argv[3:5], "5", "2"][:2])
    output.mkdir(parents=True, exist_ok=True)
    found = earlier()
    for name in sys.argv[5:] or PANELS:
        studies = []
        for seed in range(1, n_seeds + 1):
            studies.append(run(study_of(name, folder, output, n_folds, seed)))
            found[f"{name}, {n_folds} folds, seed {seed}"] = summary(studies[-1])
        found[f"{name}, {n_folds} folds, seed 1"]["agreement"] = agreement(studies)
        write(found)


def earlier() -> dict[str, dict[str, Any]]:
    """Reads the rows that were measured before."""
    path = Path(__file__).parent / "results" / "study_panels.json"
    content = json.loads(path.read_text()) if path.exists() else {}
    return {name: entry for name, entry in content.items() if "," in name}


def study_of(name: str, folder: Path, output: Path, n_folds: int, seed: int) -> StudyRun:
    """Gives the study of a panel."""
    panel = PANELS[name]
    return StudyRun(
        data_path=folder / f"{name}.csv",
        data={
            "target_columns": panel.targets,
            "smiles_column": panel.smiles,
            "transforms": dict(panel.transforms),
        },
        save_dir=output / f"{name}-{n_folds}-{seed}",
        seed=seed,
        study={"folds": n_folds, "arms": NETWORKS + GROUPED + WITH_INPUTS, "inputs": panel.inputs},
    )


def summary(study: Study) -> dict[str, Any]:
    """Gives the macro losses, and what the mixture gains."""
    last = study.verdicts[-1]
    gains = {arm: study.contrast(COMPOSITE, arm, ALL) for arm in last.losses}
    worse = [
        verdict.task
        for verdict in study.verdicts[:-1]
        if any(contrast.low > 0 for contrast in verdict.gains.values())
    ]
    return {
        "loss": {**last.losses, COMPOSITE: last.loss},
        "gain": {arm: [gain.mean, gain.low, gain.high] for arm, gain in gains.items()},
        "worse": worse,
        "seconds": pd.Series([fit.seconds for fit in study.fits]).sum(),
    }


def agreement(studies: list[Study]) -> dict[str, float]:
    """Says how often two seeds say the same of an endpoint, over all pairs with the first seed."""
    first, *others = ([*study.verdicts] for study in studies)
    words: list[bool] = []
    opposed: list[bool] = []
    for other in others:
        for a, b in zip(first, other, strict=True):
            for base in (SINGLE, MULTI):
                pair = {a.gains[base].verdict, b.gains[base].verdict}
                words.append(len(pair) == 1)
                opposed.append(pair == {"better", "worse"})
    if not words:
        return {}
    return {"same": sum(words) / len(words), "opposed": sum(opposed) / len(opposed)}


def write(found: dict[str, dict[str, Any]]) -> None:
    """Writes the table."""
    heads = (
        "| panel | single | multi | own heads, by affinity, random groups, informed heads | "
        "best arm | mixture | to single | to multi | to the best arm | worse on | "
        "verdicts that agree |"
    )
    table = [heads, "|---|---:|---:|---|---|---:|---|---|---|---|---|"]
    for name, entry in found.items():
        loss = entry["loss"]
        shown = ("own_heads", *GROUPED, "informed_heads")
        others = [f"{loss[a]:.3f}" if a in loss else "–" for a in shown]
        best = min((a for a in loss if a != COMPOSITE), key=lambda arm: loss[arm])
        gains = [
            "{:+.1f} [{:+.1f}, {:+.1f}] %".format(*(100 * v for v in entry["gain"][arm]))
            for arm in (SINGLE, MULTI, best)
        ]
        same = entry.get("agreement", {})
        told = f"{same['same']:.0%}, {same['opposed']:.0%} opposed" if same else ""
        cells = [
            name, f"{loss[SINGLE]:.3f}", f"{loss[MULTI]:.3f}",
            ", ".join(others),
            f"{best} {loss[best]:.3f}",
            f"{loss[COMPOSITE]:.3f}", *gains, ", ".join(entry["worse"]) or "none", told,
        ]  # fmt: skip
        table.append("| " + " | ".join(cells) + " |")
    note = (
        "Scaffold folds, one training of each arm on each. Losses are means over "
        "endpoints of the MAE (or 1 − AUROC) relative to always predicting the mean; the mixture's "
        "weights for a fold come from the other folds. Intervals of 95 %, corrected resampled "
        "t-test. `worse on`: endpoints with an interval above zero against either baseline."
    )
    write_results("study_panels", found, "\n".join(table), note)


if __name__ == "__main__":
    main()
