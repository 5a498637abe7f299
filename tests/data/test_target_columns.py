import logging

import pandas as pd
import pytest

from admet.config import DataConfig
from admet.data import build_panel, load_panel, table_from_frame
from admet.data.target_columns import find_targets
from admet.errors import ConfigError, DataError

FRAME = pd.DataFrame(
    {
        "SMILES": ["CCO", "CCN", "CCC"],
        "LOG HLM": ["1", "2", ""],
        "LOG RLM": [1.0, 2.5, 3.0],
        "LOG *": [0.1, 0.2, 0.3],
        "project": ["a", "b", "c"],
        "year": [2020, 2021, 2022],
        "alike": [1, 1, 1],
    }
)


def targets(*asked, frame=FRAME, **keys):
    data = DataConfig(target_columns=asked, split_type="time", split_column="year", **keys)
    return find_targets(table_from_frame(frame), data)


def test_a_literal_name_wins_over_a_pattern():
    assert targets("LOG *") == ["LOG *"]
    assert targets("LOG *", frame=FRAME.drop(columns="LOG *")) == ["LOG HLM", "LOG RLM"]
    assert targets("LOG ?LM", "LOG RLM") == ["LOG HLM", "LOG RLM"]
    assert targets("LOG [R]LM") == ["LOG RLM"]
    assert targets("nothing") == ["nothing"]


def test_numeric_takes_what_holds_numbers_that_differ(caplog):
    with caplog.at_level(logging.INFO):
        assert targets("numeric") == ["LOG HLM", "LOG RLM", "LOG *"]
    assert "Targets by 'numeric': 3 columns: 'LOG HLM', 'LOG RLM'" in caplog.text
    named = FRAME.rename(columns={"LOG RLM": "numeric"})
    assert targets("numeric", frame=named) == ["numeric"]


@pytest.mark.parametrize("word", ["LOX *", "numeric"])
def test_a_pattern_must_match(word):
    with pytest.raises(DataError, match=f"names '{word.replace('*', '.')}', but no column"):
        targets(word, frame=FRAME[["SMILES", "project"]])


def test_patterns_work_in_a_panel():
    data = DataConfig(
        target_columns=["numeric"], task_kinds={"LOG RLM": "regression"},
        split_type="time", split_column="year",
    )  # fmt: skip
    panel = build_panel(table_from_frame(FRAME), data)
    assert panel.task_names == ["LOG HLM", "LOG RLM", "LOG *"]
    with pytest.raises(ConfigError, match="`task_kinds` names"):
        DataConfig(target_columns=["a"], task_kinds={"b": "regression"})


def test_numeric_reads_numbers_as_the_panel_does():
    frame = pd.DataFrame(
        {"SMILES": ["C", "CC", "CCC"], "y": ["1,107", "2,205", "3,1"], "flag": ["yes", "no", "yes"]}
    )
    data = DataConfig(target_columns=["numeric"], decimal="comma")
    assert find_targets(table_from_frame(frame), data) == ["y"]
    mapped = DataConfig(
        target_columns=["numeric"], decimal="comma", label_maps={"flag": {"yes": 1, "no": 0}}
    )
    assert find_targets(table_from_frame(frame), mapped) == ["y", "flag"]


def test_a_pattern_takes_no_relation_column():
    frame = pd.DataFrame({"SMILES": ["C"], "IC50": [1.0], "IC50_relation": ["="]})
    data = DataConfig(target_columns=["IC50*"], relation_columns={"IC50": "IC50_relation"})
    assert find_targets(table_from_frame(frame), data) == ["IC50"]


def test_a_broken_record_takes_no_target_away(write_csv):
    path = write_csv("SMILES,a,b\nC,1,2\nCC,2,3\nCCC,x,y,4,5\nCCCC,3,5\n")
    panel = load_panel(path, DataConfig(target_columns=["numeric"]))
    assert panel.task_names == ["a", "b"]
    assert len(panel.rejected) == 1
