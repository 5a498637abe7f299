"""Vectors of many molecules, in one process per core: two of one thread do more than one of two."""

from collections.abc import Callable, Sequence

import numpy as np

from admet.workers import WorkerPool, n_cores

_PART = 100  # molecules
_PARALLEL_FROM = 4 * _PART  # below, starting processes takes longer than the work


def in_processes(
    function: Callable[[Sequence[str]], np.ndarray], smiles: Sequence[str], width: int
) -> np.ndarray:
    """Computes vectors part by part.

    Args:
        function: A function of a module: SMILES → vectors, shape (m, width), float32.
        smiles: n SMILES.
        width: Numbers per molecule.

    Returns:
        Shape (n, width), float32.

    Raises:
        WorkerError: If a process died.
    """
    texts = [str(text) for text in smiles]
    parts = [texts[start : start + _PART] for start in range(0, len(texts), _PART)]
    with WorkerPool(1 if len(texts) < _PARALLEL_FROM else n_cores()) as pool:
        return np.concatenate([np.empty((0, width), np.float32), *pool.map(function, parts)])
