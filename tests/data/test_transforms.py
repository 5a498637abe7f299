"""Transforms, which of them labels speak for, and the labels that they do not allow."""

import logging
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from admet.config import DataConfig
from admet.config.data import TransformName
from admet.data import build_panel, load_panel, table_from_frame
from admet.data.labels import Task
from admet.data.scales import decided, suggest
from admet.data.transforms import (
    AUTO,
    LN,
    LOG1P,
    LOG10,
    LOGIT,
    LOGIT_FRACTION,
    NO_TRANSFORM,
    TRANSFORMS,
)
from admet.errors import ConfigError, DataError
from admet.kinds import BINARY, REGRESSION

RANGES = {
    NO_TRANSFORM: (-1e30, 1e30),
    AUTO: (-1e30, 1e30),
    LOG10: (1e-100, 1e100),
    LN: (1e-100, 1e100),
    LOG1P: (0.0, 1e100),
    LOGIT: (0.0, 100.0),
    LOGIT_FRACTION: (0.0, 1.0),
}


def test_every_transform_can_be_written_in_a_configuration():
    assert set(TRANSFORMS) == set(get_args(TransformName))
    assert set(RANGES) == set(TRANSFORMS.values())
    assert [repr(transform) for transform in TRANSFORMS.values()] == list(TRANSFORMS)


@pytest.mark.parametrize("transform", RANGES, ids=repr)
@given(data=st.data())
def test_undoing_gives_what_was_applied(transform, data):
    low, high = RANGES[transform]
    values = np.array(data.draw(st.lists(st.floats(low, high), min_size=1, max_size=9)))
    assert transform.allows(values).all()
    learnt = transform.apply(values)
    assert np.isfinite(learnt).all()
    tolerance = 1e-12 * max(1.0, high if transform in {LOGIT, LOGIT_FRACTION, LOG1P} else 0.0)
    atol = 0 if high > 1e90 else tolerance
    np.testing.assert_allclose(transform.undo(learnt), values, rtol=1e-9, atol=max(atol, 1e-12))
    order = np.argsort(values, kind="stable")
    assert (np.diff(learnt[order]) >= 0).all()  # a limit stays a limit of the same side


@pytest.mark.parametrize("transform", RANGES, ids=repr)
@given(learnt=st.floats(-600, 600))
def test_whatever_a_network_says_is_a_value_that_a_label_could_have(transform, learnt):
    value = transform.undo(np.array([learnt]))
    assert transform.allows(value).all()
    assert not np.isnan(value).any()


def test_gaps_stay_gaps():
    for transform in TRANSFORMS.values():
        gap = np.array([np.nan, 0.5])
        assert np.isnan(transform.apply(gap)).tolist() == [True, False]
        assert np.isnan(transform.undo(gap)).tolist() == [True, False]
        assert transform.allows(gap).all()


def spread(low, high, n=200):
    return 10 ** np.random.default_rng(0).uniform(low, high, n)


@pytest.mark.parametrize(
    ("values", "name", "unit", "expected"),
    [
        (spread(-1, 4), "IC50", "nM", LOG10),
        (spread(0, 1), "IC50", "nM", NO_TRANSFORM),  # one decade
        (np.log10(spread(-3, 3)), "log IC50", "", NO_TRANSFORM),  # negative labels
        (np.random.default_rng(0).normal(3, 1, 200).clip(0.01), "LogD", "", NO_TRANSFORM),
        (100 - spread(-1, 1.5), "PPB", "%", LOGIT),
        (100 - spread(-1, 1.5), "PPB percent bound", "", LOGIT),
        (100 - spread(-1, 1.5), "human PPB", "", LOGIT),
        (100 - spread(-1, 1.5), "value", "", NO_TRANSFORM),  # nobody says that it is a percentage
        (spread(-2, 2).clip(max=100), "PPB (% unbound)", "", LOGIT),
        (np.random.default_rng(0).uniform(0, 1, 200), "fraction unbound", "", LOGIT_FRACTION),
        (np.random.default_rng(0).uniform(0, 2, 200), "log10 pct unbound", "", NO_TRANSFORM),
        (np.maximum(np.random.default_rng(0).normal(0, 30, 200), 0).clip(max=100), "% inhibition",
         "", NO_TRANSFORM),  # half of them are 0
        (np.array([1.0, 10, 100, 1e4]), "few", "nM", NO_TRANSFORM),
        (np.random.default_rng(0).integers(0, 6, 200).astype(float), "grade", "", NO_TRANSFORM),
    ],
)  # fmt: skip
def test_the_transform_that_labels_speak_for(values, name, unit, expected):
    gaps = np.where(np.arange(len(values)) % 7, values, np.nan)
    few = values if len(values) < 9 else gaps
    assert suggest(few, Task(name, REGRESSION, unit)) is expected
    assert suggest(few, Task(name, BINARY, unit)) is NO_TRANSFORM


