import numpy as np
import pandas as pd
import pytest

from admet.inference.held_out import LEVELS, held_out
from admet.run_directory import Files, load_model
from admet.training.outputs import read_predicted, read_scores

pytestmark = pytest.mark.slow


def test_the_stored_test_side_is_read_as_it_was_written(trained):
    model = load_model(trained)
    found = read_predicted(trained, model.spec)
    frame = pd.read_csv(trained / Files.PREDICTIONS)
    for place, name in enumerate(model.task_names):
        np.testing.assert_array_equal(found.labels[:, place], frame[name])
        np.testing.assert_array_equal(found.predictions[:, place], frame[f"{name}_pred"])
    scores = read_scores(trained)["test"].tasks["LogD"]
    errors = np.abs(found.labels[:, 0] - found.predictions[:, 0])
    assert np.nanmean(errors) == pytest.approx(scores.values["MAE"].value)


def test_intervals_of_the_test_side_are_those_of_predict(trained):
    model = load_model(trained)
    tested = read_predicted(trained, model.spec)
    found = held_out(model, tested)
    told = model.predict(list(tested.smiles), intervals=LEVELS[0], nearest=True)
    for place, task in enumerate(model.spec.tasks):
        own = found.cells[found.cells["task"] == task.name]
        rows = np.isfinite(tested.labels[:, place])
        np.testing.assert_array_equal(own["SMILES"], np.array(tested.smiles)[rows])
        np.testing.assert_allclose(own["similarity"], told[f"{task.name}_similarity"][rows])
        if task.kind == "regression":
            np.testing.assert_allclose(own["low"], told[f"{task.name}_low"][rows])
            inside = (own["low"] <= own["label"]) & (own["label"] <= own["high"])
            share = found.coverage.query("task == @task.name and level == 0.8")["coverage"]
            if len(share):
                assert share.item() == pytest.approx(inside.mean())


def test_intervals_of_a_study_hold_what_its_coverage_says(hostile_study):
    cells = pd.read_parquet(hostile_study / "intervals.parquet")
    coverage = pd.read_csv(hostile_study / "coverage.csv")
    coverage = coverage[coverage["similarity"].isna() & (coverage["level"] == LEVELS[0])]
    limited = pd.read_csv(hostile_study / "pictures" / "measured.csv")["limit"].to_numpy() != 0
    assert len(limited) == len(cells)
    told = 0
    for _, row in coverage.iterrows():
        own = cells[(cells["task"] == row["task"]) & ~limited].dropna(subset=["low"])
        if len(own):
            told += 1
            inside = (own["low"] <= own["label"]) & (own["label"] <= own["high"])
            assert row["n"] == len(own)
            assert inside.mean() == pytest.approx(row["coverage"])
    assert told == 3  # one has two classes
