"""Gaussian processes on frozen inputs: one per task, with the variance of its posterior."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial

import numpy as np
from scipy.linalg import cho_factor, cho_solve, eigh, solve_triangular
from scipy.optimize import minimize_scalar
from scipy.special import logit

from admet.config.frozen import KernelConfig
from admet.data import Panel
from admet.kinds import Kind
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
        return outputs_of(mean, self.targets.kinds), np.sqrt(variance)


def outputs_of(mean: np.ndarray, kinds: Sequence[Kind]) -> np.ndarray:
    """Gives what was fitted as models give it, (n, T): logits of a task fitted as 0 and 1."""
    found = mean.copy()
    for column, kind in enumerate(kinds):
        if not kind.scaled:
            found[:, column] = logit(np.clip(mean[:, column], _SUREST, 1 - _SUREST))
    return found


def scaled_rows(
    inputs: np.ndarray, panel: Panel, train: np.ndarray
) -> tuple[np.ndarray, np.ndarray, InputScaler, TargetScaler]:
    """Scales the inputs and labels of the rows to train on, by these rows.

    Returns:
        Inputs, shape (n, d), float32; labels, shape (n, T), NaN where absent; how both were scaled.
    """
    input_scaler = InputScaler.fit(inputs[train])
    targets = TargetScaler.fit(panel.labels.values[train], panel.kinds, panel.transforms)
    X = input_scaler.scale_inputs(inputs[train])
    return X, targets.scale_labels(panel.labels.values[train]), input_scaler, targets


@dataclass(frozen=True)
class Single:
    """What is chosen for one task; the attributes are those of `Process`."""

    centre: float
    length: float
    noise: float
    signal: float


def fit_single(
    X: np.ndarray, y: np.ndarray, kind: Kind, config: KernelConfig, rng: np.random.Generator
) -> Single:
    """Chooses length, noise and signal of one task by a sample of its labels.

    Args:
        X: Scaled inputs, shape (n, d).
        y: Scaled labels, shape (n,), NaN where there is none.
        kind: What the task is.
        config: The `kernel` section.
        rng: What draws the sample.
    """
    rows = np.flatnonzero(~np.isnan(y))
    centre = float(y[rows].mean())
    sample = np.sort(rng.permutation(rows)[: config.sample])
    surprise = _likelihood if config.chosen_by == "likelihood" else _LEFT_OUT[kind.scaled]
    own, residuals = X[sample].astype(np.float64), y[sample] - centre
    return Single(centre, *_least_surprise(own, residuals, config.lengths, surprise))


def fit_kernel(
    inputs: np.ndarray, panel: Panel, train: np.ndarray, config: KernelConfig, seed: int
) -> FittedKernel:
    """Fits a Gaussian process to each task.

    Length and noise are chosen by a sample of the labels, as `config.chosen_by` says. Labels beyond
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
    X, Y, input_scaler, targets = scaled_rows(inputs, panel, train)
    rng = np.random.default_rng(seed)
    found = []
    for y, kind in zip(Y.T, panel.kinds, strict=True):
        own = fit_single(X, y, kind, config, rng)
        rows = np.flatnonzero(~np.isnan(y))
        n_parts = -(-len(rows) // config.exact_up_to)
        parts = [np.sort(p) for p in np.array_split(rng.permutation(rows), n_parts)]
        found.append(tuple(Process(X, part, y[part] - own.centre, **asdict(own)) for part in parts))
    return FittedKernel(X, tuple(found), input_scaler, targets)


_Surprise = Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def _least_surprise(
    X: np.ndarray, y: np.ndarray, lengths: Sequence[float], surprise: _Surprise
) -> tuple[float, float, float]:
    """Finds the length and the noise whose `surprise` is least, and the signal.

    One decomposition K = V diag(v) Vᵀ a length serves all noises. The signal follows from the
    others in closed form: it is the one of the largest marginal likelihood.
    """
    R = distances(X, X)
    median = float(np.median(R[np.triu_indices_from(R, 1)])) if len(X) > 1 else 1.0
    median = median if median > 0 else 1.0
    best = (np.inf, median, 1.0, 1.0)
    for factor in lengths:
        values, V = eigh(_matern(R / (factor * median)), check_finite=False)
        values = np.maximum(values, 0)
        z = V.T @ y
        found = minimize_scalar(
            lambda log_noise, V=V, z=z, values=values: surprise(V, z, values + 10**log_noise),
            bounds=_NOISE,
            method="bounded",
            options={"xatol": 0.02},
        )
        if found.fun < best[0]:
            noise = float(10**found.x)
            signal = float(np.mean(z**2 / (values + noise)))
            best = (float(found.fun), factor * median, noise, signal)
    return best[1:]


def _likelihood(V: np.ndarray, z: np.ndarray, spectrum: np.ndarray) -> float:
    """Gives −2 log of the marginal likelihood, but for a constant.

    Source: Rasmussen and Williams 2006, Eq. 5.8, with the signal that is best.

    Args:
        V: Eigenvectors of K, shape (n, n).
        z: Vᵀ y, shape (n,).
        spectrum: Eigenvalues of K + λ I, shape (n,).
    """
    del V
    return float(len(z) * np.log(np.mean(z**2 / spectrum)) + np.log(spectrum).sum())


def _left_out(V: np.ndarray, z: np.ndarray, spectrum: np.ndarray, power: int) -> float:
    """Gives the mean error of each label, to a power, when it alone is left out.

    Source: Rasmussen and Williams 2006, Eq. 5.12.
    """
    errors = (V @ (z / spectrum)) / (V**2 @ (1 / spectrum))
    return float(np.mean(np.abs(errors) ** power))


_LEFT_OUT: dict[bool, _Surprise] = {
    True: partial(_left_out, power=1),
    False: partial(_left_out, power=2),  # the median of 0 and 1 says nothing of a probability
}
"""Whether targets are scaled → what leaving one out says."""


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
