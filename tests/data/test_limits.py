"""Limits of labels: cells, relation columns, declared ranges, duplicates, piles."""

import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admet.config import DataConfig
from admet.data import build_panel, load_panel, notes_frame, table_from_frame
from admet.data.label_rules import describe_piles, merge_labels, split_relation
from admet.data.label_rules.relations import relation_of
from admet.data.labels import Task
from admet.errors import ConfigError, DataError
from admet.kinds import REGRESSION


def config(**more):
    return DataConfig(target_columns=("y",), **more)


def panel_of(write_csv, *cells, **more):
    rows = "".join(f"{'C' * (i + 1)},{cell}\n" for i, cell in enumerate(cells))
    return load_panel(write_csv(f"SMILES,y\n{rows}"), config(**more))


@pytest.mark.parametrize(
    ("cell", "value", "limit"),
    [
        (">100", 100, 1), ("> 100", 100, 1), ("≥100", 100, 1), (">=1e2", 100, 1), ("> = 3", 3, 1),
        ("&gt;5", 5, 1), ("＞5", 5, 1), ("greater than 5", 5, 1), ("GT 5", 5, 1), (">> 5", 5, 1),
        ("< 0.5", 0.5, -1), ("≤ 0.5", 0.5, -1), ("<= .5", 0.5, -1), ("&lt;=2", 2, -1),
        ("<-3.5", -3.5, -1), ("less than 7", 7, -1), ("up to 7", 7, -1),
        ("~3", 3, 0), ("≈ 3", 3, 0), ("ca. 3", 3, 0), ("ca 3", 3, 0), ("CA.3", 3, 0), ("= 3", 3, 0),
        ("about 3", 3, 0), ("approx. 3", 3, 0),
    ],
)  # fmt: skip
def test_a_sign_before_a_number_is_read(write_csv, cell, value, limit):
    panel = panel_of(write_csv, "1", cell, "2.25")
    assert panel.labels.values[:, 0].tolist() == [1, value, 2.25]
    found = [0, 0, 0] if panel.labels.limits is None else panel.labels.limits[:, 0].tolist()
    assert found == [0, limit, 0]


@pytest.mark.parametrize("cell", [">", "<>3", "> NaN", ">x", "3>", "1-2", "5 > 3", "lt5x", "c5"])
def test_what_is_no_sign_stays_an_error_with_its_line(write_csv, cell):
    with pytest.raises(DataError, match=r"text at line 3"):
        panel_of(write_csv, "1", cell, "2.25")


@given(st.text(max_size=10))
def test_any_text_has_a_sign_or_none(text):
    found = split_relation(text)
    assert found is None or (found[0].limit in {-1, 0, 1} and found[1])
    relation_of(text)


def test_approximate_values_are_counted_and_listed(write_csv, caplog):
    panel = panel_of(write_csv, "1", "~3", "2")
    assert "y: 1 approximate labels (~) count as the value" in caplog.text
    assert notes_frame(panel).to_numpy().tolist() == [
        [3, "y", "~3", "3", "approximate; counts as the value"]
    ]


def test_a_relation_column_is_read():
    frame = pd.DataFrame(
        {
            "SMILES": ["C", "CC", "CCC", "CCCC", "CCCCC"],
            "y": [1.0, 2.0, 3.0, 4.0, None],
            "standard_relation": ["'='", "'>'", "<=", None, ">"],
        }
    )
    more = {"relation_columns": {"y": "standard_relation"}}
    panel = build_panel(table_from_frame(frame), config(**more))
    assert panel.labels.limits[:, 0].tolist() == [0, 1, -1, 0]
    frame["standard_relation"] = ["=", "roughly", "=", "=", "="]
    with pytest.raises(DataError, match=r"'standard_relation' of target 'y'.*row 2 \('roughly'\)"):
        build_panel(table_from_frame(frame), config(**more))
    with pytest.raises(DataError, match=r"Relation column 'standard_rel' is not in"):
        build_panel(table_from_frame(frame), config(relation_columns={"y": "standard_rel"}))


def test_a_relation_that_contradicts_the_sign_of_the_label_is_an_error(write_csv):
    path = write_csv("SMILES,y,r\nC,1,=\nCC,>2,<\nCCC,>3,=\n")
    with pytest.raises(DataError, match=r"contrary of the sign.*line 3 \('<'\)\. Correct"):
        load_panel(path, config(relation_columns={"y": "r"}))


def test_relations_that_nobody_reads_are_named(write_csv, caplog):
    load_panel(write_csv("SMILES,y,y_relation\nC,1,=\nCC,2,>\nCCC,3,\n"), config())
    assert "Column 'y_relation' holds relations (>, <) that nobody reads" in caplog.text
    assert "data.relation_columns: {TARGET: y_relation}" in caplog.text


