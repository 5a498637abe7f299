"""How well affinities and what a sceptic would try first predict the measured gains.

Reads what `measure.py` measured. Every estimator sees the training molecules only, of each seed or
fold; its groups are compared with all partitions whose every group was trained.

Usage: python benchmarks/transfer/score.py demo|demo_sparse|path/to/<panel>.csv [seeds [heads]]
Writes benchmarks/results/transfer_<panel>.json and .md. With `heads` the pairs are those of
<panel>_heads.csv, which have a head per task on one encoder; what they gain is compared with what
they gain with one head, and transfer_<panel>_heads.json and .md hold it.
"""

import itertools
import logging
import sys
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from scipy.stats import spearmanr

sys.path.insert(0, str(Path(__file__).parents[1]))

from measure import FOLDER, epochs_of, load, train_network

from admet.config import TaskAffinityConfig
from admet.data import Panel, Split
from admet.featurize import PackedGraphs, featurize
from admet.featurize.cache import cache_folder, cached_graphs
from admet.model.chemprop.task_affinity import TaskAffinityComputer, get_task_group_indices
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.groups import group_tasks, transfer_scores
from report import write_results
from study_panels import PANELS
from tried_affinities import COMPARED
from tried_affinities import ESTIMATORS as PRODUCT

Errors = dict[tuple[tuple[int, ...], int, int], float]
ESTIMATORS = {
    **{name: keys for name, keys in PRODUCT.items() if name != "residual, 16 runs"},
    "gradient": {"estimator": "gradient"},
    "lookahead": {"estimator": "lookahead"},
}


def read_errors(path: Path, names: list[str]) -> Errors:
    """Reads the error of each set, seed and task: MAE, of a binary task the squared error."""
    frame = pd.read_csv(path)
    return {
        (tuple(map(int, row.set.split("+"))), row.seed, names.index(row.task)): row.mae
        for row in frame.itertuples()
    }


def gain(errors: Errors, tasks: tuple[int, ...], task: int, seed: int) -> float:
    """Gives 1 − error in the set / error alone; NaN where one of them was not measured."""
    alone = errors.get(((task,), seed, task), np.nan)
    return 1 - errors.get((tasks, seed, task), np.nan) / alone


def pair_gains(errors: Errors, n_tasks: int, seed: int) -> np.ndarray:
    """Gives what each target gains from each source, shape (T, T), NaN on the diagonal."""
    gains = np.full((n_tasks, n_tasks), np.nan)
    for i, j in itertools.permutations(range(n_tasks), 2):
        gains[i, j] = gain(errors, (min(i, j), max(i, j)), j, seed)
    return gains


def within_target(scores: np.ndarray, gains: np.ndarray) -> float:
    """Gives the mean over targets of the Spearman correlation over sources."""
    found = []
    for target in range(len(gains)):
        sources = [i for i in range(len(gains)) if i != target]
        rho = spearmanr(scores[sources, target], gains[sources, target])[0]
        found.append(0.0 if np.isnan(rho) else float(rho))  # equal scores tell nothing
    return float(np.mean(found))


def over_pairs(scores: np.ndarray, gains: np.ndarray, counted: np.ndarray) -> float:
    """Gives the Pearson correlation over the pairs of a source and a target that count."""
    return float(np.nan_to_num(np.corrcoef(scores[counted], gains[counted])[0, 1]))


def partitions(items: list[int], n_groups: int) -> Iterator[list[tuple[int, ...]]]:
    """Lists the partitions into so many groups."""
    if n_groups == 1 and items:
        yield [tuple(items)]
    if n_groups <= 1 or len(items) < n_groups:
        return
    first, rest = items[0], items[1:]
    for partition in partitions(rest, n_groups - 1):
        yield [(first,), *partition]
    for partition in partitions(rest, n_groups):
        for k, group in enumerate(partition):
            yield [*partition[:k], (first, *group), *partition[k + 1 :]]


def partition_gain(errors: Errors, partition: list[tuple[int, ...]], seeds: list[int]) -> float:
    """Gives the mean gain over tasks and seeds; NaN where a group was not trained."""
    found = [
        gain(errors, tuple(sorted(group)), task, seed)
        for seed in seeds
        for group in partition
        for task in group
    ]
    return float(np.mean(found))


