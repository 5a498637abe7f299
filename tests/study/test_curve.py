"""Learning curves of a study."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from admet.cli.__main__ import main
from admet.config.study import StudyConfig, StudyRun
from admet.data import Split
from admet.report import page_of
from admet.study import run
from admet.study.arms import Outcome
from admet.study.curve import COLUMNS, curve_arm, curve_jobs, with_twice
from admet.study.jobs import Fit, Job, thinned
from admet.study.pictures import curve as picture
from admet.study.results import ALL
from admet.study.run import _apart


def split_of(n=100):
    rows = np.arange(n)
    return Split(rows[: n // 2], rows[n // 2 : n * 3 // 5], rows[n * 3 // 5 :])


def test_parts_of_a_training_side_lie_in_one_another_and_can_be_learnt_from():
    labels = np.full((100, 3), np.nan)
    labels[:, 0] = np.arange(100)
    labels[[7, 31], 1] = [0, 1]  # two classes, one label each
    labels[40, 2] = 5.0
    split = split_of()
    quarter, half = (thinned(split, share, labels, 3) for share in (0.25, 0.5))
    assert set(quarter.train) < set(half.train) < set(split.train)
    assert set(quarter.val) < set(half.val) < set(split.val)
    assert [len(s.train) for s in (quarter, half)] == [12, 25]
    assert {7, 31, 40} <= set(quarter.train)
    assert (np.diff(quarter.train) > 0).all()
    np.testing.assert_array_equal(quarter.test, split.test)
    assert thinned(split, 1.0, labels, 3) is split
    assert set(thinned(split, 0.25, labels, 4).train) != set(quarter.train)


def test_the_curve_is_that_of_the_first_cheap_arm():
    study = StudyConfig(arms=["multi_task", "kernel", "boosted"], learning_curve=True, folds=3)
    assert curve_arm(study) == "kernel"
    assert curve_arm(study, {"kernel": "why"}) == "boosted"
    jobs = curve_jobs(study, {})
    assert [(job.share, job.fold) for job in jobs] == [
        (s, f) for s in (0.25, 0.5) for f in range(3)
    ]
    assert jobs[0].name == "kernel-r0-f0-s0-p25"
    assert Job("kernel", 0, 0, 0).name == "kernel-r0-f0-s0"  # as earlier studies have kept it
    assert curve_jobs(study.model_copy(update={"learning_curve": False}), {}) == []
    with pytest.raises(ValueError, match="needs one of the arms frozen_mlp, kernel"):
        StudyRun(
            data_path="t.csv", save_dir="s",
            study={"arms": ["multi_task"], "learning_curve": True},
        )  # fmt: skip


def test_fits_that_a_curve_lacks_are_said(caplog):
    jobs = [Job("kernel", 0, 0, 0, share) for share in (0.25, 0.5)]
    whole = Fit(Job("kernel", 0, 0, 0), Outcome(np.zeros((1, 1))), 1.0)
    failed = Fit(jobs[0], None, 1.0, "it diverged")
    assert _apart([whole, failed], jobs) == ([whole], ())
    assert "The learning curve lacks 2 fits: it diverged" in caplog.text


def power_law(b):
    rows = [
        ("A", "kernel", share, fold, int(400 * share), (1 + fold / 10) * share ** (-b))
        for share in (0.25, 0.5, 1.0) for fold in range(3)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def test_twice_the_labels_bring_what_the_power_law_says():
    assert with_twice(power_law(0.3), "A") == pytest.approx(2**-0.3 - 1)
    assert with_twice(power_law(0.0), "A") == pytest.approx(0)
    whole = power_law(0.3)
    assert with_twice(whole[whole["share"] == 1], "A") is None
    assert with_twice(whole, "B") is None
    gap = whole.drop(whole[(whole["share"] == 0.25) & (whole["fold"] == 0)].index)
    assert with_twice(gap, "A") == pytest.approx(2**-0.3 - 1)


def test_a_picture_of_the_curve():
    table = pd.concat([power_law(0.3), power_law(0.1).assign(task="a $strange$ name " * 4)])
    (page,) = picture.pages(table)
    page.draw_without_rendering()
    said = [text.get_text() for text in page.findobj(Text)]
    assert "labels learnt from" in said
    assert "100" in said


@pytest.mark.slow
def test_a_study_measures_its_curve(tmp_path, demo_frame, capsys):
    panel = tmp_path / "panel.csv"
    demo_frame.to_csv(panel, index=False)
    asked = {
        "arms": ["kernel", "boosted"], "inputs": ["rdkit"], "folds": 2, "workers": 1,
        "boosted": {"n_trees": 5},
    }  # fmt: skip
    config = StudyRun(
        data_path=panel, save_dir=tmp_path / "s", study=asked,
        data={"target_columns": ["LogD", "hERG"]},
    )  # fmt: skip
    before = run(config)
    assert not (before.path / "learning_curve.csv").exists()
    asked = config.study.model_copy(update={"learning_curve": True})
    study = run(config.model_copy(update={"study": asked}))  # the same study goes on
    curve = pd.read_csv(study.path / "learning_curve.csv")
    assert curve.columns.tolist() == COLUMNS
    assert curve["task"].unique().tolist() == ["LogD", "hERG", ALL]
    whole = curve[(curve["task"] == "LogD") & (curve["share"] == 1)]
    np.testing.assert_allclose(whole["loss"], study.losses("kernel", "LogD"))
    np.testing.assert_allclose(
        curve[(curve["task"] == ALL) & (curve["share"] == 1)]["loss"], study.losses("kernel", ALL)
    )
    means = curve[curve["task"] == "LogD"].groupby("share")[["labels", "loss"]].mean()
    assert means["labels"].is_monotonic_increasing
    assert means["loss"].iloc[0] > means["loss"].iloc[-1]
    assert (study.path / "pictures" / "learning_curve.png").stat().st_size > 0
    assert main(["show", str(study.path)]) == 0
    twice = "Twice the labels would change the loss of kernel by about: LogD"
    assert twice in capsys.readouterr().out.replace("\n", " ")
    page = {section.key: section for section in page_of(study.path).sections}["curves"]
    assert page.blocks[1].text.startswith("Twice the labels would change the loss by about: LogD")
    assert page.blocks[2].pictures[0].csv
    assert study.verdicts[0].twice < 0
    verdict = pd.read_csv(study.path / "verdict.csv")
    assert verdict["change_with_twice_the_labels"].notna().all()
    pd.testing.assert_frame_equal(study.results, before.results)
