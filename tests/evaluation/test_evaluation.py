import copy
import json
from pathlib import Path

import numpy as np
import pytest

from admet.errors import DataError
from admet.evaluation import Evaluation, Predicted, RejectedRow, score_tasks


@pytest.fixture
def evaluation():
    smiles = ["C", "CC", "CCC", "CCCC"]
    tasks = {"A": "regression", "B": "binary"}
    labels = np.array([[0.5, 1.0], [1.5, np.nan], [np.nan, 0.0], [2.0, 1.0]])
    predictions = np.array([[0.25, 0.5], [1.0, 0.75], [3.0, 0.125], [2.5, 0.625]])
    scores = score_tasks(labels, predictions, list(tasks), list(tasks.values()), n_bootstrap=10)
    return Evaluation(
        model_dir=Path("models/a"),
        data_path=Path("assays.csv"),
        split="test",
        n_bootstrap=10,
        seed=42,
        scores=scores,
        rejected=(RejectedRow("line", 7, "x", "invalid SMILES"),),
        predicted=Predicted(smiles, tasks, labels, predictions),
    )


@pytest.fixture
def content(evaluation):
    return copy.deepcopy(evaluation.to_json())


def test_an_evaluation_has_two_tidy_tables(evaluation):
    assert evaluation.frame.equals(evaluation.scores.frame)
    frame = evaluation.predictions
    assert list(frame.columns) == ["smiles", "task", "kind", "label", "predicted"]
    assert len(frame) == evaluation.n_molecules * 2 == 8
    assert frame.iloc[1].tolist() == ["CC", "A", "regression", 1.5, 1.0]
    assert frame.iloc[4].tolist() == ["C", "B", "binary", 1.0, 0.5]
    assert frame["label"].isna().sum() == 2
    errors = (frame["label"] - frame["predicted"]).abs().groupby(frame["task"]).mean()
    assert errors["A"] == pytest.approx(evaluation.scores.tasks["A"].values["MAE"].value)


def test_a_changed_table_does_not_change_the_evaluation(evaluation):
    before = json.dumps(evaluation.to_json())
    for frame in (evaluation.frame, evaluation.predictions):
        frame.iloc[:, 3:] = 0
    assert json.dumps(evaluation.to_json()) == before


def test_the_keys_of_a_result_stand_in_their_order(content):
    assert list(content) == [
        "schema_version", "model_dir", "data_path", "split", "n_molecules", "n_bootstrap", "seed",
        "tasks", "macro", "rejected", "predictions",
    ]  # fmt: skip
    assert content["rejected"] == [{"line": 7, "smiles": "x", "reason": "invalid SMILES"}]
    assert content["predictions"]["labels"]["B"] == [1.0, None, 0.0, 1.0]


@pytest.mark.parametrize("unit", ["line", "row"])
def test_an_evaluation_comes_back_from_its_json(content, unit):
    content["rejected"] = [{unit: 7, "smiles": "x", "reason": "invalid SMILES"}]
    text = json.dumps(content, allow_nan=False)
    again = Evaluation.from_json(json.loads(text), "e.json")
    assert json.dumps(again.to_json()) == text
    assert again.model_dir == Path("models/a")
    assert again.rejected == (RejectedRow(unit, 7, "x", "invalid SMILES"),)
    assert again.predicted.tasks == {"A": "regression", "B": "binary"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("schema_version", True, "`schema_version` must be a whole number of at least 1; got True"),
        ("schema_version", 0, "`schema_version` must be a whole number of at least 1; got 0"),
        ("tasks.A.kind", 1, "`tasks.A.kind` must be a text; got 1"),
        ("tasks.A.kind", "ordinal", "unknown kinds \\['ordinal'\\]. Evaluate the model again"),
        ("tasks", {}, "is damaged: it holds no task. Evaluate the model again"),
        ("tasks.A.MAE.value", "1", "`tasks.A.MAE.value` must be a finite number or null"),
        ("predictions.smiles", "C", "`predictions.smiles` must be a list; got 'C'"),
        ("predictions.smiles", ["C", "CC", "CCC", None], "`predictions.smiles.3` must be a text"),
        ("predictions.labels", {"A": [1, 2]}, "KeyError 'B'"),
        ("predictions.labels.A", [1, 2], "not a result of `admet evaluate`: ValueError"),
        ("predictions.predicted.B", [1, 2, 3, None], "`predictions.predicted.B.3` must be a numb"),
        ("model_dir", 3, "`model_dir` must be a text; got 3"),
        ("data_path", None, "`data_path` must be a text; got None"),
        ("split", "\ud800", "`split` must be a text"),
        ("n_molecules", 5, "`n_molecules` must be 4, the number of SMILES; got 5"),
        ("n_bootstrap", 1.5, "`n_bootstrap` must be a whole number"),
        ("seed", -1, "`seed` must be a whole number of at least 0; got -1"),
        ("macro.binary", None, "`macro.binary` must be an object; got None"),
        ("rejected", {}, "`rejected` must be a list; got {}"),
        ("rejected", [{"smiles": "x", "reason": ""}], "`rejected.0.line` is missing"),
        ("rejected", [{"row": 0, "smiles": "x", "reason": ""}], "`rejected.0.row` must be a whole"),
    ],
)
def test_an_evaluation_that_is_none_is_refused(content, path, value, message):
    *keys, last = path.split(".")
    part = content
    for key in keys:
        part = part[key]
    part[last] = value
    with pytest.raises(DataError, match=message) as caught:
        Evaluation.from_json(content, "e.json")
    assert "'e.json'" in str(caught.value)


@pytest.mark.parametrize(
    "key", ["schema_version", "model_dir", "split", "tasks", "macro", "rejected", "predictions"]
)
def test_a_member_that_is_missing_is_named(content, key):
    del content[key]
    with pytest.raises(DataError, match=f"not a result of `admet evaluate`: `{key}` is missing."):
        Evaluation.from_json(content, "e.json")
