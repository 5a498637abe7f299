"""Affinities that were tried beside those of the product, each a function of a panel and a seed.

What each finds is in benchmarks/results/affinity_truths.md (sisters and twins) and
transfer_<panel>.md (measured gains).
"""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from admet.config import NetworkConfig, TaskAffinityConfig
from admet.config.frozen import FrozenMLPConfig, KernelConfig
from admet.data import Panel
from admet.data.scales import decided
from admet.featurize import PackedGraphs
from admet.featurize.cache import cache_folder
from admet.model.chemprop import GroupedNetwork
from admet.model.chemprop.graph_batch import GraphBatch
from admet.model.chemprop.plan import NetworkPlan
from admet.model.chemprop.task_affinity import TaskAffinityComputer
from admet.model.chemprop.task_affinity.estimators.proxy import looks
from admet.model.chemprop.task_affinity.problems import MoleculeProblem
from admet.model.frozen.fit_mlp import FittedMLP, MLPJob, fit_mlps
from admet.model.frozen.kernel import fit_kernel
from admet.model.inputs import vectors

ESTIMATORS: dict[str, dict[str, Any]] = {
    "coregionalization": {"estimator": "coregionalization"},
    "residual": {"estimator": "residual"},
    "residual, 16 runs": {"estimator": "residual", "affinity_runs": 16},
    "aligned": {"estimator": "aligned", "affinity_runs": 4},
    "measured": {"estimator": "measured"},
}
"""Estimators of the product, by the keys of `task_affinity`."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The affinity of a panel by one estimator and seed."""

    matrix: np.ndarray
    low: np.ndarray | None
    seconds: float


Measure = Callable[[Panel, PackedGraphs, int], Measured]
"""A panel, its graphs and a seed → its affinity."""


def computed(keys: dict[str, Any], inputs: tuple[str, ...]) -> Measure:
    """Gives what measures with an estimator of the product."""
    given = {"inputs": inputs} if keys.get("estimator") == "measured" else {}

    def measure(panel: Panel, graphs: PackedGraphs, seed: int) -> Measured:
        config = TaskAffinityConfig(**keys, **given, seed=seed, log_affinity_matrix=False)
        start = time.perf_counter()
        estimate = TaskAffinityComputer(config, cache=cache_folder()).compute(panel, graphs)
        low = None if estimate.doubt is None else estimate.doubt.low
        return Measured(estimate.matrix, low, time.perf_counter() - start)

    return measure


def timed(function: Callable[[Panel, PackedGraphs, int], np.ndarray]) -> Measure:
    """Gives what measures with a function that gives a matrix."""

    def measure(panel: Panel, graphs: PackedGraphs, seed: int) -> Measured:
        start = time.perf_counter()
        return Measured(function(panel, graphs, seed), None, time.perf_counter() - start)

    return measure


def by_labels(_: tuple[str, ...]) -> Measure:
    """Gives what correlates labels on shared molecules; 0 where two tasks have less than ten."""

    def correlate(panel: Panel, _: PackedGraphs, __: int) -> np.ndarray:
        values = panel.labels.values
        matrix = np.eye(values.shape[1])
        for i, j in itertools.combinations(range(len(matrix)), 2):
            both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
            if both.sum() >= 10:
                matrix[i, j] = matrix[j, i] = np.nan_to_num(
                    np.corrcoef(values[both, i], values[both, j])[0, 1]
                )
        return matrix

    return timed(correlate)


def by_functions(inputs: tuple[str, ...]) -> Measure:
    """Gives what correlates the functions that Gaussian processes learn of each task alone.

    Two tasks need no molecule in common: their predictions of all molecules are compared.
    """

    def correlate(panel: Panel, _: PackedGraphs, seed: int) -> np.ndarray:
        X, rows = vectors(inputs, panel.smiles, cache_folder()), np.arange(len(panel))
        fitted = fit_kernel(X, decided(panel, rows), rows, KernelConfig(), seed)
        return np.asarray(np.corrcoef(fitted.predict(X)[0].T))

    return timed(correlate)


