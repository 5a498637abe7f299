"""The estimator that measures what company brings, with cheap networks on frozen inputs."""

import itertools
import logging
from collections.abc import Sequence

import numpy as np
from scipy.stats import t as student_t

from admet.config import TaskAffinityConfig
from admet.errors import ConfigError
from admet.model.chemprop.task_affinity.estimators.estimate import (
    AffinityEstimate,
    Doubt,
    PlanForm,
)
from admet.model.chemprop.task_affinity.problems import AffinityProblem
from admet.model.frozen.instrument import N_FOLDS, Errors, Instrument, TaskSet

log = logging.getLogger(__name__)

_ALL_PAIRS = 12  # tasks up to which every pair is measured
_SETS_PER_TASK = 4  # larger sets beside them
_SETS_WITHOUT_PAIRS = 12  # sets per task where there are too many pairs
_RIDGES = np.geomspace(1e-3, 1e3, 25)


class MeasuredAffinity:
    """Measures by how much the error of each task falls in the company of each other one.

    Small networks on frozen inputs are trained on sets of tasks: each alone, every pair (of up to
    12 tasks), and random larger sets. Each set is tested out of fold. The gain of a target in a set
    is the fall of its error, relative to its error alone. Ridge regression of the gains on who was
    there gives each source's share, as in Li et al., *Identification of Negative Transfers in
    Multitask Learning Using Surrogate Models*, TMLR 2023. The matrix is directed: [i, j] is what
    source i brings target j. It is divided by its largest entry; the log says what 1 stands for.

    The doubt is that of the folds and seeds: each fold of each seed is left out (the delete-a-group
    jackknife).
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol."""
        instrument = instrument_of(problem, config)
        n_tasks = len(problem.kinds)
        alone = [(task,) for task in range(n_tasks)]
        sets = _sets(n_tasks, config.seed)
        errors = instrument.errors([*alone, *sets])
        n_blocks = len(errors.counts)
        gains = _shares(errors, sets, np.ones(n_blocks, bool))
        left_out = np.stack(
            [_shares(errors, sets, np.arange(n_blocks) != block) for block in range(n_blocks)]
        )
        off = ~np.eye(n_tasks, dtype=bool)
        unit = float(np.nanmax(np.abs(gains[off]))) if n_tasks > 1 else 1.0
        unit = unit if unit > 0 else 1.0
        log.info("%d sets of tasks measured; an affinity of 1 is a fall of the error by %.2g %%",
                 len(sets), 100 * unit)  # fmt: skip
        matrix = np.where(off, gains / unit, 1.0)
        components = (left_out - left_out.mean(axis=0)) * np.sqrt((n_blocks - 1) / n_blocks) / unit
        components = np.where(off, components, 0.0)
        variance = (components**2).sum(axis=0)
        half = student_t.ppf(0.975, n_blocks - 1) * np.sqrt(variance)
        signal = np.where(off, matrix**2, 0).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            reliability = np.clip(1 - variance.sum(axis=0) / signal, 0.0, 1.0)
        doubt = Doubt(
            np.clip(matrix - half, -1.0, 1.0),
            np.clip(matrix + half, -1.0, 1.0),
            reliability,
            components,
            n_blocks,
            least=0.0,  # labels are not what a small gain lacks
        )
        steps = np.full((n_tasks, n_tasks), len(sets))
        meter = InstrumentMeter(instrument.divided(config.seed + 1))
        return AffinityEstimate(matrix, steps, len(sets), problem.n_common(), doubt, meter)


