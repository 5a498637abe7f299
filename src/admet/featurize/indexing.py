"""Lists of lists, kept as one flat array and an array of where each list starts."""

import numpy as np


def starts_of(counts: np.ndarray) -> np.ndarray:
    """Gives where each of n lists starts, and the end, shape (n + 1,), int64."""
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def ranges(starts: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lists the places starts[r] … starts[r + 1] − 1 of all rows, and how many each row has."""
    first = starts[rows]
    counts = starts[rows + 1] - first
    before = np.cumsum(counts) - counts
    return np.arange(counts.sum()) + np.repeat(first - before, counts), counts


def compact(ids: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Lists the distinct ids, and for each id its index among them, in linear time.

    Args:
        ids: Shape (m,), each from 0 to n − 1.
        n: Number of possible ids.

    Returns:
        The distinct ids, shape (k,), and for each id its index among them, shape (m,), int64.
    """
    place = np.arange(len(ids))
    scratch = np.empty(n, dtype=np.int64)  # only what is written here is read
    scratch[ids] = place
    last = scratch[ids]
    is_last = last == place
    return ids[is_last], (np.cumsum(is_last) - 1)[last]
