"""A split by time: the oldest train, the newest test, and one time stays on one side."""

import numpy as np

_NEAREST = 60  # boundaries on each side of the wanted place that are looked at


def sides_by_time(times: np.ndarray, ratios: np.ndarray) -> np.ndarray:
    """Cuts molecules in the order of their times.

    A cut lies between two times, never within one. Of all cuts that leave no requested side empty
    those are taken whose sizes are nearest to the ratios (least sum of absolute differences).

    Args:
        times: Time of each molecule, shape (n,).
        ratios: Share of each side, train first, shape (3,).

    Returns:
        Side of each molecule, shape (n,), int8. Where there are fewer times than requested sides,
        the last of these stay empty.
    """
    counts = np.unique(times, return_counts=True)[1]
    ends = np.cumsum(counts)  # molecules up to each time
    wanted = np.flatnonzero(ratios > 0)
    bounds = np.round(np.cumsum(ratios) * len(times)).astype(int)[wanted]
    cuts = _cuts(ends, bounds) if len(ends) >= len(wanted) else ends[:-1]
    rank = np.argsort(np.argsort(times, kind="stable"), kind="stable")
    # A time's molecules are ranked side by side, and each cut lies between two times.
    return np.asarray(wanted[np.searchsorted(cuts, rank, side="right")], dtype=np.int8)


def _cuts(ends: np.ndarray, bounds: np.ndarray) -> np.ndarray:
    """Chooses the ends at which the sides but the last end.

    Args:
        ends: Where a cut may lie, increasing, shape (m,); the last is the end of all.
        bounds: Where the sides should end, shape (S,), S at most 3.

    Returns:
        The cuts, shape (S − 1,).
    """
    inner, n = ends[:-1], ends[-1]
    if len(bounds) == 1:
        return inner[:0]
    if len(bounds) == 2:
        return inner[[np.argmin(np.abs(inner - bounds[0]))]]
    first, second = (_near(inner, bound) for bound in bounds[:2])
    sizes = np.diff(bounds, prepend=0)
    a, b = first[:, None], second[None, :]
    off = np.abs(a - sizes[0]) + np.abs(b - a - sizes[1]) + np.abs(n - b - sizes[2])
    off = np.where(a < b, off, np.inf)
    i, j = np.unravel_index(int(np.argmin(off)), off.shape)
    return np.array([first[i], second[j]])


def _near(inner: np.ndarray, bound: int) -> np.ndarray:
    """Gives the possible cuts nearest to a place."""
    place = int(np.searchsorted(inner, bound))
    return np.asarray(inner[max(0, place - _NEAREST) : place + _NEAREST])