def in_the_mean(inputs: tuple[str, ...]) -> Measure:
    """Gives what takes the mean of the correlation of functions and of the default affinity."""
    first, second = by_functions(inputs), computed(ESTIMATORS["coregionalization"], inputs)

    def mean(panel: Panel, graphs: PackedGraphs, seed: int) -> np.ndarray:
        both = np.stack([own(panel, graphs, seed).matrix for own in (first, second)])
        return np.asarray(both.mean(axis=0))

    return timed(mean)


def with_gradients(change: Callable[[Tensor], Tensor], *, residual: bool = False) -> Measure:
    """Gives what compares encoder gradients in another way than the product does.

    The looks are those of `aligned` (four runs), or of `residual`.

    Args:
        change: Turns gradients of m tasks, shape (m, FOLDS, n_parameters), to inner products of
            tasks, shape (m, m).
        residual: Whether gradients are those of what a head leaves unexplained.
    """

    def compare(panel: Panel, graphs: PackedGraphs, seed: int) -> np.ndarray:
        keys = ESTIMATORS["residual" if residual else "aligned"]
        config = TaskAffinityConfig(**keys, seed=seed)
        torch.manual_seed(seed)
        problem = MoleculeProblem.of(panel, graphs, NetworkConfig(), torch.device("cpu"))
        total, place = np.zeros((len(panel.tasks),) * 2), np.arange(0)
        for look in looks(problem, config):
            patterns, place = config.encoder_param_patterns, np.array(look.examples.tasks)
            if residual:
                G = look.examples.look_at_residuals(look.network, patterns, None)[0].unsqueeze(1)
            else:
                G = look.examples.look(look.network, patterns)
            total[np.ix_(place, place)] += correlation(change(G.double())).numpy()
        total /= max(float(total.max()), 1.0)
        np.fill_diagonal(total, 1)
        return total

    return timed(compare)


def without_leading(G: Tensor) -> Tensor:
    """Removes from all tasks' gradients the direction that most of them share."""
    unit = torch.nn.functional.normalize(G.sum(dim=1), dim=1)  # (m, n_parameters)
    values, Q = torch.linalg.eigh(unit @ unit.T)
    rest: Tensor = (Q[:, :-1] * values[:-1]) @ Q[:, :-1].T
    return rest


def preconditioned(G: Tensor) -> Tensor:
    """Takes inner products of natural gradients, by the empirical Fisher matrix.

    Its sum is over the gradients of each task's folds, of length one; λ is a tenth of their mean
    square. ⟨g_i, (F + λ)⁻¹ g_j⟩ needs inner products alone (Woodbury).
    """
    m, n_folds = G.shape[:2]
    parts = torch.nn.functional.normalize(G, dim=2).flatten(0, 1)  # (m · FOLDS, n_parameters)
    K = parts @ parts.T / len(parts)
    penalty = 0.1 * K.diagonal().mean()
    inside = torch.eye(len(K), dtype=K.dtype) - torch.linalg.solve(
        K + penalty * torch.eye(len(K), dtype=K.dtype), K
    )
    whitened = (K @ inside / penalty).view(m, n_folds, m, n_folds)
    products: Tensor = whitened.sum(dim=(1, 3))
    return products


def correlation(products: Tensor) -> Tensor:
    """Turns inner products, shape (m, m), to cosines."""
    root = products.diagonal().clamp(min=1e-30).sqrt()
    return products / torch.outer(root, root)


