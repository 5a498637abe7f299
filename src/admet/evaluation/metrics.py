"""Metrics of predictions, for one sample or for many resamples at once.

Every function takes labels and predictions of shape (b, n), b resamples of n molecules, and gives
shape (b,). NaN stands where a metric is not defined (a constant sample, one class only).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from admet.kinds import KINDS

_PAIRS_UP_TO = 250  # labels; beyond, sorting row by row is faster than looking at every pair


@dataclass(frozen=True)
class Metric:
    """A metric of one kind of task.

    Attributes:
        name: Its name in tables and files; no other metric has it.
        kind: The kind of task that it belongs to, "regression" or "binary".
        function: Labels and predictions, each of shape (b, n), → values of shape (b,).
        least: Number of labels below which it is empty. Below 3, R2 and RAE hardly have a mean to
            compare with. Below 5, chance gives even a perfect rank correlation, or a perfect
            ranking of two and three, in more than 5 % of orders (two-sided). With two labels every
            correlation is 1 or −1.
        lower_is_better: Whether a smaller value is the better one.
        with_limits: Whether labels that are limits count; a prediction beyond one has no error.
            Otherwise the metric uses the measured labels alone.
        of_ranks: Whether only the order of labels and predictions counts, not their scale.
        in_unit: Whether it has the unit of the labels, so that a mean over tasks of several units
            means nothing.
    """

    name: str
    kind: str
    function: Callable[[np.ndarray, np.ndarray], np.ndarray]
    least: int
    lower_is_better: bool = False
    with_limits: bool = False
    of_ranks: bool = False
    in_unit: bool = False


def met(y: np.ndarray, p: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Puts predictions that lie beyond their limit on it, so that they have no error.

    Args:
        y: Labels, any shape.
        p: Predictions, likewise.
        limits: 1 where the true value is above the label, −1 where below, else 0; likewise.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where((p - y) * limits > 0, y, p))


def mae(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Mean absolute error."""
    return np.asarray(np.abs(y - p).mean(axis=1))


