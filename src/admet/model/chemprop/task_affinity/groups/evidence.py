"""Whether a grouping can be told from chance."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

SURE = 0.05
"""Share of chance groupings as distinct as a measured one, above which nothing is claimed."""
LEAST_DRAWS = 10
"""Number of draws below which nothing can be said: each gives two matrices of chance, and with 20
of these the smallest share that can be seen is 1/21, just below `SURE`."""
MOST_DRAWS = 30
"""Most draws from which matrices of chance are made; a method that takes long uses fewer."""


def contrast(affinity: np.ndarray, labels: np.ndarray) -> float:
    """Gives how distinct groups are: the mean affinity within them minus that between them.

    Args:
        affinity: Symmetric, shape (T, T), without NaN.
        labels: Group of each task, shape (T,).

    Returns:
        The difference; NaN where no two tasks share a group, or all do.
    """
    rows, columns = np.triu_indices(len(labels), k=1)
    values, same = affinity[rows, columns], labels[rows] == labels[columns]
    if not same.any() or same.all():
        return math.nan
    return float(values[same].mean() - values[~same].mean())


def matrices_of_chance(matrix: np.ndarray, draws: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Gives matrices in which all pairs are alike but for the noise of the measurement.

    Every pair has the mean affinity of all pairs. The noise is the difference between a draw and
    the matrix, once as it is and once with its sign reversed, since the weights of the draws are
    symmetric.

    Args:
        matrix: The measured matrix, shape (T, T), without NaN.
        draws: Draws of it, each of shape (T, T), without NaN.

    Yields:
        Matrices of shape (T, T), in the range of the affinities, with the diagonal of the matrix.
    """
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    alike = np.where(off_diagonal, matrix[off_diagonal].mean(), matrix)
    for draw in draws:
        for sign in (1.0, -1.0):
            yield np.where(off_diagonal, np.clip(alike + sign * (draw - matrix), -1.0, 1.0), alike)


def share_of_chance(
    observed: float,
    by_chance: Sequence[tuple[np.ndarray, np.ndarray]],
) -> float:
    """Gives how often chance makes groups at least as distinct as the measured ones.

    A parametric bootstrap test of the hypothesis that all pairs of tasks are alike (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993, chapter 16; the share is that of Davison and
    Hinkley, Bootstrap Methods and their Application, 1997, section 4.2.5, never 0). The groups of
    chance are sought by the same method as the measured ones, since a search finds distinct groups
    in chance, too. With `auto` they are sought only among the numbers of groups that were
    candidates for the measurement.

    Args:
        observed: `contrast` of the measured grouping.
        by_chance: Symmetric matrices of chance, each with the group of each task.

    Returns:
        The share, from 1 / (n + 1) to 1; NaN where there are too few or nothing is observed.
    """
    if len(by_chance) < 2 * LEAST_DRAWS or math.isnan(observed):
        return math.nan
    found = np.array([contrast(matrix, labels) for matrix, labels in by_chance])
    with np.errstate(invalid="ignore"):
        as_distinct = int((found >= observed - 1e-12).sum())
    return (1 + as_distinct) / (1 + len(by_chance))