class InstrumentMeter:
    """Measures plans with small networks on frozen inputs."""

    test_share = 1 / N_FOLDS

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument

    def relative_errors(self, plan: Sequence[TaskSet], form: PlanForm = "networks") -> np.ndarray:
        """Measures a plan out of fold; see `PlanMeter`."""
        n_tasks = len(self.instrument.panel.tasks)
        alone = [(task,) for task in range(n_tasks)]
        trained = [] if form == "heads" else plan
        errors = self.instrument.errors([*trained, *alone])
        # Of all blocks together: a fold with few labels would divide by what it measured badly.
        pooled = np.array([errors.of(own)[own[0]] for own in alone])  # (T,)
        if form == "heads":
            reached = self.instrument.heads(plan)
        elif form == "partners":
            reached = np.column_stack([errors.of_plan([own])[:, t] for t, own in enumerate(plan)])
        else:
            reached = errors.of_plan(plan)  # (B, T)
        with np.errstate(invalid="ignore", divide="ignore"):
            relative = reached / pooled
        return np.asarray(np.nanmean(relative, axis=1))


def instrument_of(problem: AffinityProblem, config: TaskAffinityConfig) -> Instrument:
    """Makes the instrument of a problem, of two trainings of each network on each fold.

    Raises:
        ConfigError: If it is no panel of molecules, or a package that computes an input is missing.
    """
    panel = problem.panel
    if panel is None:
        raise ConfigError(
            "`estimator` measured reads molecules; a loader of any network has none. Take residual."
        )
    from admet.model.inputs import vectors  # noqa: PLC0415 - slow, seldom

    inputs = vectors(config.inputs, panel.smiles, problem.cache)
    return Instrument.of(inputs, panel, config.seed, seeds=2)


def _sets(n_tasks: int, seed: int) -> list[TaskSet]:
    """Lists the sets of two tasks and more that are measured."""
    rng = np.random.default_rng(seed)
    found: dict[TaskSet, None] = {}
    if n_tasks <= _ALL_PAIRS:
        found = dict.fromkeys(itertools.combinations(range(n_tasks), 2))
    wanted = len(found) + n_tasks * (_SETS_PER_TASK if found else _SETS_WITHOUT_PAIRS)
    most = min(wanted, 2**n_tasks - n_tasks - 1)
    largest = n_tasks if n_tasks <= _ALL_PAIRS else max(2, n_tasks // 2)
    for _ in range(50 * wanted):
        if len(found) >= most:
            break
        size = int(rng.integers(2, largest + 1))
        found[tuple(sorted(rng.permutation(n_tasks)[:size].tolist()))] = None
    if n_tasks > 1:
        found[tuple(range(n_tasks))] = None
    return list(found)


def _shares(errors: Errors, sets: Sequence[TaskSet], kept: np.ndarray) -> np.ndarray:
    """Gives each source's share in the gains of each target, shape (T, T), 0 on the diagonal."""
    n_tasks = errors.counts.shape[1]
    if not sets:  # one task has no company
        return np.zeros((n_tasks, n_tasks))
    member = np.array([[task in own for task in range(n_tasks)] for own in sets], dtype=float)
    reached = np.stack([errors.of(own, kept) for own in sets])  # (S, T)
    found = np.zeros((n_tasks, n_tasks))
    for target in range(n_tasks):
        with np.errstate(invalid="ignore", divide="ignore"):
            gains = 1 - reached[:, target] / errors.of((target,), kept)[target]
        told = np.isfinite(gains) & (member[:, target] > 0)
        if told.any():
            others = np.delete(np.arange(n_tasks), target)
            found[others, target] = _ridge(member[told][:, others], gains[told])
    return found


def _ridge(A: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Regresses without intercept; the penalty has the least error of one left out.

    Args:
        A: Shape (S, p).
        y: Shape (S,).

    Returns:
        Shape (p,).
    """
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    projected = U.T @ y
    best = (np.inf, _RIDGES[-1])
    for penalty in _RIDGES:
        shrink = s**2 / (s**2 + penalty)
        left = 1 - np.einsum("ij,j,ij->i", U, shrink, U)
        wrong = float(np.mean(((y - U @ (shrink * projected)) / np.maximum(left, 1e-9)) ** 2))
        best = min(best, (wrong, float(penalty)))
    return np.asarray(Vt.T @ (s / (s**2 + best[1]) * projected))
