"""What an affinity must find on real panels: sister assays, twins, and the same with other seeds.

Usage: python benchmarks/affinity_truths.py FOLDER [--seeds 3] [--panels …] [--estimators …],
FOLDER being that of benchmarks/study_panels.py. Writes benchmarks/results/affinity_truths.json and
.md; rows of other panels and estimators stay as they were.

Sisters are the same quantity in another species, line or matrix, or kinases of one family: their
affinity must be positive, and one of them among the first two of a task's row. Twins are the labels
of one endpoint dealt to two columns, no molecule in both: each must be first in the row of the
other, and the groups at the true number must be the pairs. Twins of fewer than 200 labels do not
count.
"""

import argparse
import itertools
import json
import logging
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import adjusted_rand_score

from admet.config import DataConfig
from admet.data import Panel, load_panel
from admet.data.labels import Labels
from admet.featurize import PackedGraphs
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.chemprop.task_affinity import TaskGrouper
from report import write_results
from study_panels import PANELS
from tried_affinities import COMPARED, ESTIMATORS, READ_INPUTS, Measure, computed

LEAST = 200  # labels of a twin that counts
LARGEST = 6_000  # molecules of a panel of which functions are compared
KINASES = (
    "EGFR ERBB2 ERBB4", "KIT PDGFRA PDGFRB FLT3 CSF1R", "SRC LCK", "AURKA AURKB AURKC",
    "GSK3A GSK3B", "p38-alpha p38-beta", "JNK1 JNK2 JNK3", "BRAF RAF1", "PIK3CA PIK3CB PIK3CD",
    "CLK1 CLK2", "ROCK1 ROCK2", "PLK1 PLK3", "IGF1R INSR", "CSNK2A1 CSNK2A2", "PIM1 PIM3",
)  # fmt: skip
SISTERS: dict[str, list[list[str]]] = {
    "biogen_adme_3521": [["HLM", "RLM"], ["BINDING (HUMAN)", "BINDING (RAT)"]],
    "az_dmpk": [
        ["hPPB", "rPPB", "dPPB", "mPPB"],
        ["HLM", "rat_hepatocyte", "human_hepatocyte"],
    ],
    "tox21": [["NR-AR$", "NR-AR-LBD"], ["NR-ER$", "NR-ER-LBD"]],
    "pharmabench": [["hum_mic", "mou_mic", "rat_mic"]],
    "pkis2_kinases": [[f"^{name}_" for name in family.split()] for family in KINASES],
}
"""For each panel the families of sister assays, by parts of their names; ^ and $ mark the ends."""
NAMED = [*ESTIMATORS, *COMPARED]


def main() -> None:
    """Measures, prints and writes the table."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--panels", nargs="*", default=list(SISTERS), choices=SISTERS)
    parser.add_argument("--estimators", nargs="*", default=NAMED, choices=NAMED)
    asked = parser.parse_args()
    n_seeds = asked.seeds
    rows = earlier()
    for name in asked.panels:
        own = PANELS[name]
        config = DataConfig(target_columns=own.targets, smiles_column=own.smiles)
        panel = load_panel(asked.folder / f"{name}.csv", config)
        graphs = cached_graphs(panel.smiles, cache_folder())
        for estimator in asked.estimators:
            if estimator == "measured" and len(panel.tasks) > 12:
                continue  # minutes
            if estimator in READ_INPUTS and len(panel) > LARGEST:
                continue  # minutes, and frozen inputs have seen labels of Tox21
            if estimator in ESTIMATORS:
                measure = computed(ESTIMATORS[estimator], own.inputs)
            else:
                measure = COMPARED[estimator](own.inputs)
            found = row(name, panel, graphs, measure, n_seeds)
            named = {"panel": name, "estimator": estimator, "n_seeds": n_seeds}
            rows[name, estimator] = named | found
            print(rows[name, estimator], flush=True)
            write(rows)


def earlier() -> dict[tuple[str, str], dict[str, Any]]:
    """Reads the rows that were measured before."""
    path = Path(__file__).parent / "results" / "affinity_truths.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else []
    return {(entry["panel"], entry["estimator"]): entry for entry in rows}


def row(
    name: str,
    panel: Panel,
    graphs: PackedGraphs,
    measure: Measure,
    n_seeds: int,
) -> dict[str, Any]:
    """Gives one row of the table."""
    seeds = range(1, n_seeds + 1)
    found = [measure(panel, graphs, seed) for seed in seeds]
    families = [[place(part, panel.task_names) for part in family] for family in SISTERS[name]]
    pairs = [pair for family in families for pair in itertools.combinations(family, 2)]
    both = [(own.matrix + own.matrix.T) / 2 for own in found]
    upper = np.triu_indices(len(panel.tasks), 1)
    agree = [np.corrcoef(a[upper], b[upper])[0, 1] for a, b in itertools.combinations(both, 2)]
    ranks = [
        best_rank(matrix, task, family) for matrix in both for family in families for task in family
    ]
    first, kin, ari, n_twins = twin_truths(panel, graphs, measure, families)
    lows = [own.low[i, j] for own in found if own.low is not None for i, j in pairs]
    return {
        "seconds": float(np.mean([own.seconds for own in found])),
        "seeds": float(np.mean(agree)) if agree else None,
        "sign": float(np.mean([matrix[i, j] > 0 for matrix in both for i, j in pairs])),
        "lowest": float(min(matrix[i, j] for matrix in both for i, j in pairs)),
        "surely": float(np.mean(np.array(lows) > 0)) if lows else None,
        "among_two": float(np.mean(np.array(ranks) < 2)),
        "twins_first": first,
        "kin_first": kin,
        "twins_ari": ari,
        "twins": n_twins,
    }


def place(part: str, names: list[str]) -> int:
    """Finds the one task whose name holds a part."""
    text = part.strip("^$")
    (found,) = [
        i
        for i, name in enumerate(names)
        if (name.startswith(text) if part.startswith("^") else text in name)
        and (not part.endswith("$") or name.endswith(text))
    ]
    return found


def best_rank(matrix: np.ndarray, task: int, family: list[int]) -> int:
    """Gives the place of the nearest sister in a task's row, from 0."""
    order = [other for other in np.argsort(-matrix[task]) if other != task]
    return min(order.index(sister) for sister in family if sister != task)


