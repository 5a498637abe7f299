"""How metrics, evaluations and comparisons count labels that are limits."""

import json

import numpy as np
import pytest

from admet.errors import DataError
from admet.evaluation import BY_KIND, Predicted, Scores, compare, score_tasks

Y = np.array([[1.0], [2.0], [3.0], [5.0], [5.0], [0.0]])
P = np.array([[1.5], [2.0], [2.0], [9.0], [4.0], [-3.0]])
LIMITS = np.array([[0], [0], [0], [1], [1], [-1]], dtype=np.int8)
"""Two predictions lie beyond their limits, one 1 short of it."""


def scored(**keys):
    return score_tasks(Y, P, ["A"], ["regression"], limits=LIMITS, **keys).tasks["A"]


def test_a_prediction_beyond_a_limit_is_no_error():
    task = scored(n_bootstrap=0)
    assert (task.n, task.n_limits) == (6, 3)
    assert task.values["MAE"].value == pytest.approx((0.5 + 0 + 1 + 0 + 1 + 0) / 6)
    assert task.values["RMSE"].value == pytest.approx(np.sqrt((0.25 + 1 + 1) / 6))


def test_other_metrics_are_of_the_measured_labels():
    task = scored(n_bootstrap=50)
    alone = score_tasks(Y[:3], P[:3], ["A"], ["regression"], n_bootstrap=50).tasks["A"]
    for name, metric in BY_KIND["regression"].items():
        same = task.values[name] == alone.values[name]
        assert same != metric.with_limits


def test_limits_of_zero_change_nothing():
    none = score_tasks(Y, P, ["A"], ["regression"])
    assert score_tasks(Y, P, ["A"], ["regression"], limits=LIMITS * 0) == none


def test_scores_with_limits_survive_json():
    scores = score_tasks(Y, P, ["A"], ["regression"], limits=LIMITS)
    stored = json.loads(json.dumps(scores.to_json()))
    assert stored["tasks"]["A"]["limits"] == 3
    assert Scores.from_json(stored) == scores


def predicted(p=P, limits=LIMITS):
    return Predicted([f"m{i}" for i in range(6)], {"A": "regression"}, Y, p, limits)


def test_predictions_with_limits_survive_json_and_show_them():
    stored = json.loads(json.dumps(predicted().to_json()))
    assert stored["limits"] == {"A": ["", "", "", ">", ">", "<"]}
    back = Predicted.from_json(stored, {"A": "regression"}, "predictions")
    assert np.array_equal(back.limits, LIMITS)
    assert back.frame["limit"].tolist() == ["", "", "", ">", ">", "<"]
    assert "limit" not in predicted(limits=None).frame


@pytest.mark.parametrize("limits", [{"B": [""] * 6}, {"A": [">"]}, {"A": [1] * 6}, {"A": 3}, [1]])
def test_damaged_limits_are_refused(limits):
    stored = predicted().to_json() | {"limits": limits}
    with pytest.raises(DataError, match="predictions.limits"):
        Predicted.from_json(stored, {"A": "regression"}, "predictions")


def test_a_comparison_counts_limits_as_a_score_does():
    rows = compare(["a", "b"], [predicted(), predicted(P + 1)], n_bootstrap=20).frame
    own = scored(n_bootstrap=0).values
    first = rows[rows.model == "a"].set_index("metric")
    assert first.loc["MAE", "value"] == pytest.approx(own["MAE"].value)
    assert first.loc["MAE", "n"] == 6
    assert first.loc["R2", "value"] == pytest.approx(own["R2"].value)
    assert first.loc["R2", "n"] == 3
    with pytest.raises(DataError, match="labels of 'A' differ"):
        compare(["a", "b"], [predicted(), predicted(limits=None)])


class Log10:
    name = "log10"

    def apply(self, values):
        return np.log10(values)


def test_metrics_are_in_the_unit_and_on_the_scale_that_was_learnt():
    y, p = np.array([[1.0], [10.0], [100.0], [0.0]]), np.array([[10.0], [10.0], [10.0], [1.0]])
    scores = score_tasks(y, p, ["A"], ["regression"], scales={"A": Log10()}, n_bootstrap=20)
    task = scores.tasks["A"]
    assert task.values["MAE"].value == pytest.approx((9 + 0 + 90 + 1) / 4)
    assert task.learnt["MAE"].value == pytest.approx(2 / 3)  # zero has no logarithm
    assert set(task.learnt) == {"MAE", "RMSE", "R2", "Pearson", "RAE"}
    stored = json.loads(json.dumps(scores.to_json()))
    assert stored["tasks"]["A"]["learnt"]["scale"] == "log10"
    assert Scores.from_json(stored) == scores
    frame = scores.frame
    assert frame[frame.metric == "MAE of log10"].value.item() == pytest.approx(2 / 3)


def test_a_limit_is_a_limit_on_the_scale_that_was_learnt():
    y, p = np.array([[1.0], [10.0], [100.0]]), np.array([[1.0], [10.0], [1e5]])
    limits = np.array([[0], [0], [1]], dtype=np.int8)
    task = score_tasks(
        y, p, ["A"], ["regression"], limits=limits, scales={"A": Log10()}, n_bootstrap=0
    ).tasks["A"]
    assert task.learnt["MAE"].value == 0


@pytest.mark.parametrize("learnt", [3, {}, {"scale": 3}, {"scale": "ln", "MAE": 3}])
def test_a_damaged_learnt_scale_is_refused(learnt):
    stored = score_tasks(Y, P, ["A"], ["regression"], n_bootstrap=0).to_json()
    stored["tasks"]["A"]["learnt"] = learnt
    with pytest.raises(DataError, match="learnt"):
        Scores.from_json(stored)