def frame_of(values):
    return pd.DataFrame({"SMILES": ["C" * (i + 1) for i in range(len(values))], "y": values})


def panel_of(values, **more):
    data = DataConfig(target_columns=("y",), **more)
    return build_panel(table_from_frame(frame_of(values)), data)


def test_auto_looks_at_the_training_side_only(caplog):
    caplog.set_level(logging.INFO)
    values = np.concatenate([spread(-1, 3, 40), np.linspace(1, 2, 40)])
    panel = panel_of(values, transforms={"y": "auto"})
    assert panel.transforms == (AUTO,)
    assert decided(panel, np.arange(40)).transforms == (LOG10,)
    assert "y: auto takes the transform log10" in caplog.text
    assert decided(panel, np.arange(40, 80)).transforms == (NO_TRANSFORM,)
    plain = panel_of(values)
    assert decided(plain, np.arange(40)).transforms == (NO_TRANSFORM,)


def test_auto_takes_nothing_that_another_side_does_not_allow(caplog):
    values = np.concatenate([spread(-1, 3, 40), [0.0, 3.0]])
    panel = panel_of(values, transforms={"y": "auto"})
    assert decided(panel, np.arange(40)).transforms == (NO_TRANSFORM,)
    assert "those of another side do not allow log10, which must be above 0" in caplog.text


def test_raw_decades_are_warned_of_unless_meant(caplog):
    panel_of(spread(-1, 3))
    assert "are learnt as they stand: the largest rule the loss" in caplog.text
    assert "Set data.transforms: {y: log10}, or none if that is meant" in caplog.text
    caplog.clear()
    panel_of(100 - spread(-1, 1.5), units={"y": "%"})
    assert "predictions can leave that range. Set data.transforms: {y: logit}" in caplog.text
    for chosen in ("none", "log10", "auto"):
        caplog.clear()
        panel_of(spread(-1, 3), transforms={"y": chosen})
        assert "learnt as they stand" not in caplog.text


@pytest.mark.parametrize(
    ("cells", "transform", "message"),
    [
        (["1", "0", "5"], "log10", r"must be above 0; 1 are not, at line 3 \('0'\).*such as log1p"),
        (["1", "-2", "5"], "ln", r"above 0; 1 are not, at line 3 \('-2'\).*another transform\."),
        (["1", "<0", "5"], "log10", r"line 3 \('<0'\)"),
        (["1", "-2", "5"], "log1p", "must be at least 0"),
        (["1", "101", "5"], "logit", r"from 0 to 100; 1 are not, at line 3 \('101'\)"),
        (["0.1", "1.2", "0.5"], "logit_fraction", "from 0 to 1"),
        (["0", "1", "1", "0"], "log10", "is binary, so it has no scale to transform"),
    ],
)
def test_labels_that_a_transform_does_not_allow_are_named(write_csv, cells, transform, message):
    rows = "".join(f"{'C' * (i + 1)},{cell}\n" for i, cell in enumerate(cells))
    data = DataConfig(target_columns=("y",), transforms={"y": transform})
    with pytest.raises(DataError, match=message):
        load_panel(write_csv(f"SMILES,y\n{rows}"), data)


def test_declared_limits_mend_zeros_before_a_logarithm():
    panel = panel_of([0.0, 1.0, 20.0], transforms={"y": "log10"}, limits={"y": {"below": 0.1}})
    assert panel.labels.values[:, 0].tolist() == [0.1, 1, 20]
    assert panel.labels.limits[:, 0].tolist() == [-1, 0, 0]


def test_records_are_averaged_on_the_scale_that_was_named(caplog):
    frame = frame_of([1.0, 7.0, 50.0])
    frame = pd.concat([frame, frame.assign(y=[100.0, 7.1, np.nan])])
    data = {"target_columns": ("y",)}
    averages = {}
    for transform in ("none", "log10", "auto"):
        config = DataConfig(**data, transforms={"y": transform})
        averages[transform] = build_panel(table_from_frame(frame), config).labels.values[:, 0]
    assert averages["none"].tolist() == [50.5, 7.05, 50.0]
    np.testing.assert_allclose(averages["log10"], [10.0, np.sqrt(49.7), 50.0])
    assert averages["log10"][2] == 50.0  # to the bit
    assert averages["auto"].tolist() == averages["none"].tolist()
    assert "(on the scale of log10)" in caplog.text


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"transforms": {"y": "log2"}}, "transforms.y"),
        ({"transforms": {"z": "ln"}}, r"`transforms` names \['z'\]"),
        ({"units": {"z": "nM"}}, r"`units` names \['z'\]"),
    ],
)
def test_wrong_keys_are_named(more, message):
    with pytest.raises(ConfigError, match=message):
        DataConfig(target_columns=("y",), **more)
