"""Classes in words and numbers, numbers for "not measured", and labels far from all others."""

import numpy as np
import pandas as pd
import pytest
import yaml

from admet.config import DataConfig, TrainConfig, load_yaml_config
from admet.config.quoting import quoted
from admet.data import build_panel, load_panel, table_from_frame
from admet.errors import DataError
from admet.kinds import BINARY, REGRESSION


def config(**more):
    return DataConfig(target_columns=("y",), **more)


def panel_of(write_csv, cells, **more):
    rows = "".join(f"{'C' * (i + 1)},{cell}\n" for i, cell in enumerate(cells))
    return load_panel(write_csv(f"SMILES,y\n{rows}"), config(**more))


def labels_of(panel):
    return panel.labels.values[:, 0].tolist()


@pytest.mark.parametrize(
    ("one", "zero"),
    [
        ("yes", "no"), ("Y", "N"), ("TRUE", "FALSE"), ("t", "f"), ("active", "inactive"),
        ("Active", " INACTIVE "), ("positive", "negative"), ("POS", "NEG"), ("+", "-"),
        ("toxic", "non-toxic"), ("inhibitor", "Non inhibitor"), ("substrate", "not substrate"),
        ("mutagen", "nonmutagen"), ("present", "absent"), ("1", "-1"), ("1.0", "-1.0"),
    ],
)  # fmt: skip
def test_two_classes_are_recognised_where_it_is_certain(write_csv, caplog, one, zero):
    panel = panel_of(write_csv, [one, zero, "", one, one, zero, zero, "NA"])
    assert labels_of(panel) == [1, 0, 1, 1, 0, 0]
    assert panel.tasks[0].kind is BINARY
    assert "y: reads " in caplog.text
    assert set(panel.tasks[0].rules.map.values()) == {0, 1}


def test_words_may_stand_beside_0_and_1(write_csv):
    assert labels_of(panel_of(write_csv, ["yes", "0", "1", "no"])) == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["high", "low"] * 4, r"'high', 'low': which of them is 1\? .*{y: {high: 1, low: 0}}"),
        (["pass", "fail"] * 4, "which of them is 1"),
        (["low", "medium", "high"] * 3, r"3 classes, .* more than two classes are not supported"),
        (["active", "inactive", "inconclusive"] * 3, "3 classes"),
        (["1", "2"] * 4, r"two values only, 1 and 2\. .*{y: {1: 0, 2: 1}}; .*{y: regression}"),
        (["0", "100"] * 4, "two values only, 0 and 100"),
        (["0", "1", "2"] * 4, r"three values only, 0, 1, 2\. .*{0: 0, 1: null, 2: 1}"),
        (["-1", "0", "1"] * 4, "three values only, -1, 0, 1"),
        (["1", "2", "3"] * 4, "three values only"),
        (["1.5", "2", "low"] * 3, "must hold numbers or empty cells; it holds text at line 4"),
        (["yes", "2", "3.5"] * 3, "must hold numbers or empty cells"),
        ([f"cpd {i}" for i in range(9)], "must hold numbers or empty cells"),
    ],
)
def test_what_is_not_certain_is_asked(write_csv, cells, says):
    with pytest.raises(DataError, match=says):
        panel_of(write_csv, cells)


@pytest.mark.parametrize("cells", [["1", "2"] * 4, ["0", "1", "2"] * 4, ["-1", "1"] * 4])
def test_a_kind_that_is_set_answers_the_question(write_csv, cells):
    panel = panel_of(write_csv, cells, task_kinds={"y": "regression"})
    assert labels_of(panel) == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    "cells",
    [[str(i % 6) for i in range(24)], ["1", "2"], ["1.5", "2.5", "3"], ["0", "5", "10"] * 4],
)
def test_amounts_stay_amounts(write_csv, cells):
    panel = panel_of(write_csv, cells)
    assert panel.tasks[0].kind is REGRESSION
    assert labels_of(panel) == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    ("cells", "label_map", "expected"),
    [
        (["high", "low", "Low"], {"high": 1, "low": 0}, [1, 0, 0]),
        (["1", "2", "2.0"], {"1": 0, "2": 1}, [0, 1, 1]),
        (["1", "2", "1"], {"1": 1, "2": 0}, [1, 0, 1]),
        (["a", "b", "unclear", "a"], {"a": 1, "b": 0, "unclear": None}, [1, 0]),
        (["low", "medium", "high"], {"low": 0, "medium": 1, "high": 2}, [0, 1, 2]),
        (["3", "-999", "5"], {"-999": None}, [3, 5]),
        (["yes", "no", "no"], {"True": 1, "False": 0}, [1, 0, 0]),  # as YAML reads yes and no
    ],
)
def test_a_map_that_is_given_is_used(write_csv, cells, label_map, expected):
    panel = panel_of(write_csv, cells, label_maps={"y": label_map})
    assert labels_of(panel)[: len(expected)] == expected


def test_a_map_of_numbers_fits_a_column_of_numbers():
    frame = pd.DataFrame({"SMILES": ["C", "CC", "CCC"], "y": [1, 2, 1]})
    panel = build_panel(table_from_frame(frame), config(label_maps={"y": {"1": 0, "2": 1}}))
    assert labels_of(panel) == [0, 1, 0]
    frame["y"] = [1, 2, 0]
    with pytest.raises(DataError, match=r"does not say what others mean, at row 3 \('0'\)"):
        build_panel(table_from_frame(frame), config(label_maps={"y": {"1": 0, "2": 1}}))