def label_correlation(labels: np.ndarray) -> np.ndarray:
    """Gives |Spearman| of the labels on co-measured molecules, 0 where there are too few."""
    n_tasks = labels.shape[1]
    found = np.zeros((n_tasks, n_tasks))
    for i, j in itertools.permutations(range(n_tasks), 2):
        known = ~np.isnan(labels[:, i]) & ~np.isnan(labels[:, j])
        if known.sum() > 2:
            found[i, j] = abs(np.nan_to_num(spearmanr(labels[known, i], labels[known, j])[0]))
    return found


def prediction_correlation(
    panel: Panel, graphs: PackedGraphs, split: Split, epochs: int
) -> np.ndarray:
    """Trains each task alone (seed 0); |Pearson| of their predictions over all molecules."""
    everything = np.arange(len(panel))
    singles = joblib.Parallel(n_jobs=-1)(
        joblib.delayed(train_network)(panel, graphs, split, (task,), 0, everything, epochs)
        for task in range(len(panel.tasks))
    )
    return np.abs(np.corrcoef(np.column_stack(singles).T))


def affinities(panel: Panel, splits: list[Split]) -> dict[str, list[AffinityEstimate]]:
    """Measures the affinity with every estimator and seed, on the training molecules."""
    sides = [panel.subset(split.train) for split in splits]
    return {
        name: [
            TaskAffinityComputer(
                TaskAffinityConfig(seed=seed, log_affinity_matrix=False, **keys),
                cache=cache_folder(),
            ).compute(side, cached_graphs(side.smiles, cache_folder()))
            for seed, side in enumerate(sides)
        ]
        for name, keys in ESTIMATORS.items()
    }


def tried(panel: Panel, splits: list[Split], short: str) -> dict[str, list[np.ndarray]]:
    """Measures what is no estimator of the product, likewise."""
    given = (own.inputs for name, own in PANELS.items() if name.startswith(short))
    inputs = next(given, ("minimol", "rdkit"))
    sides = [panel.subset(split.train) for split in splits]
    return {
        name: [
            make(inputs)(side, cached_graphs(side.smiles, cache_folder()), seed).matrix
            for seed, side in enumerate(sides)
        ]
        for name, make in COMPARED.items()
        if name != "correlation of labels"  # by rank, below
    }


def trained_gains(errors: Errors, seeds: list[int], n_tasks: int) -> dict[int, dict[str, float]]:
    """Gives, for each number of groups, the gain of each partition whose groups were trained.

    A set counts as trained where every seed of it was.
    """
    done: dict[tuple[int, ...], set[int]] = defaultdict(set)
    for tasks, seed, _ in errors:
        done[tasks].add(seed)
    trained = {tasks for tasks, own in done.items() if set(seeds) <= own}
    return {
        n_groups: {
            str(partition): partition_gain(errors, partition, seeds)
            for partition in partitions(list(range(n_tasks)), n_groups)
            if all(tuple(sorted(group)) in trained for group in partition)
        }
        for n_groups in range(1, n_tasks + 1)
    }


def chosen_share(
    errors: Errors, seeds: list[int], groups: list[list[int]], known: dict[int, dict[str, float]]
) -> tuple[float, float, float, float, int]:
    """Compares groups with all others of the same number.

    Returns:
        Their gain, that of the mean partition and of the best, (gain − mean) / (best − mean), and
        the number of partitions that could be compared.
    """
    others = np.array(list(known[len(groups)].values()))
    if not len(others):
        return np.nan, np.nan, np.nan, np.nan, 0
    own = partition_gain(errors, [tuple(group) for group in groups], seeds)
    mean, best = float(others.mean()), float(others.max())
    share = (own - mean) / (best - mean) if best > mean else np.nan
    return own, mean, best, share, len(others)


