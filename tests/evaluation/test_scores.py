import copy
import json

import numpy as np
import pytest

from admet.errors import DataError
from admet.evaluation import BY_KIND, Scores, Value, score_tasks


@pytest.fixture
def scores(rng):
    """Two regression tasks, one of them with a single label, and a binary one."""
    labels = rng.standard_normal((30, 3))
    labels[:, 1] = labels[:, 1] > 0
    labels[1:, 2] = np.nan
    predictions = rng.random((30, 3))
    return score_tasks(
        labels, predictions, ["A", "B", "C"], ["regression", "binary", "regression"], n_bootstrap=20
    )


def test_scores_pass_over_gaps_and_average_by_kind(rng):
    labels = rng.standard_normal((40, 3))
    labels[:, 2] = labels[:, 2] > 0
    labels[:5, 0] = np.nan
    predictions = np.where(np.isnan(labels), 9.0, labels)
    result = score_tasks(
        labels, predictions, ["A", "B", "C"], ["regression", "regression", "binary"], n_bootstrap=20
    )
    assert result.tasks["A"].n == 35
    assert result.tasks["A"].values["MAE"] == Value(0.0, 0.0, 0.0)
    assert result.macro["regression"]["R2"] == 1.0
    assert result.macro["binary"]["AUROC"] == 1.0


def test_a_task_with_one_label_scores_nothing():
    labels = np.array([[1.0], [np.nan]])
    result = score_tasks(labels, labels, ["A"], ["regression"])
    assert result.tasks["A"].values["MAE"] == Value(reason="1 label(s); at least 2 are needed")
    assert result.macro["regression"]["MAE"] is None


def test_intervals_cover_the_truth_at_about_their_level(rng):
    """The MAE of standard normal errors is √(2/π)."""
    hits = 0
    for repeat in range(200):
        error = rng.standard_normal((100, 1))
        cell = (
            score_tasks(
                np.zeros_like(error), error, ["A"], ["regression"], n_bootstrap=200, seed=repeat
            )
            .tasks["A"]
            .values["MAE"]
        )
        hits += cell.low <= np.sqrt(2 / np.pi) <= cell.high
    assert 0.88 <= hits / 200 <= 0.99


def test_scores_are_one_tidy_table(scores):
    frame = scores.frame
    assert list(frame.columns) == ["task", "kind", "metric", "n", "value", "low", "high"]
    assert frame["n"].dtype == np.int64
    assert set(frame[["value", "low", "high"]].dtypes) == {np.dtype(np.float64)}
    per_task = [len(BY_KIND[task.kind]) for task in scores.tasks.values()]
    assert len(frame) == sum(per_task) + sum(len(BY_KIND[kind]) for kind in scores.macro)
    rows = frame.set_index(["task", "metric"])
    auroc = scores.tasks["B"].values["AUROC"]
    assert rows.loc[("B", "AUROC")].tolist() == ["binary", 30, auroc.value, auroc.low, auroc.high]
    assert rows.loc[("C", "MAE"), ["value", "low", "high"]].isna().all()


def test_macro_rows_count_the_labels_that_they_average(scores):
    """`C` has one label, so no metric of it is defined; the mean is that of `A` alone."""
    macro = scores.frame.query("task == 'macro mean'").set_index(["kind", "metric"])
    assert list(macro.index) == [(kind, m) for kind in scores.macro for m in BY_KIND[kind]]
    assert macro.loc[("regression", "MAE"), "n"] == 30
    assert macro.loc[("regression", "MAE"), "value"] == scores.tasks["A"].values["MAE"].value
    assert macro[["low", "high"]].isna().all(axis=None)


def test_scores_come_back_from_their_json(scores):
    again = Scores.from_json(json.loads(json.dumps(scores.to_json(), allow_nan=False)))
    assert again == scores
    assert json.dumps(again.to_json()) == json.dumps(scores.to_json())  # in this order, too


def test_scores_older_than_a_metric_are_read(scores):
    content = scores.to_json()
    for part in (content["tasks"]["B"], content["macro"]["binary"]):
        del part["MCC"]
    again = Scores.from_json(content)
    assert "MCC" not in set(again.frame["metric"])
    assert len(again.frame) == len(scores.frame) - 2


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("tasks", None, "`tasks` must be an object; got None"),
        ("tasks", {}, "`tasks` must be an object of at least one task; got {}"),
        ("tasks.A", [], "`tasks.A` must be an object; got \\[\\]"),
        ("tasks.A.kind", "ordinal", "`tasks.A.kind` must be one of regression, binary; got 'ord"),
        ("tasks.A.n", True, "`tasks.A.n` must be a whole number of at least 0; got True"),
        ("tasks.A.n", -1, "`tasks.A.n` must be a whole number of at least 0; got -1"),
        ("tasks.A.MAE", {"value": 1.0}, "`tasks.A.MAE.low` is missing"),
        ("tasks.A.MAE.low", "1", "`tasks.A.MAE.low` must be a finite number or null; got '1'"),
        ("tasks.A.MAE.low", float("nan"), "must be a finite number or null; got nan"),
        ("tasks.A.MAE.low", 10**400, "must be a finite number or null; got 1000"),
        ("tasks.A.new", {"value": 1, "low": 1, "high": 1}, "`tasks.A` must hold the metrics of `m"),
        ("macro", {}, "`macro` must be an object of binary, regression; got {}"),
        ("macro.binary.MCC", float("inf"), "`macro.binary.MCC` must be a finite number or null"),
        ("macro.binary.\ud800", 1.0, "`tasks.B` must hold the metrics of `macro.binary`"),
    ],
)
def test_scores_that_are_none_are_refused(scores, path, value, message):
    content = copy.deepcopy(scores.to_json())
    *keys, last = path.split(".")
    part = content
    for key in keys:
        part = part[key]
    part[last] = value
    with pytest.raises(DataError, match=message):
        Scores.from_json(content)


@pytest.mark.parametrize("content", [None, [], "x", {}, {"tasks": {}}])
def test_what_holds_no_scores_is_refused(content):
    with pytest.raises(DataError, match="must be an object|is missing"):
        Scores.from_json(content)