def by_whitened_heads(_: tuple[str, ...]) -> Measure:
    """Gives what compares linear heads on whitened embeddings of networks of the looks.

    With whitened embeddings the best head of a task without penalty is the mean of its labels
    times the embeddings. The penalty is that all directions have a tenth of the mean variance more.
    """

    def compare(panel: Panel, graphs: PackedGraphs, seed: int) -> np.ndarray:
        config = TaskAffinityConfig(estimator="aligned", affinity_runs=4, seed=seed)
        torch.manual_seed(seed)
        problem = MoleculeProblem.of(panel, graphs, NetworkConfig(), torch.device("cpu"))
        y = torch.from_numpy(np.nan_to_num(problem.expected))
        known = torch.from_numpy(np.isfinite(problem.expected)).double()
        total = np.zeros((len(panel.tasks),) * 2)
        for look in looks(problem, config):
            Z = embeddings(cast(GroupedNetwork, look.network), graphs).double()
            Z = Z - Z.mean(dim=0)
            values, Q = torch.linalg.eigh(Z.T @ Z / len(Z))
            white = Z @ Q / (values + 0.1 * values.mean()).sqrt()
            n = known.sum(dim=0).clamp(min=1)
            centred = known * (y - (known * y).sum(dim=0) / n)
            heads = centred.T @ white / n.unsqueeze(1)  # (T, d)
            total += correlation(heads @ heads.T).numpy()
        return np.asarray(total / total.max())

    return timed(compare)


