"""Sides that hold enough: molecules, labels, classes and values."""

import itertools
import logging

import numpy as np
import pytest

from admet.config import DataConfig
from admet.data import SIDES, Labels, Panel, Task, check_learnable, folds, split_panel
from admet.data.splits.times import sides_by_time
from admet.errors import ConfigError, DataError, RunDirectoryError
from admet.kinds import BINARY, REGRESSION

RATIOS = np.array([0.8, 0.1, 0.1])
CHAINS = ["C" * (i + 1) + "O" for i in range(130)]


def panel_of(labels, kind=REGRESSION, *, smiles=None, values=None):
    labels = np.asarray(labels, dtype=float).reshape(len(labels), -1)
    tasks = tuple(Task(f"y{i}", kind) for i in range(labels.shape[1]))
    smiles = np.array(CHAINS[: len(labels)] if smiles is None else smiles, dtype=object)
    return Panel(smiles, Labels(labels), tasks, np.arange(len(labels)), values)


def config(kind, **keys):
    column = "c" if kind in ("time", "group", "predefined") else None
    return DataConfig(target_columns=("y0",), split_type=kind, split_column=column, **keys)


def sides_of(panel, data, seed=0):
    return np.array([SIDES.index(name) for name in split_panel(panel, data, seed).names()])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([20] * 5, [60, 20, 20]),
        ([20] * 3, [20, 20, 20]),
        ([1] * 30, [24, 3, 3]),
        ([1, 1, 1], [1, 1, 1]),
        ([90, 5, 5], [90, 5, 5]),
        ([10, 80, 5, 5], [90, 5, 5]),
        ([5, 5, 90], [5, 5, 90]),
    ],
)
def test_a_time_stays_whole_and_the_cut_serves_the_ratios(counts, expected, rng):
    times = rng.permutation(np.repeat(np.arange(float(len(counts))), counts))
    sides = sides_by_time(times, RATIOS)
    assert np.bincount(sides, minlength=3).tolist() == expected
    for earlier, later in itertools.pairwise(range(3)):
        assert times[sides == earlier].max() < times[sides == later].min()


def test_no_other_cut_by_time_is_nearer_to_the_ratios(rng):
    for _ in range(30):
        counts = rng.integers(1, 12, rng.integers(3, 12))
        n, ends = counts.sum(), np.cumsum(counts)
        wanted = np.diff(np.round(np.cumsum(RATIOS) * n), prepend=0)
        sides = sides_by_time(np.repeat(np.arange(float(len(counts))), counts), RATIOS)
        off = np.abs(np.bincount(sides, minlength=3) - wanted).sum()
        best = min(
            np.abs(np.array([a, b - a, n - b]) - wanted).sum()
            for a, b in itertools.combinations(ends[:-1], 2)
        )
        assert off == best


def test_acyclic_molecules_come_to_every_side():
    assert np.bincount(sides_of(panel_of(np.arange(100)), config("scaffold"))).tolist() == [
        80, 10, 10,
    ]  # fmt: skip


def test_few_acyclic_molecules_stay_together():
    rings = [
        f"{'C' * i}c1ccc({'C' * j}C2{'C' * (i + 2)}C2)cc1" for i in range(10) for j in range(9)
    ]
    panel = panel_of(np.arange(94), smiles=[*rings, "CCO", "CCN", "CCC", "CCF"])
    for seed in range(5):
        assert len(set(sides_of(panel, config("scaffold"), seed)[-4:])) == 1


@pytest.mark.parametrize("seed", range(4))
def test_classes_come_to_every_side_in_about_the_ratios(seed):
    panel = panel_of([0] * 120 + [1] * 10, BINARY)
    positives = np.bincount(sides_of(panel, config("random"), seed)[120:], minlength=3)
    assert positives[0] >= 6
    assert positives.min() >= 1
    for split in folds(panel_of([0] * 120 + [1] * 10, BINARY), "random", n_folds=5, seed=seed):
        for rows in split.parts.values():
            assert len(set(panel.labels.values[rows, 0])) == 2


def test_a_value_that_differs_comes_to_every_side():
    labels = np.full(100, 5.0)
    labels[:4] = [1, 2, 3, 4]
    for seed in range(4):
        sides = sides_of(panel_of(labels), config("random"), seed)
        assert set(sides[:4].tolist()) == {0, 1, 2}


def test_groups_serve_the_ratios():
    for sizes, expected in (([10] * 10, [80, 10, 10]), ([60, 10, 10, 10, 10], [80, 10, 10])):
        groups = np.repeat(np.arange(len(sizes)), sizes)
        panel = panel_of(np.arange(100), values=groups)
        assert np.bincount(sides_of(panel, config("group"))).tolist() == expected


