"""Results as a notebook shows them: names stay text, pictures draw themselves."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from admet.config import TaskAffinityConfig
from admet.evaluation import Evaluation, Predicted, compare, score_tasks
from admet.figures import Mark, intervals
from admet.model.chemprop.task_affinity.estimators import AffinityEstimate
from admet.model.chemprop.task_affinity.estimators.estimate import Doubt
from admet.model.chemprop.task_affinity.groups import group_tasks
from admet.names import number, short_number
from admet.notebook import table_html
from admet.study.statistics import Contrast
from admet.study.verdict import Verdict

NASTY = [
    "<script>alert(1)</script>",
    "a & b",
    "$x_1$ and $y^2",
    '"quoted" <b>',
    "肝細胞クリアランスの測定値と水溶性の測定値",
    "log10_human_hepatocyte_clearance_uL_per_min_10e6_cells",
]


def is_safe(html):
    return "<script" not in html and "<b>" not in html and "&lt;script&gt;" in html


def draws_itself(figure):
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    return True


@pytest.fixture
def estimate():
    rng = np.random.default_rng(0)
    n = len(NASTY)
    matrix = rng.uniform(-1, 1, (n, n))
    matrix = (matrix + matrix.T) / 2
    np.fill_diagonal(matrix, 1.0)
    components = rng.normal(0, 0.1, (4, n, n))
    doubt = Doubt(matrix - 0.4, matrix + 0.4, np.full(n, 0.9), components, 2)
    common = np.full((n, n), 50)
    return AffinityEstimate(matrix, common, 10, common, doubt, names=tuple(NASTY))


def evaluation_of(names, kinds=None, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(40, len(names)))
    predicted = y + rng.normal(size=y.shape)
    kinds = kinds or ["regression"] * len(names)
    for column, kind in enumerate(kinds):
        if kind == "binary":
            y[:, column] = y[:, column] > 0
    scores = score_tasks(y, predicted, names, kinds, n_bootstrap=20)
    known = Predicted(
        ["C" * (i + 1) for i in range(40)], dict(zip(names, kinds, strict=True)), y, predicted,
        None, None, {},
    )  # fmt: skip
    return Evaluation(Path("<script>run"), Path("t.csv"), "test", 20, 0, scores, (), known)


def test_an_affinity_shows_itself(estimate):
    assert is_safe(estimate._repr_html_())
    assert draws_itself(estimate.plot())
    frame = estimate.frame
    assert len(frame) == len(NASTY) * (len(NASTY) - 1)
    row = frame[(frame["source"] == NASTY[0]) & (frame["target"] == NASTY[2])].iloc[0]
    assert row["affinity"] == estimate.matrix[0, 2]
    assert row["low"] == estimate.doubt.low[0, 2]


def test_an_affinity_without_names_and_doubt_shows_itself(estimate):
    bare = replace(estimate, doubt=None, names=())
    assert "task 0" in bare._repr_html_()
    assert draws_itself(bare.plot())
    assert bare.frame["low"].isna().all()


@pytest.mark.parametrize("n_groups", [2, "auto"])
def test_a_grouping_shows_itself(estimate, n_groups):
    grouping = group_tasks(estimate, NASTY, TaskAffinityConfig(n_groups=n_groups))
    assert is_safe(grouping._repr_html_())
    assert draws_itself(grouping.plot())
    assert draws_itself(replace(grouping, co_assignment=None).plot())
    frame = grouping.frame
    assert sorted(frame["task"]) == sorted(NASTY)
    for place, group in enumerate(grouping.groups, start=1):
        assert tuple(frame[frame["group"] == place]["task"]) == group.tasks


def test_an_evaluation_shows_itself():
    kinds = ["binary", *["regression"] * 5]
    found = evaluation_of(NASTY, kinds)
    assert is_safe(found._repr_html_())
    assert is_safe(found.scores._repr_html_())
    assert draws_itself(found.plot())
    assert draws_itself(found.plot("AUROC"))
    assert draws_itself(evaluation_of(["a"], ["binary"]).scores.plot())


def test_a_comparison_shows_itself():
    first, second = evaluation_of(NASTY), evaluation_of(NASTY)
    better = replace(
        second.predicted, predictions=(second.predicted.predictions + second.predicted.labels) / 2
    )
    found = compare(["<script>one", "two"], [first.predicted, better], n_bootstrap=20)
    assert is_safe(found._repr_html_())
    assert draws_itself(found.plot())
    assert len(found.frame) == len(found.rows)


def test_a_verdict_shows_itself():
    gain = Contrast(-0.2, -0.3, -0.1, 0.95, 0.05, 0.0)
    found = Verdict(
        NASTY[0], 100, "kernel", True, [], {"kernel": 0.5, "single_task": 0.6}, "composite", 0.45,
        {"single_task": gain}, "alone",
    )  # fmt: skip
    assert is_safe(found._repr_html_())
    assert "-20 % [-30, -10], better" in found._repr_html_()
    assert draws_itself(found.plot())
    assert found.frame.equals(pd.DataFrame([found.row()]))


@pytest.mark.parametrize("n", [3, 200])
def test_a_picture_of_many_rows_draws(n):
    marks = [
        Mark(f"{name}{i}", series, i, i - 1, math.nan)
        for i in range(n)
        for name in NASTY[:1]
        for series in ("one", "$two$")
    ]
    assert draws_itself(intervals(marks, "$title$", "axis", zero=0.0))


@pytest.mark.parametrize(
    ("value", "cell", "column"),
    [
        (None, "–", "–"), (math.nan, "–", "–"), (0.0, "0", "0.000"), (-0.12345, "-0.123", "-0.123"),
        (0.00012345, "0.000123", "0.000"), (99.95, "100", "99.950"), (999.4, "999", "999.400"),
        (999.6, "1,000", "999.600"), (-12345.6, "-12,346", "-1.23e+04"), (math.inf, "inf", "inf"),
    ],
)  # fmt: skip
def test_a_number_is_written_for_a_cell_or_a_column(value, cell, column):
    assert short_number(value) == cell
    assert number(value) == column


def test_a_long_table_says_what_it_leaves_out():
    html = table_html([{"task": f"t{i}", "value": i} for i in range(400)])
    assert html.count("<tr>") == 251
    assert "and 150 more rows" in html
    assert table_html([]) != ""
