"""Studies whose folds go forward in time."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import admet
from admet.config.study import StudyRun
from admet.errors import ConfigError
from admet.study import run, sides
from admet.study.doubt import StudyDoubt, intervals
from admet.study.results import ALL, COMPOSITE

TARGETS = ("LogD", "hERG", "CLint")


def config_for(folder, panel, **study):
    given = {
        "arms": ["frozen_mlp", "kernel"], "inputs": ["rdkit"], "folds": 3, "workers": 1,
        "frozen_mlp": {"hidden_size": 16, "epochs": 3},
    }  # fmt: skip
    return StudyRun(
        data_path=panel,
        save_dir=folder,
        data={"target_columns": TARGETS, "split_type": "time", "split_column": "date"},
        study=given | study,
    )


@pytest.fixture(scope="module")
def panel_path(tmp_path_factory, demo_frame):
    path = tmp_path_factory.mktemp("panel") / "panel.csv"
    months = pd.Series(np.arange(len(demo_frame)) * 24 // len(demo_frame))
    dates = [f"20{20 + m // 12}-{m % 12 + 1:02d}-01" for m in months]
    demo_frame.assign(date=dates).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def study(tmp_path_factory, panel_path):
    return run(config_for(tmp_path_factory.mktemp("s") / "study", panel_path))


@pytest.mark.slow
def test_only_tested_molecules_have_predictions(study):
    times = study.panel.split_values
    for split in study.splits[0]:
        assert times[split.known].max() < times[split.test].min()
    tested = study.tested
    assert 0 < (~tested).sum() < len(tested) / 2
    for arm in (*study.arms, COMPOSITE):
        predicted = study.out_of_fold[arm, 0, 0]
        assert np.isfinite(predicted[tested]).all()
        assert np.isnan(predicted[~tested]).all()
    kept = pd.read_parquet(study.path / "predictions.parquet")
    assert kept["prediction"].notna().all()
    assert set(kept["SMILES"]) == set(
        study.panel.smiles[tested & study.panel.labels.present.any(axis=1)]
    )
    measured = pd.read_csv(study.path / "pictures" / "measured.csv")
    assert len(measured) == study.panel.labels.present[tested].sum()


@pytest.mark.slow
def test_all_else_of_the_study_is_known(study):
    for task in (*TARGETS, ALL):
        assert np.isfinite(study.losses(COMPOSITE, task)).all(), task
        assert study.verdicts[0].loss > 0
    assert study.weights["LogD"].n == study.panel.labels.present[study.tested, 0].sum()
    coverage = pd.read_csv(study.path / "coverage.csv")
    whole = coverage[coverage["similarity"].isna()].groupby("task")["n"].max()
    later = np.concatenate([split.test for split in study.splits[0][1:]])
    assert whole["LogD"] == study.panel.labels.present[later, 0].sum()
    assert whole["hERG"] == study.panel.labels.present[later, 1].sum()
    model = admet.load(study.path / "model", device="cpu")
    assert np.isfinite(model.predict("CCO", intervals=0.8)["LogD_low"]).all()


@pytest.mark.slow
def test_the_future_calibrates_no_interval_of_a_fold(study):
    measured = pd.read_csv(study.path / "pictures" / "measured.csv")
    kept = pd.read_parquet(study.path / "intervals.parquet")
    assert kept["SMILES"].tolist() == measured["SMILES"].tolist()
    known = StudyDoubt.of(study)
    kept = intervals(known)
    first, second, third = (study.panel.smiles[split.test] for split in study.splits[0])
    assert kept[kept["SMILES"].isin(first)]["low"].isna().all()  # nothing is known yet
    evidence = []
    for own in known.evidence:
        labels = own.labels.copy()
        labels[study.splits[0][2].test] += 100
        evidence.append(replace(own, labels=labels))
    later = intervals(replace(known, evidence=evidence))
    for smiles in (second, third):
        rows = kept["SMILES"].isin(smiles) & (kept["task"] == "LogD")
        assert kept[rows]["low"].notna().any()
        pd.testing.assert_frame_equal(kept[rows], later[rows])


@pytest.mark.slow
def test_the_future_chooses_no_weight(study):
    first, second = (split.test for split in study.splits[0][:2])
    arms = np.stack([study.out_of_fold[arm, 0, 0] for arm in study.arms])
    mixed = study.out_of_fold[COMPOSITE, 0, 0]
    np.testing.assert_allclose(mixed[first], arms.mean(axis=0)[first])  # nothing is known yet
    labels = study.panel.labels.values.copy()
    labels[study.splits[0][2].test] = 0
    assert not (study.known_before(0)[1] & np.isin(np.arange(len(labels)), second)).any()


def test_folds_know_of_each_other_what_they_may(study):
    n = len(study.panel)
    splits = study.splits[0]
    found = sides.known_before(splits, n, forward=True)
    assert [int(mask.sum()) for mask in found] == [
        0, len(splits[0].test), len(splits[0].test) + len(splits[1].test),
    ]  # fmt: skip
    around = sides.known_before(splits, n, forward=False)
    assert all(
        mask.sum() + len(s.test) == study.tested.sum()
        for mask, s in zip(around, splits, strict=True)
    )
    ratios = [len(s.test) / (len(s.train) + len(s.val)) for s in splits]
    share = sides.test_share(splits)
    assert share / (1 - share) == pytest.approx(np.mean(ratios))


def test_repeats_of_folds_by_time_are_refused(panel_path, tmp_path):
    with pytest.raises(ConfigError, match=r"`study.repeats` must be 1 .* got 2. Set study.seeds"):
        run(config_for(tmp_path / "s", panel_path, repeats=2))
    assert not (tmp_path / "s").exists()
