"""The estimator that asks whether similar molecules behave alike in both tasks."""

import logging

import numpy as np
from scipy.stats import t as student_t

from admet.config import TaskAffinityConfig
from admet.errors import ConfigError, NoGradientStepsError
from admet.model.chemprop.task_affinity.estimators.estimate import AffinityEstimate, Doubt
from admet.model.chemprop.task_affinity.estimators.pair_sums import PARTS, PairSums, pair_sums
from admet.model.chemprop.task_affinity.estimators.sums import NO_STEPS
from admet.model.chemprop.task_affinity.problems import AffinityProblem, MoleculeProblem
from admet.model.chemprop.task_affinity.problems.base import count_common

log = logging.getLogger(__name__)

_FEWEST = 6  # labels of a task: of fewer, parts left out cannot tell how much is chance
_UNKNOWN = (
    f"A task has fewer than {_FEWEST} labels there, only equal ones, or so few that nothing is "
    "known of how similar molecules behave in it. Add labels, or leave it out."
)
_MOST = 8_000  # molecules; the time grows with their square
_LEAST = 0.75  # reliability: the similarity of a task's own labels is two standard errors from 0


class CoregionalizationAffinity:
    """Correlates the structure–activity relationships of two tasks.

    If the labels of task a are a function of the structure plus noise, y_ai = f_a(x_i) + ε_ai, and
    the functions are drawn from Gaussian processes with cov(f_a(x), f_b(x')) = B_ab k(x, x') (the
    intrinsic coregionalization model: Bonilla, Chai and Williams, NeurIPS 2007), then the product
    y_ai y_bj of the labels of two *different* molecules has the mean B_ab k(x_i, x_j). So B_ab is
    the slope of these products on the similarities (Haseman and Elston, Behav. Genet. 1972, 2, 3;
    in genetics the ratio below is the genetic correlation of two traits). The affinity is
    B_ab / √(B_aa B_bb), from −1 to 1.

    No molecule need have both labels. Noise of the assays, and what one sample has in common in two
    assays, is in no product of two different molecules; so affinities do not shrink where labels
    are few, they get wide intervals. Nothing is trained. What is drawn at random are the parts of
    the molecules that are left out for the doubt (the delete-a-group jackknife), and, of more than
    8,000 molecules with labels, those that are compared.

    A limit counts as the mean of a standard normal distribution beyond it. The labels of a binary
    task are taken as numbers; how rare its hits are cancels out (Golan, Lander and Rosset, PNAS
    2014, 111, E5272).
    """

    def estimate(self, problem: AffinityProblem, config: TaskAffinityConfig) -> AffinityEstimate:
        """Measures it; see the protocol.

        Raises:
            ConfigError: If it is no panel of molecules.
            NoGradientStepsError: If there is no label.
        """
        if not isinstance(problem, MoleculeProblem) or problem.panel is None:
            raise ConfigError(
                "`estimator` coregionalization reads molecules; a loader of any network has none. "
                "Take residual."
            )
        y = _standardised(problem.expected)
        if not np.isfinite(y).any():
            raise NoGradientStepsError(NO_STEPS)
        rows = _chosen(np.isfinite(y), config.seed)
        from admet.model.inputs import vectors  # noqa: PLC0415 - slow, seldom

        counts = vectors(["morgan"], problem.panel.smiles[rows], problem.cache)
        whole, left_out = pair_sums(counts, y[rows], config.seed, problem.device)
        return _result(whole, left_out, count_common(np.isfinite(y)))


def _standardised(y: np.ndarray) -> np.ndarray:
    """Puts labels, shape (n, T), on a scale of mean 0 and variance 1; equal ones become absent."""
    known = np.isfinite(y)
    count = np.maximum(known.sum(axis=0), 1)
    centred = y - np.where(known, y, 0).sum(axis=0) / count
    spread = np.sqrt((np.where(known, centred, 0) ** 2).sum(axis=0) / count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.where(spread > 1e-9, centred / spread, np.nan))


def _chosen(present: np.ndarray, seed: int) -> np.ndarray:
    """Picks molecules with labels: all, or at most `_MOST`, so that small tasks keep their labels.

    Args:
        present: Whether there is a label, shape (n, T).
        seed: Seed of the order.

    Returns:
        The rows, increasing.
    """
    rows = np.flatnonzero(present.any(axis=1))
    if len(rows) <= _MOST:
        return rows
    n_labelled, order = len(rows), np.random.default_rng(seed).permutation(rows)
    place = np.cumsum(present[order], axis=0)  # (n, T)
    most = int(place[-1].max())
    while len(rows) > _MOST and most > 2:
        most = max(2, int(0.9 * most))
        rows = order[(present[order] & (place <= most)).any(axis=1)]
    log.info(
        "%d of %d molecules are compared, up to %d labels of a task",
        len(rows[:_MOST]),
        n_labelled,
        most,
    )
    return np.sort(rows[:_MOST])


def _result(whole: PairSums, left_out: list[PairSums], n_common: np.ndarray) -> AffinityEstimate:
    """Turns slopes into correlations, with their doubt."""
    slopes = np.stack([part.slope for part in left_out])  # (P, T, T)
    own, owns = whole.slope.diagonal(), np.diagonal(slopes, axis1=1, axis2=2)  # (T,), (P, T)
    scale = np.sqrt((PARTS - 1) / PARTS)
    error = scale * np.sqrt(((owns - owns.mean(axis=0)) ** 2).sum(axis=0))  # (T,)
    matrix = _correlations(whole.slope, error)
    few = n_common.diagonal() < _FEWEST
    matrix[(few | few[:, None]) & ~np.eye(len(few), dtype=bool)] = np.nan
    parts = np.stack([_correlations(slope, error) for slope in slopes])
    components = scale * np.nan_to_num(parts - parts.mean(axis=0))
    half = student_t.ppf(0.975, PARTS - 1) * np.sqrt((components**2).sum(axis=0))  # (T, T)
    with np.errstate(invalid="ignore", divide="ignore"):
        reliability = np.where(own > 0, np.clip(1 - (error / own) ** 2, 0, 1), 0.0)
    doubt = Doubt(
        np.clip(matrix - half, -1.0, 1.0),
        np.clip(matrix + half, -1.0, 1.0),
        reliability,
        components,
        PARTS,
        _LEAST,
        PARTS - 1,
    )
    told = np.clip(matrix, -1.0, 1.0)
    pairs = np.where(np.isnan(told), 0, whole.n).astype(np.int64)
    return AffinityEstimate(told, pairs, PARTS, n_common, doubt, unknown=_UNKNOWN, either_sign=True)


def _correlations(slope: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Divides slopes by those of the tasks themselves, shape (T, T).

    A task's own slope counts as at least its standard error: where similar molecules have hardly
    more similar labels than others, a quotient would be large by chance. NaN where both are 0.

    Args:
        slope: Shape (T, T).
        error: Standard errors of its diagonal, shape (T,).
    """
    own = np.fmax(slope.diagonal(), error)
    with np.errstate(invalid="ignore"):
        root = np.sqrt(np.where(own > 0, own, np.nan))
    found = slope / np.outer(root, root)
    np.fill_diagonal(found, np.where(np.isnan(root), np.nan, 1.0))
    return np.asarray(found)
