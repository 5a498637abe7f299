"""A Gaussian process of all tasks at once on frozen inputs, joined by how they are correlated."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve, solve_triangular
from scipy.sparse.linalg import LinearOperator, cg

from admet.config.frozen import KernelConfig
from admet.data import Panel
from admet.model.chemprop import TargetScaler
from admet.model.frozen.kernel import Single, fit_single, matern, outputs_of, scaled_rows
from admet.model.frozen.scaling import InputScaler

_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)  # of the correlation that is believed
_SAMPLE = 4_000  # labels of all tasks by which the share is chosen
_PARTNERS = 8  # other tasks that a task learns from at most
_TRUSTED = 300  # labels at which a task's own length, signal and noise count half
_STEP = 1.25  # ratio of neighbouring lengths; tasks of the same length share a decomposition
_LEAST = 1e-6  # eigenvalue of the correlations
_CHUNK = 2_000  # molecules at once
_PRECISE, _STEPS = 1e-9, 50  # of conjugate gradients; a handful of steps is usual


@dataclass(frozen=True, eq=False)
class FittedJointKernel:
    """A Gaussian process of T tasks, of which only the mean is kept.

    Attributes:
        X: Scaled inputs of the n training molecules, shape (n, d), float32.
        coefficients: What the kernel with each of them counts in each task, shape (n, T).
        centres: Mean of each task's scaled labels, shape (T,).
        lengths: Length scale of the kernel for each task, shape (T,); most are the same.
        inputs: How inputs are scaled.
        targets: How outputs are turned into labels' units.
    """

    X: np.ndarray
    coefficients: np.ndarray
    centres: np.ndarray
    lengths: np.ndarray
    inputs: InputScaler
    targets: TargetScaler

    @cached_property
    def _own(self) -> np.ndarray:
        """The scaled inputs of the training molecules, shape (n, d), float64."""
        return self.X.astype(np.float64)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Predicts m molecules.

        Args:
            inputs: Shape (m, d), as they are computed.

        Returns:
            Means, scaled (for a binary task the logit), shape (m, T).
        """
        X = self.inputs.scale_inputs(inputs).astype(np.float64)
        found = np.empty((len(X), len(self.centres)))
        for length in np.unique(self.lengths):
            tasks = np.flatnonzero(self.lengths == length)
            for start in range(0, len(X), _CHUNK):
                some = slice(start, start + _CHUNK)
                found[some, tasks] = (
                    matern(X[some], self._own, length) @ self.coefficients[:, tasks]
                )
        return outputs_of(self.centres + found, self.targets.kinds)


def fit_joint_kernel(
    inputs: np.ndarray,
    panel: Panel,
    train: np.ndarray,
    correlation: np.ndarray,
    config: KernelConfig,
    seed: int,
) -> FittedJointKernel:
    """Fits one Gaussian process to the labels of all tasks.

    The covariance of two labels is B[i, j] k(x, x') (the intrinsic coregionalization model:
    Goovaerts 1997; Bonilla, Chai and Williams, NIPS 2007), with B = s R + (1 − s) I, where R is the
    measured correlation of the tasks. The share s has the largest marginal likelihood on a sample
    of the labels, of six that are tried. Length, signal and noise are those of each task alone,
    drawn towards those of the others where its labels are few.

    Each task learns from its own labels and those of its eight nearest partners. Partners whose
    labels would make more than `config.joint_up_to` together are left out, the nearest being asked
    first; a task with more labels than that learns from none. A binary task is fitted as 0 and 1; a
    limit counts as the value that it names.

    Args:
        inputs: Shape (n, d), of the panel's molecules.
        panel: n molecules and their labels.
        train: Rows to train on.
        correlation: R, shape (T, T); NaN, where it is unknown, counts as 0.
        config: The `kernel` section.
        seed: Seed of the samples.

    Returns:
        The process.
    """
    X, Y, input_scaler, targets = scaled_rows(inputs, panel, train)
    rng = np.random.default_rng(seed)
    alone = [fit_single(X, y, kind, config, rng) for y, kind in zip(Y.T, panel.kinds, strict=True)]
    problem = _Problem.of(X, Y, alone)
    R = nearest_correlation(correlation)
    every = problem.labels(range(len(alone)))
    B = _shrunk(R, _likeliest(problem, _sample(every, _SAMPLE, rng), R))
    coefficients = np.zeros((len(X), len(alone)))
    for labels, served in _systems(problem, every, R, config.joint_up_to, rng):
        alpha = problem.kernel(labels, problem.lengths[served[0][0]]).solve(B)
        for task, share in served:
            own = problem.signals[task] * B[task, labels.tasks] * alpha * share
            np.add.at(coefficients[:, task], labels.rows, own)
    return FittedJointKernel(
        X, coefficients, np.array([each.centre for each in alone]), problem.lengths, input_scaler,
        targets,
    )  # fmt: skip


