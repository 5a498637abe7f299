"""Gaussian processes on frozen inputs: one per task, with the variance of its posterior."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh, solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import logit

from admet.config.frozen import KernelConfig
from admet.data import Panel
from admet.model.chemprop import TargetScaler
from admet.model.frozen.scaling import InputScaler

_NOISE = (-4.0, 1.5)  # log10 of noise to signal, the range that is searched
_CHUNK = 2_000  # molecules predicted at once
_SUREST = 1e-3  # probability; a least-squares fit of 0 and 1 leaves their range


@dataclass(frozen=True, eq=False)
class Process:
    """A Gaussian process that has seen its labels.

    Attributes:
        inputs: Scaled inputs of the molecules that all processes of a model share, shape (n, d),
            float32.
        rows: Which of them are its m training molecules, shape (m,).
        y: Their scaled labels less `centre`, shape (m,).
        centre: Mean of the task's scaled labels.
        length: Length scale of the kernel.
        noise: λ, the variance of the noise where that of the signal is 1.
        signal: Variance of the signal, in scaled units.
    """

    inputs: np.ndarray
    rows: np.ndarray
    y: np.ndarray
    centre: float
    length: float
    noise: float
    signal: float

    @cached_property
    def _own(self) -> np.ndarray:
        """The scaled inputs of its training molecules, shape (m, d), float64."""
        return np.asarray(self.inputs[self.rows], dtype=np.float64)

    @cached_property
    def _factor(self) -> np.ndarray:
        """The lower Cholesky factor of K + λ I, shape (m, m)."""
        K = matern(self._own, self._own, self.length)
        K[np.diag_indices_from(K)] += self.noise
        return np.asarray(cho_factor(K, lower=True, overwrite_a=True, check_finite=False)[0])

    @cached_property
    def _alpha(self) -> np.ndarray:
        """(K + λ I)⁻¹ y, shape (m,)."""
        return np.asarray(cho_solve((self._factor, True), self.y, check_finite=False))

    def predict(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gives mean and variance of a new label, shape (n,) each, scaled.

        Source: Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, Alg. 2.1.
        """
        K = matern(X, self._own, self.length)  # (n, m)
        half = solve_triangular(self._factor, K.T, lower=True, check_finite=False)  # (m, n)
        variance = 1 + self.noise - np.sum(half**2, axis=0)
        return self.centre + K @ self._alpha, self.signal * np.maximum(variance, 1e-9)


