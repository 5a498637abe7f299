import numpy as np
import pytest

from admet.errors import DataError
from admet.evaluation import Predicted, compare, score_tasks


def test_scores_pass_over_gaps_and_average_by_kind(rng):
    labels = rng.standard_normal((40, 3))
    labels[:, 2] = labels[:, 2] > 0
    labels[:5, 0] = np.nan
    predictions = np.where(np.isnan(labels), 9.0, labels)
    result = score_tasks(
        labels, predictions, ["A", "B", "C"], ["regression", "regression", "binary"], n_bootstrap=20
    )
    assert result["tasks"]["A"]["n"] == 35
    assert result["tasks"]["A"]["MAE"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert result["macro"]["regression"]["R2"] == 1.0
    assert result["macro"]["binary"]["AUROC"] == 1.0


def test_a_task_with_one_label_scores_nothing():
    labels = np.array([[1.0], [np.nan]])
    result = score_tasks(labels, labels, ["A"], ["regression"])
    assert result["tasks"]["A"]["MAE"]["value"] is None
    assert result["macro"]["regression"]["MAE"] is None


def test_intervals_cover_the_truth_at_about_their_level(rng):
    """The MAE of standard normal errors is √(2/π)."""
    hits = 0
    for repeat in range(200):
        error = rng.standard_normal((100, 1))
        cell = score_tasks(
            np.zeros_like(error), error, ["A"], ["regression"], n_bootstrap=200, seed=repeat
        )["tasks"]["A"]["MAE"]
        hits += cell["low"] <= np.sqrt(2 / np.pi) <= cell["high"]
    assert 0.88 <= hits / 200 <= 0.99


def model(name, smiles, labels, predictions, **tasks):
    return Predicted(name, smiles, tasks or {"A": "regression"}, labels, predictions)


@pytest.fixture
def pair(rng):
    smiles = [f"m{i}" for i in range(80)]
    y = rng.standard_normal((80, 1))
    noise = rng.standard_normal((80, 1))
    first = model("worse", smiles, y, y + noise)
    order = rng.permutation(80)
    second = model("better", [smiles[i] for i in order], y[order], (y + 0.5 * noise)[order])
    return first, second


def test_differences_are_paired_by_molecule(pair):
    table = compare(pair, n_bootstrap=200).set_index(["metric", "model"])
    row = table.loc[("MAE", "better")]
    # Every error is halved, so the paired difference is exactly half the first model's MAE.
    assert row["difference"] == pytest.approx(-0.5 * table.loc[("MAE", "worse"), "value"])
    assert row["high"] < 0
    assert row["better"] == "yes"
    assert table.loc[("R2", "better"), "better"] == "yes"
    assert table.loc[("MAE", "worse"), "better"] == ""


def test_the_order_of_models_turns_the_verdict(pair):
    table = compare(pair[::-1], n_bootstrap=200).set_index(["metric", "model"])
    assert table.loc[("MAE", "worse"), "better"] == "worse"


def test_a_model_against_itself_is_unclear(pair):
    table = compare([pair[0], pair[0]], n_bootstrap=50)
    assert (table["difference"].dropna() == 0).all()
    assert set(table["better"]) == {"", "unclear"}


def test_only_common_molecules_count(pair):
    first, second = pair
    part = model("part", second.smiles[:30], second.labels[:30], second.predictions[:30])
    assert set(compare([first, part], n_bootstrap=20)["n"]) == {30}


def test_the_macro_interval_covers_the_truth_where_tasks_have_gaps():
    """Eight tasks with one common error a molecule and different gaps; the true difference is 0."""
    hits = 0
    for repeat in range(100):
        rng = np.random.default_rng(repeat)
        n, n_tasks = 150, 8
        labels = np.zeros((n, n_tasks))
        for task in range(n_tasks):
            labels[rng.choice(n, 3 * task, replace=False), task] = np.nan
        names = {f"T{i}": "regression" for i in range(n_tasks)}
        smiles = [f"m{i}" for i in range(n)]
        models = [
            Predicted(name, smiles, names, labels, np.tile(rng.standard_normal((n, 1)), n_tasks))
            for name in ("a", "b")
        ]
        table = compare(models, n_bootstrap=100, seed=repeat)
        row = table[(table["task"] == "macro mean") & (table["metric"] == "MAE")].iloc[1]
        hits += row["low"] <= 0 <= row["high"]
    assert 87 <= hits <= 100


def test_tasks_that_are_not_shared_are_named(pair, caplog):
    first, second = pair
    wide = Predicted(
        "wide",
        second.smiles,
        {"A": "regression", "B": "binary"},
        np.hstack([second.labels, second.labels > 0]),
        np.hstack([second.predictions, second.predictions]),
    )
    compare([first, wide], n_bootstrap=5)
    assert "Not compared, since not every model has them: B" in caplog.text


def test_labels_that_differ_are_refused(pair):
    first, second = pair
    other = model("other", second.smiles, second.labels + 1, second.predictions)
    with pytest.raises(DataError, match="labels of 'A' differ between worse and other"):
        compare([first, other])


def test_what_cannot_be_compared_says_why(pair):
    first, second = pair
    with pytest.raises(DataError, match="at least two models; got 1"):
        compare([first])
    with pytest.raises(DataError, match="share no task"):
        compare([first, model("x", second.smiles, second.labels, second.predictions, B="binary")])
    with pytest.raises(DataError, match="no common molecule"):
        compare([first, model("x", ["z"], np.ones((1, 1)), np.ones((1, 1)))])
