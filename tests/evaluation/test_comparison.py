import math
from dataclasses import replace

import numpy as np
import pytest

from admet.errors import DataError
from admet.evaluation import Predicted
from admet.evaluation import compare as compare_named


def model(name, smiles, labels, predictions, **tasks):
    return name, Predicted(smiles, tasks or {"A": "regression"}, labels, predictions)


def compare(models, **settings):
    comparison = compare_named(*zip(*models, strict=True), **settings)
    assert comparison.reference == models[0][0]
    return comparison.frame


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
    first, (_, second) = pair
    part = model("part", second.smiles[:30], second.labels[:30], second.predictions[:30])
    assert set(compare([first, part], n_bootstrap=20)["n"]) == {30}


@pytest.mark.slow
def test_the_macro_interval_covers_the_truth_where_tasks_have_gaps():
    """Eight tasks with one common error a molecule and different gaps; the true difference is 0."""
    hits = 0
    for repeat in range(100):
        rng = np.random.default_rng(repeat)
        n, n_tasks = 150, 8
        labels = np.zeros((n, n_tasks))
        for task in range(n_tasks):
            labels[rng.choice(n, 3 * task, replace=False), task] = np.nan
        tasks = {f"T{i}": "regression" for i in range(n_tasks)}
        smiles = [f"m{i}" for i in range(n)]
        models = [
            model(name, smiles, labels, np.tile(rng.standard_normal((n, 1)), n_tasks), **tasks)
            for name in ("a", "b")
        ]
        of_one_unit = [
            (name, replace(found, units=dict.fromkeys(tasks, "µM"))) for name, found in models
        ]
        table = compare(of_one_unit, n_bootstrap=100, seed=repeat)
        row = table[(table["task"] == "macro mean") & (table["metric"] == "MAE")].iloc[1]
        hits += row["low"] <= 0 <= row["high"]
    assert 87 <= hits <= 100


def test_tasks_that_are_not_shared_are_named(pair, caplog):
    first, (_, second) = pair
    wide = model(
        "wide",
        second.smiles,
        np.hstack([second.labels, second.labels > 0]),
        np.hstack([second.predictions, second.predictions]),
        A="regression",
        B="binary",
    )
    compare([first, wide], n_bootstrap=5)
    assert "Not compared, since not every model has them: B" in caplog.text


def test_labels_that_differ_are_refused(pair):
    first, (_, second) = pair
    other = model("other", second.smiles, second.labels + 1, second.predictions)
    with pytest.raises(DataError, match="labels of 'A' differ between worse and other"):
        compare([first, other])


def test_what_cannot_be_compared_says_why(pair):
    first, (_, second) = pair
    with pytest.raises(DataError, match="at least two models; got 1"):
        compare([first])
    with pytest.raises(DataError, match="share no task"):
        compare([first, model("x", second.smiles, second.labels, second.predictions, B="binary")])
    with pytest.raises(DataError, match="no common molecule"):
        compare([first, model("x", ["z"], np.ones((1, 1)), np.ones((1, 1)))])


def test_a_comparison_is_one_tidy_table(pair):
    """The reference's rows, and what is not defined, have gaps that are numbers."""
    names, models = zip(*pair, strict=True)
    models = [
        Predicted(m.smiles, {"A": "regression", "B": "binary"}, *(
            np.hstack([values, np.zeros_like(values)]) for values in (m.labels, m.predictions)
        ))
        for m in models
    ]  # fmt: skip
    frame = compare_named(names, models, n_bootstrap=20).frame
    assert list(frame.columns) == [
        "task", "metric", "model", "n", "value", "difference", "low", "high", "better",
    ]  # fmt: skip
    numbers = frame[["value", "difference", "low", "high"]]
    assert set(numbers.dtypes) == {np.dtype(np.float64)}
    assert frame.groupby(["task", "metric"])["model"].apply(list).tolist() == [list(names)] * 11
    reference = frame[frame["model"] == names[0]]
    assert reference[["difference", "low", "high"]].isna().all(axis=None)
    undefined = frame[(frame["task"] == "B") & (frame["metric"] == "AUROC")].iloc[1]
    assert math.isnan(undefined["value"])
    assert undefined["better"] == "unclear"
