import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from admet.evaluation import metrics


@pytest.fixture
def regression(rng):
    y = np.round(rng.standard_normal((5, 60)), 1)  # with ties
    return y, np.round(y + rng.standard_normal((5, 60)), 1)


@pytest.fixture
def binary(rng):
    y = (rng.random((5, 60)) > 0.6).astype(float)
    return y, np.round(np.clip(0.3 * y + 0.7 * rng.random((5, 60)), 0, 1), 1)


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("MAE", sk.mean_absolute_error),
        ("RMSE", sk.root_mean_squared_error),
        ("R2", sk.r2_score),
        ("Pearson", lambda y, p: stats.pearsonr(y, p).statistic),
        ("Spearman", lambda y, p: stats.spearmanr(y, p).statistic),
        ("Kendall", lambda y, p: stats.kendalltau(y, p).statistic),
        (
            "RAE",
            lambda y, p: (
                sk.mean_absolute_error(y, p) / sk.mean_absolute_error(y, np.full_like(y, y.mean()))
            ),
        ),
    ],
)
def test_regression_metrics_agree_with_their_oracles(regression, name, oracle):
    y, p = regression
    expected = [oracle(a, b) for a, b in zip(y, p, strict=True)]
    np.testing.assert_allclose(
        metrics.BY_KIND["regression"][name].function(y, p), expected, atol=1e-12
    )


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("AUROC", sk.roc_auc_score),
        ("AUPRC", sk.average_precision_score),
        ("Accuracy", lambda y, p: sk.accuracy_score(y, p >= 0.5)),
        ("MCC", lambda y, p: sk.matthews_corrcoef(y, p >= 0.5)),
    ],
)
def test_binary_metrics_agree_with_their_oracles(binary, name, oracle):
    y, p = binary
    expected = [oracle(a, b) for a, b in zip(y, p, strict=True)]
    np.testing.assert_allclose(metrics.BY_KIND["binary"][name].function(y, p), expected, atol=1e-12)


def test_undefined_is_nan_and_not_a_number_that_looks_good():
    y, p = np.full((1, 3), 0.1), np.array([[1.0, 2.0, 3.0]])  # whose mean is not 0.1
    for name in ("R2", "Pearson", "Spearman", "Kendall", "RAE"):
        assert np.isnan(metrics.BY_KIND["regression"][name].function(y, p)[0]), name
    for name in ("AUROC", "AUPRC"):
        assert np.isnan(metrics.BY_KIND["binary"][name].function(y, p / 4)[0]), name
    assert metrics.mcc(np.array([[0.0, 1.0]]), np.array([[0.9, 0.9]]))[0] == 0.0


@pytest.mark.parametrize("size", [1e99, 1e-200])
def test_metrics_do_not_depend_on_the_unit(rng, size):
    y, p = rng.standard_normal((2, 1, 50))
    for name in ("pearson", "r2", "spearman", "rae"):
        metric = getattr(metrics, name)
        assert metric(y * size, p * size) == pytest.approx(metric(y, p), rel=1e-9)
    for name in ("mae", "rmse"):
        metric = getattr(metrics, name)
        assert metric(y * size, p * size) / size == pytest.approx(metric(y, p), rel=1e-9)


def test_every_metric_has_a_name_of_its_own():
    """A table of several kinds tells them apart by name alone."""
    names = [metric.name for metric in metrics.METRICS]
    assert len(set(names)) == len(names)
    assert metrics.PRIMARY == {"regression": "MAE", "binary": "AUROC"}


def test_a_metric_knows_which_side_is_better(regression, binary):
    """Perfect predictions are never worse than noisy ones."""
    for metric in metrics.METRICS:
        y, p = regression if metric.kind == "regression" else binary
        perfect, noisy = metric.function(y, y), metric.function(y, p)
        assert ((perfect < noisy) if metric.lower_is_better else (perfect > noisy)).all(), metric