def twin_truths(
    panel: Panel,
    graphs: PackedGraphs,
    measure: Measure,
    families: list[list[int]],
) -> tuple[float | None, float | None, float | None, int]:
    """Deals every endpoint to two columns.

    Returns:
        Share of twins first in the row of the other; the same, where a sister's half counts, too;
        adjusted Rand index of the pairs; the number of columns.
    """
    rng = np.random.default_rng(0)
    values, columns, tasks, kin = panel.labels.values, [], [], []
    family = {task: set(own) for own in families for task in own}
    for column, task in enumerate(panel.tasks):
        known = rng.permutation(np.flatnonzero(np.isfinite(values[:, column])))
        if len(known) < 2 * LEAST:
            continue
        half = np.isin(np.arange(len(values)), known[: len(known) // 2])
        columns += [np.where(side, values[:, column], np.nan) for side in (half, ~half)]
        kin += 2 * [family.get(column, {column})]
        tasks += [replace(task, name=f"{task.name} {side}") for side in "ab"]
    if len(tasks) < 4:
        return None, None, None, 0  # too few labels
    twins = replace(panel, labels=Labels(np.stack(columns, axis=1)), tasks=tuple(tasks))
    matrix = measure(twins, graphs, 1).matrix
    matrix = (matrix + matrix.T) / 2
    bare = matrix - 9 * np.eye(len(matrix))
    nearest = bare.argmax(axis=1)
    first = float(np.mean(nearest == np.arange(len(matrix)) ^ 1))
    akin = float(np.mean([kin[i] == kin[j] for i, j in enumerate(nearest)]))
    groups = TaskGrouper(len(matrix) // 2).cluster(matrix, [task.name for task in tasks])
    label = {name: index for index, group in enumerate(groups) for name in group}
    ari = adjusted_rand_score([label[task.name] for task in tasks], np.arange(len(tasks)) // 2)
    return first, akin, float(ari), len(tasks)


def write(rows: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Writes the table."""
    heads = (
        "| panel | estimator | seconds | seeds agree, Pearson | sisters: right sign · lowest · "
        "interval above 0 · among the first two | twins: first · they or a sister first · ARI "
        "(number) |"
    )
    table = [heads, "|---|---|---:|---:|---|---|"]
    order = itertools.product(SISTERS, NAMED)
    content = [rows[place] for place in order if place in rows]
    for entry in content:
        text = {k: "–" if v is None else f"{v:.2f}" for k, v in entry.items() if k not in NAMES}
        table.append(
            f"| {entry['panel']} | {entry['estimator']} | {entry['seconds']:.1f} | "
            f"{text['seeds']} | {text['sign']} · {text['lowest']} · {text['surely']} · "
            f"{text['among_two']} | {text['twins_first']} · {text.get('kin_first', '–')} · "
            f"{text['twins_ari']} "
            f"({entry['twins']}) |"
        )
    note = (
        f"{' or '.join(sorted({str(entry.get('n_seeds', 3)) for entry in content}))} seeds; a "
        "directed matrix is averaged with its transpose; seconds beside other work."
    )
    write_results("affinity_truths", {"rows": content}, "\n".join(table), note)


NAMES = ("panel", "estimator", "twins", "n_seeds")

if __name__ == "__main__":
    main()