def test_declared_limits_mark_labels_at_or_beyond_them(write_csv, caplog):
    limits = {"y": {"below": 3, "above": 150}}
    panel = panel_of(write_csv, "3", "2.5", "10", "150", "151", limits=limits)
    assert panel.labels.values[:, 0].tolist() == [3, 3, 10, 150, 150]
    assert panel.labels.limits[:, 0].tolist() == [-1, -1, 0, 1, 1]
    assert "2 labels at or beyond 3 count as <3 (1 of them lie beyond it)" in caplog.text
    assert [(n.line, n.cell, n.read_as) for n in panel.notes] == [
        (3, "2.5", "<3"),
        (6, "151", ">150"),
    ]
    assert panel.tasks[0].rules.limits.above == 150


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"y": {}}, "must hold `below`, `above` or both"),
        ({"y": {"below": 5, "above": 5}}, "must be less than `above`"),
        ({"z": {"below": 5}}, r"`limits` names \['z'\]"),
        ({"y": {"lower": 5}}, "Unknown key"),
        ("{", "is no JSON"),
    ],
)
def test_limits_that_say_nothing_are_refused(limits, message):
    with pytest.raises(ConfigError, match=message):
        config(limits=limits)


def test_classes_have_no_limits(write_csv):
    with pytest.raises(DataError, match="is binary, so no label can be a limit"):
        panel_of(write_csv, "0", "1", ">1", "0")


def merged(*records):
    """Merges the records of one molecule, (value, limit) each; another has 1."""
    values = np.array([[value] for value, _ in records] + [[1.0]])
    limits = np.array([[limit] for _, limit in records] + [[0]], dtype=np.int8)
    inverse = np.array([0] * len(records) + [1])
    tasks = [Task("y", REGRESSION)]
    found, kept, said, notes = merge_labels(values, limits, inverse, tasks, np.array([2, 3]))
    return found[0, 0], 0 if kept is None else kept[0, 0], " ".join(said), notes


@pytest.mark.parametrize(
    ("records", "value", "limit", "says"),
    [
        ([(5, 0), (3, 1)], 5, 0, "1 beside a measured value, which wins"),
        ([(5, 0), (5, 1)], 5, 0, "beside a measured value"),
        ([(5, 0), (7, 0), (100, -1)], 6, 0, "beside a measured value"),
        ([(5, 0), (10, 1)], 5, 0, "1 contradicted by that value"),
        ([(5, 0), (2, -1)], 5, 0, "1 contradicted by that value"),
        ([(5, 1), (10, 1)], 10, 1, "1 of several records, the tightest kept"),
        ([(5, -1), (10, -1)], 5, -1, "the tightest kept"),
        ([(np.nan, 0), (10, -1)], 10, -1, ""),
        ([(5, 1), (10, -1)], np.nan, 0, "1 on both sides, left empty"),
        ([(10, 1), (5, -1)], np.nan, 0, "1 on both sides, left empty"),
    ],
)
def test_duplicates_with_limits_follow_the_rules(records, value, limit, says):
    found, kept, said, notes = merged(*records)
    np.testing.assert_equal(found, value)
    assert kept == limit
    assert says in said
    assert bool(notes) == ("contradicted" in says or "both sides" in says)


@given(
    st.lists(st.tuples(st.floats(-9, 9), st.sampled_from([-1, 0, 1])), min_size=1, max_size=6),
    st.randoms(),
)
def test_the_order_of_records_does_not_matter(records, random):
    shuffled = list(records)
    random.shuffle(shuffled)
    (a, la, *_), (b, lb, *_) = merged(*records), merged(*shuffled)
    np.testing.assert_allclose(a, b, atol=1e-12)
    assert la == lb


def test_piles_at_an_edge_are_noticed(rng):
    values = np.concatenate([rng.uniform(3, 150, 90), np.full(30, 3.0)])
    (said,) = describe_piles(values, None, "HLM (mL)")
    assert "25% of the labels (30 of 120) are 3, the lowest one" in said
    assert "data.limits: {HLM (mL): {below: 3}}" in said
    limits = np.where(values == 3, -1, 0).astype(np.int8)
    assert describe_piles(values, limits, "y") == []
    assert describe_piles(rng.normal(size=500), None, "y") == []
    assert describe_piles(rng.integers(0, 6, 500).astype(float), None, "y") == []  # grades
    assert describe_piles(rng.integers(0, 40, 500).astype(float), None, "y") == []  # whole numbers
    low, high = describe_piles(np.clip(rng.normal(size=500), -1, 1), None, "y")
    assert "lowest" in low
    assert "{above: 1}" in high


def test_a_wide_panel_names_its_piles_in_few_lines(caplog):
    rng = np.random.default_rng(0)
    names = [f"k{i}" for i in range(9)]
    frame = pd.DataFrame(np.maximum(rng.normal(size=(60, 9)), 0), columns=names)
    frame["SMILES"] = ["C" * (i + 1) for i in range(60)]
    build_panel(table_from_frame(frame), DataConfig(target_columns=names))
    said = [r.message for r in caplog.records if r.levelno == logging.WARNING]
    assert sum("the lowest one" in line for line in said) == 5
    assert "Labels pile up likewise at: k5, k6, k7, k8" in said
