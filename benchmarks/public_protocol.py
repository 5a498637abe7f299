"""Arms and their mixture on a public fixed test set, beside published results.

Usage: python benchmarks/public_protocol.py PANEL.csv SPLIT.csv [repeats] [arms …], the panel being
biogen_adme_3521.csv and the split a table of row, cluster and side.
Writes benchmarks/results/public_protocol.json and .md; a fit that is in the JSON is not done again.

The split is that of github.com/PatWalters/model-validation-central, expansion-ml-comparison:
a fixed test set, and clusters by which five folds of the training side are grouped. Each fit learns
from four fifths of the training clusters and may stop early by the fifth. The mixture takes its
weights from the fifth. Nothing is chosen by the test set.
"""

import csv
import json
import logging
import sys
from pathlib import Path

import numpy as np

from admet.config.study import StudyRun
from admet.data import Split, load_panel
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.inputs import vectors
from admet.study.arms import ARMS, inputs_of
from admet.study.composite import Evidence, choose_weights
from admet.study.material import Material
from report import mean_and_spread, write_results

RESULTS = Path(__file__).parent / "results" / "public_protocol.json"
ARMS_BY_DEFAULT = (
    "own_heads", "informed_heads", "frozen_mlp", "frozen_own_heads", "kernel", "joint_kernel",
    "boosted",
)  # fmt: skip
N_FOLDS = 5
SHORT = {
    "LOG SOLUBILITY PH 6.8 (ug/mL)": "SOL",
    "LOG HLM_CLint (mL/min/kg)": "HLM",
    "LOG RLM_CLint (mL/min/kg)": "RLM",
    "LOG MDR1-MDCK ER (B-A/A-B)": "MDR1",
    "LOG PLASMA PROTEIN BINDING (HUMAN) (% unbound)": "human PPB",
    "LOG PLASMA PROTEIN BINDING (RAT) (% unbound)": "rat PPB",
}
PUBLISHED = {"Monroe + TabPFN (published)": [0.322, 0.299, 0.375, 0.294, 0.438, 0.445]}
PUBLISHED_MEANS = {
    "LightGBM (published)": 0.465,
    "Chemprop, a network a task (published)": 0.468,
    "Chemprop, a network an assay family (published)": 0.447,
}


def main() -> None:
    """Does the fits that are missing, and writes the table."""
    panel_path, split_path = Path(sys.argv[1]), Path(sys.argv[2])
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    arms = tuple(sys.argv[4:]) or ARMS_BY_DEFAULT
    logging.getLogger("admet").setLevel(logging.ERROR)
    config = StudyRun(
        data_path=panel_path,
        data={"target_columns": tuple(SHORT)},
        training={"threads": 1},
        study={"arms": arms},
    )
    panel = load_panel(panel_path, config.data)
    cache = cache_folder()
    inputs = {name: vectors([name], panel.smiles, cache) for name in inputs_of(config.study)}
    material = Material(config, panel, cached_graphs(panel.smiles, cache), inputs)
    with split_path.open(encoding="utf-8") as file:
        row_of = {int(row["row"]): row for row in csv.DictReader(file)}
    given = [row_of[int(line) - 1] for line in panel.lines]  # line 1 is the header
    test = np.flatnonzero([row["side"] == "test" for row in given])
    train = np.flatnonzero([row["side"] == "train" for row in given])
    clusters = np.array([row["cluster"] for row in given])[train]
    done = json.loads(RESULTS.read_text())["fits"] if RESULTS.exists() else {}
    for repeat in range(repeats):
        names = np.random.default_rng(repeat).permutation(np.unique(clusters))
        fold_of = {name: place % N_FOLDS for place, name in enumerate(names)}
        folds = np.array([fold_of[name] for name in clusters])
        for fold in range(N_FOLDS):
            fit_fold(material, train[folds != fold], train[folds == fold], test, repeat, fold, done)


def fit_fold(
    material: Material,
    train: np.ndarray,
    val: np.ndarray,
    test: np.ndarray,
    repeat: int,
    fold: int,
    done: dict[str, dict[str, list[float]]],
) -> None:
    """Trains all arms on a fold, mixes them, and keeps their errors on the test set."""
    arms = material.config.study.arms
    key = f"{repeat}.{fold}"
    mixture = f"mixture of {', '.join(arms)}"
    if mixture in done.get(key, {}):
        return
    labels = material.panel.labels.values
    on_val, on_test = [], []
    for arm in arms:
        own_val = val if ARMS[arm].validates(material.panel) else val[:0]
        trained = ARMS[arm].train(material, Split(train, own_val, test), seed=fold)
        on_val.append(trained.member.predict(material.molecules(val)))
        on_test.append(trained.member.predict(material.molecules(test)))
        done.setdefault(key, {})[arm] = errors(on_test[-1], labels[test])
        print(key, arm, np.round(done[key][arm], 3), f"{np.mean(done[key][arm]):.4f}", flush=True)
    mixed = np.empty_like(on_test[0])
    evidence = []
    for task, y in enumerate(labels[val].T):
        scale = float(np.nanmean(np.abs(y - np.nanmean(y))))
        evidence.append(Evidence(y, np.stack([p[:, task] for p in on_val]), scale))
    for task, chosen in enumerate(choose_weights(evidence)):
        mixed[:, task] = chosen.weights @ np.stack([p[:, task] for p in on_test])
    done[key][mixture] = errors(mixed, labels[test])
    print(key, "mixture", np.round(done[key][mixture], 3), f"{np.mean(done[key][mixture]):.4f}")
    write(done)


def errors(predicted: np.ndarray, labels: np.ndarray) -> list[float]:
    """Gives the MAE of each task."""
    return [float(value) for value in np.nanmean(np.abs(predicted - labels), axis=0)]


def write(done: dict[str, dict[str, list[float]]]) -> None:
    """Writes all fits, and the table of their means."""
    rows = [[name, *values, float(np.mean(values))] for name, values in PUBLISHED.items()]
    table = [
        "| | " + " | ".join([*SHORT.values(), "mean of six"]) + " | fits |",
        "|---|" + "---:|" * (len(SHORT) + 2),
        *[f"| {r[0]} | " + " | ".join(f"{v:.3f}" for v in r[1:]) + " | 25 |" for r in rows],
        *[f"| {name} |{' – |' * len(SHORT)} {v:.3f} | 25 |" for name, v in PUBLISHED_MEANS.items()],
    ]
    keys = [*SHORT.values(), "mean of six"]
    fits = [
        {"arm": arm, **dict(zip(keys, [*values, float(np.mean(values))], strict=True))}
        for fit in done.values()
        for arm, values in fit.items()
    ]
    for arm, cells in mean_and_spread(fits, "arm", keys).items():
        n_fits = sum(fit["arm"] == arm for fit in fits)
        table.append(f"| {arm} | " + " | ".join(cells) + f" | {n_fits} |")
    note = (
        "MAE on the fixed test set of 1,058 compounds, log10 units; mean over fits ± their "
        "standard deviation. Each fit learns from four fifths of the training clusters."
    )
    write_results("public_protocol", {"fits": done}, "\n".join(table), note)


if __name__ == "__main__":
    main()