def test_yaml_that_makes_truth_of_yes_and_no_is_understood(tmp_path, write_csv):
    path = tmp_path / "c.yaml"
    path.write_text("data:\n  target_columns: [y]\n  label_maps: {y: {yes: 1, no: 0}}\n")
    maps = load_yaml_config(path, TrainConfig).data.label_maps
    assert labels_of(panel_of(write_csv, ["yes", "no", "No"], label_maps=maps)) == [1, 0, 0]


NUMBERS = [str(round(v, 2)) for v in np.linspace(0.5, 40, 14)]


@pytest.mark.parametrize("sentinel", ["-999", "-99", "-9999.0", "-999.99", "-2147483648"])
def test_negative_nines_are_not_measured(write_csv, caplog, sentinel):
    panel = panel_of(write_csv, [*NUMBERS, sentinel, sentinel])
    assert labels_of(panel) == [float(cell) for cell in NUMBERS]
    assert "y: 2 cells of -" in caplog.text
    assert "count as not measured (to keep them: data.label_maps: {y: {-" in caplog.text
    assert [(n.line, n.cell, n.read_as) for n in panel.notes] == [
        (16, sentinel, ""),
        (17, sentinel, ""),
    ]
    assert {r.line for r in panel.rejected} == {16, 17}


@pytest.mark.parametrize("sentinel", ["999", "9999", "99999", "2147483647"])
def test_positive_nines_far_above_are_asked_about(write_csv, sentinel):
    with pytest.raises(
        DataError, match=rf"holds {sentinel} at line 16 .*{{y: {{{sentinel}: null}}}}"
    ):
        panel_of(write_csv, [*NUMBERS, sentinel])
    for label in (None, float(sentinel)):
        panel = panel_of(write_csv, [*NUMBERS, sentinel], label_maps={"y": {sentinel: label}})
        assert len(panel) == 14 + (label is not None)


@pytest.mark.parametrize("cell", ["99", "-9", "-40", "9.9", "-99"])
def test_nines_among_their_like_are_labels(write_csv, cell):
    cells = [*NUMBERS, cell, "-30", "-50"]
    assert labels_of(panel_of(write_csv, cells))[14] == float(cell)


def test_a_label_decades_beyond_the_others_is_asked_about(write_csv):
    says = r"holds 5e\+09 at line 16 \('5e9'\).*a slip of the unit\?.*{y: {5000000000: null}}"
    with pytest.raises(DataError, match=says):
        panel_of(write_csv, [*NUMBERS, "5e9"])
    meant = {"y": {"5000000000": 5e9}}
    assert labels_of(panel_of(write_csv, [*NUMBERS, "5e9"], label_maps=meant))[-1] == 5e9
    decades = [f"{10.0**i:g}" for i in range(-6, 6)]
    assert len(panel_of(write_csv, decades)) == 12


def test_one_negative_number_among_others_is_named(write_csv, caplog):
    panel = panel_of(write_csv, [*NUMBERS, "-1", "-1"])
    assert len(panel) == 16
    assert "2 labels are -1, the only negative ones" in caplog.text


def test_all_questions_of_a_table_are_asked_at_once(write_csv):
    rows = "".join(f"{'C' * (i + 1)},{1 + i % 2},{'hl'[i % 2]}\n" for i in range(8))
    data = DataConfig(target_columns=("a", "b"))
    with pytest.raises(DataError, match=r"(?s)'h', 'l'.*'a' has two values only"):
        load_panel(write_csv(f"SMILES,a,b\n{rows}"), data)


def test_a_model_asks_nothing_of_a_table_to_come(write_csv, caplog):
    table = table_from_frame(
        pd.DataFrame(
            {"SMILES": ["C" * (i + 1) for i in range(15)], "y": [*map(float, NUMBERS), 5e9]}
        )
    )
    assert len(build_panel(table, config(), known_kinds={"y": REGRESSION})) == 15
    assert "a slip of the unit?" in caplog.text


def test_a_map_of_words_holds_for_true_and_false_of_every_format(write_csv, tmp_path):
    words = {"y": {"true": 0, "false": 1}}
    frame = pd.DataFrame({"SMILES": ["C", "CC", "CCC", "CCCC"], "y": [True, False, False, True]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    for name in ("t.parquet", "t.csv"):
        panel = load_panel(tmp_path / name, config(label_maps=words))
        assert labels_of(panel) == [0, 1, 1, 0], name


def test_a_word_beside_a_map_may_be_added_to_it(write_csv):
    with pytest.raises(DataError, match=r"data.label_maps: \{y: \{inconclusive: null\}\}"):
        panel_of(write_csv, ["yes", "no", "inconclusive"], label_maps={"y": {"yes": 1, "no": 0}})


@pytest.mark.parametrize(
    "name", ["y", "a: b", "a\\b, c", "a\nb", 'say "x"', "NO", "1e5", "x\N{BULLET}"]
)
def test_a_suggested_key_reads_back(name):
    assert yaml.safe_load(f"{{{quoted(name)}: 1}}") == {name: 1}