@dataclass(frozen=True, eq=False)
class FittedKernel:
    """Gaussian processes of T tasks.

    Attributes:
        X: Scaled inputs of the training molecules, shape (n, d), float32.
        processes: For each task its processes: one, or one for each part of many labels.
        inputs: How inputs are scaled.
        targets: How outputs are turned into labels' units.
    """

    X: np.ndarray
    processes: tuple[tuple[Process, ...], ...]
    inputs: InputScaler
    targets: TargetScaler

    def predict(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Predicts n molecules.

        Args:
            inputs: Shape (n, d), as they are computed.

        Returns:
            Means (for a binary task the logit) and standard deviations of new labels, scaled, shape
            (n, T) each.
        """
        X = self.inputs.scale_inputs(inputs).astype(np.float64)
        mean = np.empty((len(inputs), len(self.processes)))
        variance = np.empty_like(mean)
        for start in range(0, len(inputs), _CHUNK):
            rows = slice(start, start + _CHUNK)
            for column, parts in enumerate(self.processes):
                found = [part.predict(X[rows]) for part in parts]
                mean[rows, column], variance[rows, column] = _together(found)
        for column, kind in enumerate(self.targets.kinds):
            if not kind.scaled:  # fitted as 0 and 1
                mean[:, column] = logit(np.clip(mean[:, column], _SUREST, 1 - _SUREST))
        return mean, np.sqrt(variance)


def fit_kernel(
    inputs: np.ndarray, panel: Panel, train: np.ndarray, config: KernelConfig, seed: int
) -> FittedKernel:
    """Fits a Gaussian process to each task.

    Length and noise maximise the marginal likelihood of a sample of the labels. Labels beyond
    `config.exact_up_to` are dealt to several processes, which are weighted by their precision. A
    binary task is fitted as 0 and 1, by least squares; a limit counts as the value that it names.

    Args:
        inputs: Shape (n, d), of the panel's molecules.
        panel: n molecules and their labels.
        train: Rows to train on.
        config: The `kernel` section.
        seed: Seed of the sample and of the parts.

    Returns:
        The processes.
    """
    input_scaler = InputScaler.fit(inputs[train])
    targets = TargetScaler.fit(panel.labels.values[train], panel.kinds, panel.transforms)
    X = input_scaler.scale_inputs(inputs[train])
    Y = targets.scale_labels(panel.labels.values[train])
    rng = np.random.default_rng(seed)
    found = []
    for y in Y.T:
        rows = np.flatnonzero(~np.isnan(y))
        centre = float(y[rows].mean())
        sample = np.sort(rng.permutation(rows)[: config.sample])
        length, noise, signal = _likeliest(
            X[sample].astype(np.float64), y[sample] - centre, config.lengths
        )
        n_parts = -(-len(rows) // config.exact_up_to)
        parts = [np.sort(p) for p in np.array_split(rng.permutation(rows), n_parts)]
        found.append(
            tuple(Process(X, p, y[p] - centre, centre, length, noise, signal) for p in parts)
        )
    return FittedKernel(X, tuple(found), input_scaler, targets)


def _likeliest(
    X: np.ndarray, y: np.ndarray, lengths: Sequence[float]
) -> tuple[float, float, float]:
    """Finds length, noise and signal by the marginal likelihood.

    The signal follows from the others in closed form; one decomposition a length serves all noises.

    Source: Rasmussen and Williams 2006, Eq. 5.8.
    """
    R = distances(X, X)
    median = float(np.median(R[np.triu_indices_from(R, 1)])) if len(X) > 1 else 1.0
    median = median if median > 0 else 1.0
    best = (np.inf, median, 1.0, 1.0)
    for factor in lengths:
        values, vectors = eigh(_matern(R / (factor * median)), check_finite=False)
        z = (vectors.T @ y) ** 2
        values = np.maximum(values, 0)

        def surprise(log_noise: float, z: np.ndarray = z, values: np.ndarray = values) -> float:
            spectrum = values + 10**log_noise
            return float(len(z) * np.log(np.mean(z / spectrum)) + np.log(spectrum).sum())

        found = minimize_scalar(surprise, bounds=_NOISE, method="bounded", options={"xatol": 0.02})
        if found.fun < best[0]:
            noise = float(10**found.x)
            signal = float(np.mean(z / (values + noise)))
            best = (float(found.fun), factor * median, noise, signal)
    return best[1:]


def _together(parts: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Weights the predictions of several processes by their precision; shape (n,) each.

    Their precisions are averaged, not added: the parts are not independent of one another.

    Source: Cao and Fleet, arXiv 1410.7827 (generalised product of experts).
    """
    if len(parts) == 1:
        return parts[0]
    precision = np.stack([1 / variance for _, variance in parts])  # (parts, n)
    mean = np.stack([mean for mean, _ in parts])
    total = precision.sum(axis=0)
    return (precision * mean).sum(axis=0) / total, len(parts) / total


def matern(A: np.ndarray, B: np.ndarray, length: float) -> np.ndarray:
    """Gives the Matérn kernel with ν = 5/2 of two sets of vectors, shape (n, m).

    Source: Rasmussen and Williams 2006, Eq. 4.17.
    """
    return _matern(distances(A, B) / length)


def distances(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Gives the Euclidean distances of the rows of two arrays, shape (n, m)."""
    squares = (A**2).sum(axis=1)[:, None] + (B**2).sum(axis=1) - 2 * A @ B.T
    return np.asarray(np.sqrt(np.maximum(squares, 0)))


def _matern(r: np.ndarray) -> np.ndarray:
    r = np.sqrt(5) * r
    return np.asarray((1 + r + r**2 / 3) * np.exp(-r))