def embeddings(network: GroupedNetwork, graphs: PackedGraphs) -> Tensor:
    """Gives the embeddings of all molecules, shape (n, d_h), without dropout."""
    network.eval()
    batcher = network.batcher(graphs, training=False)
    with torch.inference_mode():
        parts = np.array_split(np.arange(len(graphs)), max(1, len(graphs) // 500))
        return torch.cat([network.encoder(GraphBatch.of(batcher.batch(rows))) for rows in parts])


WIDTH, SUBSETS, PARTS = 400, 300, 3
PENALTIES = np.logspace(-4, 1, 6)


def by_linearised_sets(inputs: tuple[str, ...]) -> Measure:
    """Gives what a linearised network says of random sets of tasks (Grad-TAG).

    A network on frozen inputs learns all tasks from two thirds of the molecules. Around its weights
    it is linear: each task is a ridge regression of what is left of its labels on the gradients of
    its output by the shared weights, of which 400 random combinations are kept. So any set of tasks
    is "trained" by one linear system. For 300 random sets of half of the tasks the error of each of
    them on the other third is taken; what task j does for i is how much smaller it is in sets
    that hold both than in those that hold i.

    Source: Li, Sharma and Zhang, KDD 2024, "Scalable multitask learning using gradient-based
    estimation of task affinity".
    """

    def measure(panel: Panel, _: PackedGraphs, seed: int) -> np.ndarray:
        X, rows = vectors(inputs, panel.smiles, cache_folder()), np.arange(len(panel))
        panel = decided(panel, rows)
        rng = np.random.default_rng(seed)
        part = rng.permutation(rows) % PARTS
        plan = NetworkPlan.together(panel.task_names)
        jobs = [MLPJob(plan, rows[part != fold], seed) for fold in range(PARTS)]
        fitted = fit_mlps(X, panel, jobs, FrozenMLPConfig())
        n_tasks = len(panel.tasks)
        size = max(2, n_tasks // 2)
        sets = [rng.choice(n_tasks, size, replace=False) for _ in range(SUBSETS)]
        errors = np.full((PARTS, SUBSETS, n_tasks), np.nan)
        for fold, network in enumerate(fitted):
            systems, tests = linearised(network, panel, X, part != fold, seed)
            A = np.stack([system[0] for system in systems])
            b = np.stack([system[1] for system in systems])
            everything = [error(tests, solved(A, b, range(n_tasks), p)) for p in PENALTIES]
            best = PENALTIES[int(np.argmin(np.nanmean(everything, axis=1)))]
            for index, chosen in enumerate(sets):
                found = error(tests, solved(A, b, chosen, best))
                errors[fold, index, chosen] = found[chosen]
        return helped(np.nanmean(errors, axis=0), sets)

    return timed(measure)


def linearised(
    network: FittedMLP, panel: Panel, X: np.ndarray, train: np.ndarray, seed: int
) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[tuple[np.ndarray, np.ndarray]]]:
    """Gives each task's linear system on its training molecules, and features of the others."""
    W1, b1, W2, b2, W3, b3 = (torch.from_numpy(array[0]) for array in network.weights)
    scaled = torch.from_numpy(network.inputs.scale_inputs(X))
    y = network.targets.scale_labels(panel.labels.values)
    draw = torch.Generator().manual_seed(seed)
    silu = torch.nn.functional.silu
    a1 = scaled @ W1 + b1
    h1 = silu(a1)
    a2 = h1 @ W2 + b2
    outputs = (silu(a2) @ W3 + b3).double().numpy()
    binary = [kind.name == "binary" for kind in panel.kinds]
    sketches = [(sketch(given.shape[1], draw), sketch(W1.shape[1], draw)) for given in (scaled, h1)]
    systems, tests = [], []
    for task in range(len(panel.tasks)):
        known = np.isfinite(y[:, task])
        delta2 = W3[:, task] * slope(a2)
        delta1 = delta2 @ W2.T * slope(a1)
        products = [
            (given @ left) * (delta @ right)
            for (left, right), given, delta in zip(
                sketches, (scaled, h1), (delta1, delta2), strict=True
            )
        ]
        features = torch.stack(products).sum(dim=0).double().numpy() / np.sqrt(WIDTH)
        told = expit(outputs[:, task]) if binary[task] else outputs[:, task]
        rest = np.where(known, y[:, task], 0) - told
        own, other = known & train, known & ~train
        Phi, n = features[own], max(int(own.sum()), 1)
        systems.append((Phi.T @ Phi / n, Phi.T @ rest[own] / n))
        tests.append((features[other], rest[other]))
    return systems, tests


def sketch(d: int, draw: torch.Generator) -> Tensor:
    """Draws random signs, shape (d, WIDTH)."""
    return (torch.rand(d, WIDTH, generator=draw) < 0.5).float() * 2 - 1


def slope(a: Tensor) -> Tensor:
    """Differentiates SiLU."""
    s = torch.sigmoid(a)
    return s * (1 + a * (1 - s))


def solved(A: np.ndarray, b: np.ndarray, chosen: Any, penalty: float) -> np.ndarray:
    """Gives the step of a set of tasks, each of which counts the same."""
    mean = A[list(chosen)].mean(axis=0)
    ridge = penalty * np.trace(A.mean(axis=0)) / len(mean)
    return np.linalg.solve(mean + ridge * np.eye(len(mean)), b[list(chosen)].mean(axis=0))


def error(tests: list[tuple[np.ndarray, np.ndarray]], step: np.ndarray) -> np.ndarray:
    """Gives each task's squared error after a step, relative to that before it."""
    return np.array(
        [
            np.mean((rest - Phi @ step) ** 2) / np.mean(rest**2) if len(rest) else np.nan
            for Phi, rest in tests
        ]
    )


def helped(errors: np.ndarray, sets: list[np.ndarray]) -> np.ndarray:
    """Turns errors in sets, shape (S, T), to what each task (row) does for each other (column)."""
    n_tasks = errors.shape[1]
    held = np.zeros((len(sets), n_tasks), dtype=bool)
    for row, chosen in zip(held, sets, strict=True):
        row[chosen] = True
    matrix = np.zeros((n_tasks, n_tasks))
    for i, j in itertools.permutations(range(n_tasks), 2):
        both = held[:, i] & held[:, j]
        without = held[:, i] & ~held[:, j]
        if both.any() and without.any():
            matrix[j, i] = np.nanmean(errors[without, i]) - np.nanmean(errors[both, i])
    largest = np.abs(matrix).max()
    matrix /= largest if largest > 0 else 1
    np.fill_diagonal(matrix, 1)
    return matrix


COMPARED: dict[str, Callable[[tuple[str, ...]], Measure]] = {
    "correlation of labels": by_labels,
    "correlation of functions": by_functions,
    "mean of functions and coregionalization": in_the_mean,
    "aligned, natural gradient": lambda _: with_gradients(preconditioned),
    "aligned, without the leading direction": lambda _: with_gradients(without_leading),
    "residual, without the leading direction": lambda _: with_gradients(
        without_leading, residual=True
    ),
    "heads on whitened embeddings": by_whitened_heads,
    "linearised sets": by_linearised_sets,
}
"""What is no estimator of the product: frozen inputs → how it is measured."""
READ_INPUTS = (
    "correlation of functions",
    "mean of functions and coregionalization",
    "linearised sets",
)
"""Those that learn from frozen inputs."""