def nearest_correlation(given: np.ndarray) -> np.ndarray:
    """Makes a measured matrix one that correlations can have: symmetric, no negative eigenvalue.

    Args:
        given: Shape (T, T); NaN counts as 0.

    Returns:
        Shape (T, T), with ones on the diagonal.
    """
    R = np.clip(np.nan_to_num((given + given.T) / 2, nan=0.0), -1.0, 1.0)
    np.fill_diagonal(R, 1.0)
    values, V = np.linalg.eigh(R)
    R = (V * np.maximum(values, _LEAST)) @ V.T
    scale = np.sqrt(R.diagonal())
    return np.asarray(R / scale / scale[:, None])


def _shrunk(R: np.ndarray, share: float) -> np.ndarray:
    return share * R + (1 - share) * np.eye(len(R))


@dataclass(frozen=True, eq=False)
class _Labels:
    """Some labels: which molecule, which task, shape (N,) each."""

    rows: np.ndarray
    tasks: np.ndarray

    def chosen(self, some: np.ndarray) -> "_Labels":
        return _Labels(self.rows[some], self.tasks[some])


@dataclass(frozen=True, eq=False)
class _Problem:
    """What all systems of equations have in common."""

    X: np.ndarray  # (n, d)
    y: np.ndarray  # (n, T), centred, in units of the signal
    signals: np.ndarray  # (T,), standard deviations
    noises: np.ndarray  # (T,), variances where that of the signal is 1
    lengths: np.ndarray  # (T,)
    pooled: float  # the length of all

    @classmethod
    def of(cls, X: np.ndarray, Y: np.ndarray, alone: Sequence[Single]) -> "_Problem":
        """Draws length, signal and noise of each task towards those of all.

        A task whose labels do not differ says nothing of them, and takes those of the others.
        """
        n = (~np.isnan(Y)).sum(axis=0)
        found = np.array([(each.signal, each.noise, each.length) for each in alone])  # (T, 3)
        told = (n > 1) & (found > 0).all(axis=1) & np.isfinite(found).all(axis=1)
        signal, noise, length = np.log(np.where(told[:, None], found, 1.0)).T
        noise = signal + noise
        weights = np.where(told, n, 0) if told.any() else np.ones(len(n))
        own = np.where(told, n / (n + _TRUSTED), 0.0)
        pooled = float(np.exp(np.average(length, weights=weights)))
        signal, noise, length = (
            own * values + (1 - own) * np.average(values, weights=weights)
            for values in (signal, noise, length)
        )
        steps = np.round((length - np.log(pooled)) / np.log(_STEP))
        centres = np.array([each.centre for each in alone])
        deviations = np.exp(signal / 2)
        y = (Y - centres) / deviations
        return cls(X, y, deviations, np.exp(noise - signal), pooled * _STEP**steps, pooled)

    def labels(self, tasks: Sequence[int] | range) -> _Labels:
        """Lists the labels of some tasks, one task after the other."""
        rows = [np.flatnonzero(~np.isnan(self.y[:, task])) for task in tasks]
        counts = [len(own) for own in rows]
        return _Labels(np.concatenate(rows), np.repeat(np.array(tasks), counts))

    def kernel(self, labels: _Labels, length: float) -> "_Kernel":
        """Compares the molecules of N labels."""
        molecules, places = np.unique(labels.rows, return_inverse=True)
        own = self.X[molecules].astype(np.float64)
        k = np.empty((len(molecules), len(molecules)))
        for start in range(0, len(own), _CHUNK):
            k[start : start + _CHUNK] = matern(own[start : start + _CHUNK], own, length)
        y = self.y[labels.rows, labels.tasks]
        return _Kernel(k, places, labels.tasks, self.noises[labels.tasks], y)