def write_heads(
    short: str,
    lines: list[str],
    truth: np.ndarray,
    everything: float,
    one_head: Errors,
    seeds: list[int],
    over_all: dict[str, float],
    over_sure: dict[str, float],
) -> None:
    """Writes what pairs gain with a head per task, beside what they gain with one head."""
    n_tasks = len(truth)
    off = ~np.eye(n_tasks, dtype=bool)
    other = np.mean([pair_gains(one_head, n_tasks, seed) for seed in seeds], axis=0)
    together = partition_gain(one_head, [tuple(range(n_tasks))], seeds)
    same = over_pairs(truth, other, off)
    lines += [
        "",
        (
            f"Mean gain of a pair: {truth[off].mean():+.3f} with a head per task, "
            f"{other[off].mean():+.3f} with one head; correlation of the two {same:.2f}. All tasks "
            f"on one encoder: {everything:+.3f} with a head per task, {together:+.3f} with one."
        ),
    ]
    content = {
        "gains": truth.tolist(), "gains_of_one_head": other.tolist(), "correlation": same,
        "all_together": [everything, together], "over_pairs": over_all,
        "over_pairs_beyond_noise": over_sure,
    }  # fmt: skip
    note = (
        f"{short} panel as in transfer_{short}.md, but in every pair each task has a head of its "
        "own on the shared encoder; gain: 1 − error together / error alone."
    )
    print("\n".join(lines))
    write_results(f"transfer_{short}_heads", content, "\n".join(lines), note)