def rmse(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Root mean squared error."""
    largest = _largest(y - p)
    return np.asarray(largest[:, 0] * np.sqrt((((y - p) / largest) ** 2).mean(axis=1)))


def r2(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Coefficient of determination, 1 − SS_res / SS_tot."""
    centred = y - y.mean(axis=1, keepdims=True)
    largest = _largest(centred)
    total = ((centred / largest) ** 2).sum(axis=1)
    return _ratio(total - (((y - p) / largest) ** 2).sum(axis=1), total, _varies(y))


def rae(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Relative absolute error: the MAE over the MAE of predicting the mean of these labels."""
    spread = np.abs(y - y.mean(axis=1, keepdims=True)).mean(axis=1)
    return _ratio(mae(y, p), spread, _varies(y))


def pearson(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Pearson's correlation."""
    defined = _varies(y) & _varies(p)
    y, p = _of_size_one(y), _of_size_one(p)
    norm = np.sqrt((y**2).sum(axis=1) * (p**2).sum(axis=1))
    return _ratio((y * p).sum(axis=1), norm, defined)


def _of_size_one(values: np.ndarray) -> np.ndarray:
    """Centres rows and scales them."""
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred / _largest(centred))


def _largest(values: np.ndarray) -> np.ndarray:
    """Gives the largest size in each row, shape (b, 1); divided by it, squares do not overflow."""
    largest = np.abs(values).max(axis=1, keepdims=True)
    return np.where(largest > 0, largest, 1.0)


def spearman(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Spearman's rank correlation."""
    return pearson(stats.rankdata(y, axis=1), stats.rankdata(p, axis=1))


def kendall(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Kendall's τ-b."""
    defined = _varies(y) & _varies(p)
    if y.shape[1] > _PAIRS_UP_TO:
        return np.array(
            [
                stats.kendalltau(a, b).statistic if known else np.nan
                for a, b, known in zip(y, p, defined, strict=True)
            ]
        )
    return np.where(defined, _kendall_by_pairs(y, p), np.nan)


def _kendall_by_pairs(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Looks at every pair, for all rows at once: fast where rows are many and short.

    The numbers are SciPy's, bit for bit: counts of pairs are whole, and divided in its order.
    """
    b, n = y.shape
    balance, tied_y, tied_p = (np.zeros(b, dtype=np.int64) for _ in range(3))
    for shift in range(1, n):
        of_y = np.sign(y[:, shift:] - y[:, :-shift]).astype(np.int8)
        of_p = np.sign(p[:, shift:] - p[:, :-shift]).astype(np.int8)
        balance += (of_y * of_p).sum(axis=1, dtype=np.int64)
        tied_y += (of_y == 0).sum(axis=1)
        tied_p += (of_p == 0).sum(axis=1)
    pairs = n * (n - 1) // 2
    with np.errstate(invalid="ignore", divide="ignore"):
        tau = balance / np.sqrt(pairs - tied_y) / np.sqrt(pairs - tied_p)
    return np.asarray(np.clip(tau, -1.0, 1.0))


def auroc(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Area under the ROC curve, as the Mann–Whitney statistic; ties count half."""
    positive = y > 0.5
    n_pos = positive.sum(axis=1)
    n_neg = y.shape[1] - n_pos
    ranks = (stats.rankdata(p, axis=1) * positive).sum(axis=1)
    return _ratio(ranks - n_pos * (n_pos + 1) / 2, n_pos * n_neg, _varies(positive))


def auprc(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Area under the precision–recall curve, as average precision; ties are one threshold."""
    b, n = y.shape
    order = np.argsort(-p, axis=1, kind="stable")
    scores = np.take_along_axis(p, order, axis=1)
    positive = np.take_along_axis(y, order, axis=1) > 0.5
    ends = np.concatenate([scores[:, 1:] != scores[:, :-1], np.ones((b, 1), dtype=bool)], axis=1)
    last = np.where(ends, np.arange(n), n)  # (b, n): where a run of equal scores ends
    last = np.minimum.accumulate(last[:, ::-1], axis=1)[:, ::-1]
    precision = np.take_along_axis(positive.cumsum(axis=1), last, axis=1) / (last + 1)
    n_pos = positive.sum(axis=1)
    return _ratio((precision * positive).sum(axis=1), n_pos, _varies(positive))


def accuracy(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Share of right classes at probability 0.5."""
    return np.asarray(((p >= 0.5) == (y > 0.5)).mean(axis=1))


def mcc(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """Matthews correlation coefficient at probability 0.5; 0 where only one class is predicted."""
    a, b = y > 0.5, p >= 0.5
    phi = pearson(a.astype(float), b.astype(float))
    one_class = np.isnan(phi) & (a.min(axis=1) != a.max(axis=1))
    return np.where(one_class, 0.0, phi)


METRICS = (
    Metric("MAE", "regression", mae, 2, lower_is_better=True, with_limits=True, in_unit=True),
    Metric("RMSE", "regression", rmse, 2, lower_is_better=True, with_limits=True, in_unit=True),
    Metric("R2", "regression", r2, 3),
    Metric("Pearson", "regression", pearson, 5),
    Metric("Spearman", "regression", spearman, 5, of_ranks=True),
    Metric("Kendall", "regression", kendall, 5, of_ranks=True),
    Metric("RAE", "regression", rae, 3, lower_is_better=True),
    Metric("AUROC", "binary", auroc, 5),
    Metric("AUPRC", "binary", auprc, 5),
    Metric("Accuracy", "binary", accuracy, 5),
    Metric("MCC", "binary", mcc, 5),
)
"""Every metric, in the order of the tables."""
BY_KIND: dict[str, dict[str, Metric]] = {
    kind: {metric.name: metric for metric in METRICS if metric.kind == kind}
    for kind in dict.fromkeys(metric.kind for metric in METRICS)
}
PRIMARY: dict[str, str] = {name: kind.metric for name, kind in KINDS.items()}
"""The metric that a comparison prints for each kind of task."""
OVERALL: dict[str, str] = PRIMARY | {"regression": "RAE"}
"""The metric that a comparison prints for the mean over tasks, whose units may differ."""
KNOWS_NOTHING: dict[str, tuple[float, bool]] = {"RAE": (1.0, True), "AUROC": (0.5, False)}
"""Metric → the value of a model that knows nothing, and whether lower is better."""


def _varies(values: np.ndarray) -> np.ndarray:
    """Tells which rows hold different values, (b, n) → (b,); rounding plays no part in it."""
    return np.asarray(values.min(axis=1) != values.max(axis=1))


def _ratio(numerator: np.ndarray, denominator: np.ndarray, defined: np.ndarray) -> np.ndarray:
    """Divides where the ratio is defined, and gives NaN elsewhere."""
    usable = defined & (denominator > 0)
    return np.where(usable, numerator / np.where(usable, denominator, 1.0), np.nan)