@pytest.mark.parametrize(
    ("kind", "panel", "says"),
    [
        ("time", panel_of(np.arange(40), values=np.repeat([0.0, 1.0], 20)), r"2 time\(s\)"),
        ("group", panel_of(np.arange(40), values=np.repeat([0, 1], 20)), r"2 group\(s\)"),
        (
            "scaffold",
            panel_of(np.arange(40), smiles=[f"{'C' * i}c1ccccc1" for i in range(1, 41)]),
            r"1 scaffold\(s\)",
        ),
    ],
)
def test_a_requested_side_that_stays_empty_is_an_error_with_the_remedy(kind, panel, says):
    with pytest.raises(DataError, match=rf"stays empty: {says}.*set the ratio of that side to 0"):
        split_panel(panel, config(kind), 0)


@pytest.mark.parametrize(
    ("labels", "kind", "says"),
    [
        ([0.0] * 8 + [1.0] * 2, BINARY, "only one class, 0, on the training side .*8 labels"),
        ([3.0] * 8 + [1.0, 2.0], REGRESSION, "only one value, 3, on the training side"),
        ([1.0] + [np.nan] * 7 + [1.0, 2.0], REGRESSION, "has 1 label on the training side"),
        ([np.nan] * 8 + [1.0, 2.0], REGRESSION, "No label on the training side"),
    ],
)
def test_a_task_that_cannot_be_learnt_is_an_error_with_the_remedy(labels, kind, says):
    panel = panel_of(labels, kind)
    with pytest.raises(DataError, match=says) as caught:
        check_learnable(panel, np.arange(8), ["y0"])
    assert "Choose another data.split_type" in str(caught.value)
    check_learnable(panel, np.arange(8), ["another"])


def test_few_labels_are_a_warning_with_the_number(caplog):
    panel = panel_of([0] * 120 + [1] * 10, BINARY)
    positives_together = np.r_[np.zeros(110), np.ones(10), np.full(10, 2)].astype(np.int8)
    with caplog.at_level(logging.WARNING):
        split_panel(Panel(panel.smiles, panel.labels, panel.tasks, panel.lines, positives_together),
                    config("predefined"), 0)  # fmt: skip
    assert "Only one class or value on the training side: y0 (110 × 0)" in caplog.text
    assert "Only one class or value on the test side: y0 (10 × 1)" in caplog.text
    caplog.clear()
    split_panel(panel, config("random"), 0)
    assert "Few labels (below 10) on the test side: y0 (1 of class 1)" in caplog.text


def earlier_run(tmp_path, rows):
    (tmp_path / "split.csv").write_text("line,smiles,split\n" + rows)
    return tmp_path


def test_old_molecules_keep_their_side_and_new_ones_are_dealt(tmp_path, caplog):
    old = {smiles: ("test", "train", "val")[i % 3] for i, smiles in enumerate(CHAINS[:60])}
    run = earlier_run(tmp_path, "".join(f"1,{s},{side}\n" for s, side in old.items()))
    data = config("random", split_from=run)
    with caplog.at_level(logging.INFO):
        names = split_panel(panel_of(np.arange(130)), data, 0).names()
    assert names[:60] == list(old.values())
    assert "60 molecules keep their side, 70 new ones are dealt" in caplog.text
    counts = [names.count(side) for side in SIDES]
    assert counts == [90, 20, 20]  # the new ones train, since the old sides are overfull
    by_scaffold = split_panel(panel_of(np.arange(130)), config("scaffold", split_from=run), 0)
    assert by_scaffold.names()[:60] == list(old.values())


def test_new_molecules_follow_the_old_ones_of_their_block(tmp_path):
    run = earlier_run(tmp_path, "1,Cc1ccccc1,test\n2,C1CC1C,train\n3,C1CCC1C,val\n")
    smiles = ["Cc1ccccc1", "C1CC1C", "C1CCC1C", "CCc1ccccc1", "CCCc1ccccc1"]
    panel = panel_of(np.arange(5), smiles=smiles)
    names = split_panel(panel, config("scaffold", split_from=run), 0).names()
    assert names == ["test", "train", "val", "test", "test"]


def test_an_earlier_split_by_time_deals_the_new_by_time(tmp_path):
    run = earlier_run(tmp_path, "".join(f"1,{s},train\n" for s in CHAINS[:10]))
    panel = panel_of(np.arange(20), values=np.arange(20.0))
    names = split_panel(panel, config("time", split_from=run), 0).names()
    assert names == ["train"] * 18 + ["val", "test"]


def test_an_earlier_split_that_does_not_fit_is_said(tmp_path, caplog):
    run = earlier_run(tmp_path, "1,c1ccccc1,train\n")
    split_panel(panel_of(np.arange(30)), config("random", split_from=run), 0)
    assert "has none of these molecules" in caplog.text
    with pytest.raises(RunDirectoryError, match="nowhere. holds no split.csv. Name a folder that"):
        split_panel(panel_of(np.arange(30)), config("random", split_from=tmp_path / "nowhere"), 0)
    with pytest.raises(ConfigError, match="both say on which side"):
        config("predefined", split_from=run)