def main() -> None:
    """Scores, prints and writes the tables."""
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    n_seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    panel, splits, short = load(sys.argv[1], n_seeds)
    split = splits[0]
    names, n_tasks = panel.task_names, len(panel.tasks)
    errors = read_errors(FOLDER / f"{short}.csv", names)
    one_head = errors
    heads = sys.argv[3:] == ["heads"]
    if heads:
        alone = {key: value for key, value in errors.items() if len(key[0]) == 1}
        errors = alone | read_errors(FOLDER / f"{short}_heads.csv", names)
    seeds = sorted({seed for _, seed, _ in errors})
    gains = [pair_gains(errors, n_tasks, seed) for seed in seeds]
    complete = [
        k for k, g in enumerate(gains) if not np.isnan(g[~np.eye(n_tasks, dtype=bool)]).any()
    ]
    seeds, gains = [seeds[k] for k in complete], [gains[k] for k in complete]
    truth = np.mean(gains, axis=0)
    noise = np.std(gains, axis=0, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0 * truth
    off = ~np.eye(n_tasks, dtype=bool)
    sure_pairs = off & (np.abs(truth) > 2 * np.nan_to_num(noise))
    pairs = list(itertools.combinations(gains, 2))
    single = float(np.mean([within_target(a, b) for a, b in pairs])) if pairs else np.nan
    reliability = len(seeds) * single / (1 + (len(seeds) - 1) * single)

    train = panel.subset(split.train)
    graphs = featurize(panel.smiles)
    n_labels = train.labels.present.sum(axis=0)
    measured = affinities(panel, splits)
    rng = np.random.default_rng(0)
    scores: dict[str, list[np.ndarray]] = {}
    for name, estimates in measured.items():
        matrices = [estimate.matrix for estimate in estimates]
        scores[name] = matrices
        scores[f"{name}, transfer"] = [
            transfer_scores(estimate.strength, n_labels) for estimate in estimates
        ]
    for name, matrices in tried(panel, splits, short).items():
        scores[name] = matrices
        scores[f"{name}, transfer"] = [
            transfer_scores(
                np.abs(matrix) if "functions" in name or "heads" in name else matrix, n_labels
            )
            for matrix in matrices
        ]
    scores["label correlation"] = [label_correlation(train.labels.values)]
    scores["correlation of single-task predictions"] = [
        prediction_correlation(panel, graphs, split, epochs_of(short))
    ]
    scores["numbers of labels, as in transfer"] = [
        transfer_scores(np.ones((n_tasks, n_tasks)), n_labels)
    ]
    scores["number of the source's labels"] = [np.repeat(n_labels[:, None], n_tasks, axis=1)]
    scores["random"] = [rng.standard_normal((n_tasks, n_tasks)) for _ in range(1000)]
    within = {
        name: [within_target(m, truth) for m in matrices] for name, matrices in scores.items()
    }
    over_all, over_sure = (
        {
            name: float(np.mean([over_pairs(m, truth, counted) for m in matrices]))
            for name, matrices in scores.items()
        }
        for counted in (off, sure_pairs)
    )
    lines = [
        (
            "| predictor | within-target Spearman | lowest and highest seed | Pearson, all pairs | "
            "pairs beyond noise |"
        ),
        "|---|---|---|---|---|",
    ]
    for name, values in within.items():
        span = f"{min(values):.2f} … {max(values):.2f}" if 1 < len(values) < 100 else ""
        lines.append(
            f"| {name} | {np.mean(values):.2f} | {span} | {over_all[name]:.2f} | "
            f"{over_sure[name]:.2f} |"
        )
    sure = f"Reliability of the gains themselves, {len(seeds)} seeds: {reliability:.2f}"
    lines += [
        "",
        (
            f"{sure} (one seed against another: {single:.2f}). Beyond noise are "
            f"{sure_pairs.sum()} of {off.sum()} pairs: gain more than twice its standard error."
        ),
        "",
        "| groups | number | gain | random | best | share of the way | partitions |",
        "|---|---|---|---|---|---|---|",
    ]
    everything = partition_gain(errors, [tuple(range(n_tasks))], seeds)
    if heads:
        write_heads(short, lines[:-3], truth, everything, one_head, seeds, over_all, over_sure)
        return
    rows = []
    known = trained_gains(errors, seeds, n_tasks)
    for method in ("agglomerative", "transfer"):
        for number in [*range(2, min(n_tasks, 6)), "auto"]:
            for name in ("coregionalization", "residual", "measured", "aligned", "gradient"):
                found = []
                for seed, estimate in enumerate(measured[name]):
                    config = TaskAffinityConfig(
                        n_groups=number, clustering_method=method, seed=seed, **ESTIMATORS[name]
                    )
                    groups = group_tasks(estimate, names, config).groups
                    index = get_task_group_indices([group.tasks for group in groups], names)
                    found.append(chosen_share(errors, seeds, index, known))
                own, mean, top, share, count = np.nanmean(found, axis=0).tolist()
                rows.append(
                    {"estimator": name, "method": method, "n_groups": number, "gain": own,
                     "random": mean, "best": top, "share": share, "partitions": count}
                )  # fmt: skip
                line = f"{own:+.3f} | {mean:+.3f} | {top:+.3f} | {share:.2f} | {count:.0f} |"
                lines.append(
                    f"| {name}, {method} | {number} | {line}".replace("+nan", "–").replace(
                        "nan", "–"
                    )
                )
    best_partition, best = max(
        ((name, gain) for found in known.values() for name, gain in found.items()),
        key=lambda pair: pair[1],
    )
    lines += [
        "",
        (
            f"All tasks in one network gain {everything:+.3f}, the best of all partitions that "
            f"were trained {best:+.3f}: {best_partition}."
        ),
    ]
    content = {
        "tasks": names,
        "n_labels": n_labels.tolist(),
        "gains": truth.tolist(),
        "reliability": reliability,
        "reliability_of_one_seed": single,
        "over_pairs": over_all,
        "within_target": within | {"random": float(np.mean(within["random"]))},
        "groups": rows,
        "all_together": everything,
        "best": [best, best_partition],
        "over_pairs_beyond_noise": over_sure,
    }
    note = (
        f"{short} panel, {'fixed scaffold split' if split is splits[-1] else 'folds by cluster'}, "
        f"{epochs_of(short)} epochs in float32; gain: 1 − error together / error alone (MAE on the "
        f"test molecules), mean over the {'seeds' if split is splits[-1] else 'folds'} {seeds}; "
        f"affinities from the training molecules of {n_seeds}. A share is the mean over those of "
        "(gain − random) / (best − random) among all partitions into the same number of groups "
        "whose every group was trained. A dash: the groups were not trained."
    )
    print("\n".join(lines))
    write_results(f"transfer_{short}", content, "\n".join(lines), note)


if __name__ == "__main__":
    main()