@dataclass(frozen=True, eq=False)
class _Kernel:
    """A system (K + Λ) α = y of N labels, with K = B[t, t'] k(x, x'), for any B."""

    k: np.ndarray  # (m, m), of the m molecules
    places: np.ndarray  # (N,), the molecule of each label
    tasks: np.ndarray  # (N,)
    noises: np.ndarray  # (N,)
    y: np.ndarray  # (N,)

    def surprise(self, B: np.ndarray) -> float:
        """Gives −2 log of the marginal likelihood, but for a constant."""
        factor = self._factor(self.k, B)
        half = solve_triangular(factor[0], self.y, lower=True, check_finite=False)
        return float(half @ half + 2 * np.log(factor[0].diagonal()).sum())

    def solve(self, B: np.ndarray) -> np.ndarray:
        """Gives α, shape (N,).

        A factor in single precision, which takes half the time and memory, leads conjugate
        gradients in double precision, whose products need k only: K v = B ⊗ k v. Where the factor
        does not exist or does not lead there, one in double precision is made.

        Source: Higham and Mary, Acta Numerica 2022, 31, 347 (mixed precision solvers).
        """
        used, columns = np.unique(self.tasks, return_inverse=True)
        between = B[np.ix_(used, used)]
        n, V = len(self.y), np.zeros((len(self.k), len(used)))

        def times(v: np.ndarray) -> np.ndarray:
            V[self.places, columns] = v.ravel()
            return np.asarray(
                (self.k @ V @ between)[self.places, columns] + self.noises * v.ravel()
            )

        with suppress(LinAlgError):
            factor = self._factor(self.k.astype(np.float32), B)
            lead = LinearOperator(
                (n, n),
                lambda v: cho_solve(factor, v.astype(np.float32), check_finite=False),
                dtype=np.float64,
            )
            whole = LinearOperator((n, n), times, dtype=np.float64)
            alpha, failed = cg(whole, self.y, rtol=_PRECISE, maxiter=_STEPS, M=lead)
            if not failed:
                return np.asarray(alpha)
        return np.asarray(cho_solve(self._factor(self.k, B), self.y, check_finite=False))

    def _factor(self, k: np.ndarray, B: np.ndarray) -> tuple[np.ndarray, bool]:
        """Gives the lower Cholesky factor of K + Λ, in the precision of k, as SciPy takes it."""
        n, B = len(self.places), B.astype(k.dtype)
        K = np.empty((n, n), k.dtype, order="F")  # as LAPACK wants it, to work in place
        for start in range(0, n, _CHUNK):
            below, some = slice(start, n), slice(start, start + _CHUNK)  # the rest is not read
            K[below, some] = k[np.ix_(self.places[below], self.places[some])]
            K[below, some] *= B[np.ix_(self.tasks[below], self.tasks[some])]
        K[np.diag_indices_from(K)] += self.noises.astype(k.dtype)
        factor, lower = cho_factor(K, lower=True, overwrite_a=True, check_finite=False)
        return factor, lower


def _likeliest(problem: _Problem, labels: _Labels, R: np.ndarray) -> float:
    """Gives the share of the correlations that makes some labels most likely."""
    kernel = problem.kernel(labels, problem.pooled)
    surprise = {share: kernel.surprise(_shrunk(R, share)) for share in _SHARES}
    return min(surprise, key=lambda share: surprise[share])


def _sample(labels: _Labels, most: int, rng: np.random.Generator) -> _Labels:
    """Takes labels of all tasks, as many of each as there are, or as all others have."""
    if len(labels.rows) <= most:
        return labels
    places = [rng.permutation(np.flatnonzero(labels.tasks == t)) for t in np.unique(labels.tasks)]
    turn = np.concatenate([np.arange(len(own)) for own in places])
    order = np.argsort(turn, kind="stable")
    return labels.chosen(np.sort(np.concatenate(places)[order][:most]))


def _systems(
    problem: _Problem, every: _Labels, R: np.ndarray, most: int, rng: np.random.Generator
) -> Iterator[tuple[_Labels, list[tuple[int, float]]]]:
    """Lists the systems of equations, each with the tasks that it serves and what it counts there.

    Tasks with the same partners and length share one. A task with more than `most` labels of its
    own has several, each of a part of them, which count alike.
    """
    counts = np.bincount(every.tasks, minlength=len(R))
    served: dict[tuple[tuple[int, ...], float], list[tuple[int, float]]] = {}
    for task in range(len(R)):
        if counts[task] > most:
            labels = problem.labels([task])
            n_parts = -(-int(counts[task]) // most)
            for part in np.array_split(rng.permutation(counts[task]), n_parts):
                yield labels.chosen(np.sort(part)), [(task, 1 / n_parts)]
            continue
        key = (_company(task, R, counts, most), float(problem.lengths[task]))
        served.setdefault(key, []).append((task, 1.0))
    for (tasks, _), those in served.items():
        yield problem.labels(tasks), those


def _company(task: int, R: np.ndarray, counts: np.ndarray, most: int) -> tuple[int, ...]:
    """Gives a task and its partners, in order."""
    others = [int(other) for other in np.argsort(-np.abs(R[task]), kind="stable") if other != task]
    found, total = [task], counts[task]
    for other in others[:_PARTNERS]:
        if total + counts[other] <= most:
            found.append(other)
            total += counts[other]
    return tuple(sorted(found))
