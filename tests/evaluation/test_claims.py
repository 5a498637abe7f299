"""Numbers that hold by construction are not given, and what is amiss is said."""

import json

import numpy as np
import pytest
from scipy import stats

from admet.evaluation import BY_KIND, METRICS, Predicted, Scores, compare, remarks, score_tasks
from admet.evaluation.metrics import kendall

REGRESSION = ["regression", "regression"]


def scored(labels, predictions, kinds=REGRESSION, **keys):
    names = [f"T{i}" for i in range(labels.shape[1])]
    return score_tasks(labels, predictions, names, kinds, n_bootstrap=0, **keys)


@pytest.mark.parametrize(
    ("units", "averages"),
    [(None, False), (["µM", "mL/min/kg"], False), (["", ""], False), (["µM", "µM"], True)],
)
def test_mixed_or_unknown_units_have_no_macro_mean(rng, units, averages):
    labels = rng.standard_normal((30, 2))
    macro = scored(labels, labels + 1, units=units).macro["regression"]
    for metric in BY_KIND["regression"].values():
        assert (macro[metric.name] is None) == (metric.in_unit and not averages)
    assert scored(labels[:, :1], labels[:, :1], ["regression"]).macro["regression"]["MAE"] == 0


def test_a_comparison_keeps_the_row_of_a_mean_that_means_nothing(rng):
    labels = rng.standard_normal((30, 2))
    tasks = {"A": "regression", "B": "regression"}
    smiles = [f"m{i}" for i in range(30)]
    models = [Predicted(smiles, tasks, labels, labels + s) for s in (1.0, 0.5)]
    frame = compare(["a", "b"], models, n_bootstrap=20).frame.query("task == 'macro mean'")
    assert set(frame["metric"]) == set(BY_KIND["regression"])
    rows = frame.set_index(["metric", "model"])
    assert rows.loc[("MAE", "b"), ["value", "difference", "low", "high"]].isna().all()
    assert rows.loc[("RAE", "b"), "better"] == "yes"


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_of_too_few_labels_is_empty_with_the_reason(metric, rng):
    labels = np.arange(metric.least, dtype=float)[:, None] % 2
    predictions = rng.random(labels.shape)
    found = scored(labels, predictions, [metric.kind]).tasks["T0"].values[metric.name]
    assert found.value is not None
    few = scored(labels[1:], predictions[1:], [metric.kind]).tasks["T0"].values[metric.name]
    assert few.value is None
    assert few.reason == f"{metric.least - 1} label(s); at least {metric.least} are needed"


def test_one_class_alone_has_no_metric_but_a_reason(rng):
    scores = scored(np.zeros((20, 1)), rng.random((20, 1)), ["binary"])
    for cell in scores.tasks["T0"].values.values():
        assert cell.value is None
        assert cell.reason == "only class 0 among 20 labels"
    assert scores.macro["binary"]["Accuracy"] is None
    assert Scores.from_json(json.loads(json.dumps(scores.to_json()))) == scores


def test_worse_than_a_constant_is_said(rng):
    labels = rng.standard_normal((40, 2))
    scores = scored(labels, np.stack([labels[:, 0], -3 * labels[:, 1]], axis=1))
    (line,) = remarks(scores)
    assert line.startswith("Worse than predicting the mean of the tested labels (RAE above 1): T1")
    classes = (labels[:, :1] > 0).astype(float)
    assert "AUROC below 0.5" in remarks(scored(classes, -labels[:, :1], ["binary"]))[0]
    few = remarks(scored(labels[:4], labels[:4]))
    assert few == ["No Pearson, Spearman, Kendall (4 label(s); at least 5 are needed): T0, T1"]


@pytest.mark.parametrize("n", [2, 7, 60, 251])
def test_kendall_is_scipys_bit_for_bit(n, rng):
    y, p = rng.integers(0, 5, (40, n)).astype(float), rng.standard_normal((40, n)).round(1)
    expected = [stats.kendalltau(a, b).statistic for a, b in zip(y, p, strict=True)]
    np.testing.assert_array_equal(kendall(y, p), expected)
