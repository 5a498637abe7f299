"""How long a study may take, and what it says when the time is over."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from admet.config.duration import as_duration, seconds_of, spoken
from admet.config.study import StudyConfig, StudyRun
from admet.errors import ConfigError
from admet.study import run
from admet.study.arms import Outcome
from admet.study.budget import Budget, comparable, jobs_of
from admet.study.jobs import Fit, FitStore, Job
from admet.study.pace import FitProgress, Pace


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def fit_of(job, seconds, fault=""):
    return Fit(job, None if fault else Outcome(np.zeros((1, 1))), seconds, fault)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("45", 45), (600, 600),
        ("1.5H", 5400),
    ],
)  # fmt: skip
def test_a_length_of_time_is_understood(text, seconds):
    assert seconds_of(StudyConfig(time_budget=text).time_budget) == seconds


@pytest.mark.parametrize("text", ["", "soon", "0", "0s", "-3", "30x", "10m1h", "m", 1e400, True])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ConfigError, match="`time_budget` "):
        StudyConfig(time_budget=text)


@pytest.mark.parametrize("seconds", [0.3, 59, 119, 121, 3600, 5401, 90_000])
def test_a_length_that_is_written_can_be_read_and_is_no_shorter(seconds):
    assert seconds <= seconds_of(as_duration(seconds)) < seconds + 60


def test_how_long_is_said_in_words():
    assert [spoken(s) for s in (0.1, 40, 240, 3600, 7790)] == [
        "1 s", "40 s", "4 min", "1 h", "2 h 10 min"
    ]  # fmt: skip


def test_the_clock_ends_a_budget():
    clock = Clock()
    budget, endless = Budget("1m", clock), Budget(None, clock)
    clock.now += 59
    assert not budget.spent()
    assert budget.left == 1
    clock.now += 2
    assert budget.spent()
    assert budget.used == 61
    assert not endless.spent()
    assert endless.left is None


def test_every_arm_gets_a_fold_before_any_gets_the_next():
    study = StudyConfig(arms=["kernel", "boosted", "frozen_mlp"], folds=2, repeats=2, seeds=2)
    jobs = jobs_of(study, {"boosted"})
    assert [job.name for job in jobs[:5]] == [
        "kernel-r0-f0-s0", "frozen_mlp-r0-f0-s0", "kernel-r0-f1-s0", "frozen_mlp-r0-f1-s0",
        "kernel-r0-f0-s1",
    ]  # fmt: skip
    assert len(set(jobs)) == len(jobs) == 16


def test_what_can_be_compared():
    arms = ["kernel", "boosted", "frozen_mlp"]
    study = StudyConfig(arms=arms, folds=3, seeds=2, time_budget="30m")
    jobs = jobs_of(study, ())
    assert comparable(study, arms, set(jobs)).rounds == ((0, 0), (0, 1))
    found = comparable(study, arms, set(jobs[:10]))
    assert (found.rounds, found.left_out) == (((0, 0),), {})
    found = comparable(study, arms, set(jobs[:8]))
    assert found.rounds == ((0, 0),)
    assert found.left_out == {
        "frozen_mlp": "the time budget of 30m ended before its first round was done (2 of 3 folds)"
    }
    nothing = comparable(study, arms, set(jobs[:6]))
    assert (nothing.rounds, nothing.left_out) == ((), {})
    # Two arms that were kept from earlier are ahead of a new one.
    ahead = {job for job in jobs if job.arm != "kernel"} | {Job("kernel", 0, 0, 0)}
    found = comparable(study, arms, ahead)
    assert found.rounds == ((0, 0), (0, 1))
    assert "(1 of 3 folds)" in found.left_out["kernel"]


def test_the_time_that_is_left_counts_arms_and_workers():
    jobs = [Job(arm, 0, fold, 0) for fold in range(2) for arm in ("kernel", "boosted", "own_heads")]
    pace = Pace(lambda: 2)
    assert pace.seconds(jobs) is None
    pace.add(fit_of(jobs[0], 10))
    pace.add(fit_of(jobs[1], 30))
    pace.add(fit_of(jobs[2], 999, "it diverged"))
    # kernel 10, boosted 30, own_heads as the mean of both
    assert pace.seconds(jobs[3:]) == (10 + 30 + 20) / 2


def test_a_line_a_fit_where_nobody_watches(caplog):
    caplog.set_level("INFO")
    jobs = [Job("kernel", 0, fold, 0) for fold in range(4)]
    left = iter([None, 7.0, None])
    with FitProgress(jobs, [fit_of(jobs[0], 60)], Pace(), lambda: next(left)) as progress:
        for job in jobs[1:]:
            progress.add(fit_of(job, 120, "it diverged" * (job.fold == 3)))
    assert caplog.messages == [
        "2 of 4: kernel, fold 2, 120.0 s; about 3 min left",
        "3 of 4: kernel, fold 3, 120.0 s; about 7 s left of the time budget",
        "4 of 4: kernel, fold 4, failed: it diverged, 120.0 s",
    ]


def test_a_bar_on_a_terminal(caplog):
    caplog.set_level("INFO")
    jobs = [Job("kernel", 0, fold, 0) for fold in range(4)]
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100, color_system=None)
    with FitProgress(jobs, [], Pace(), console=console) as progress:
        progress.add(fit_of(jobs[0], 80))
        progress.add(fit_of(jobs[1], 80, "it diverged"))
    assert "2/4" in shown.getvalue()
    assert "about 3 min left" in shown.getvalue()
    assert "kernel, fold 2, failed: it diverged" in shown.getvalue()
    assert caplog.messages == []


@pytest.fixture
def timed(monkeypatch):
    """A clock by which every fit takes ten seconds."""
    clock, write = Clock(), FitStore.write

    def take(store, fit):
        clock.now += 10
        write(store, fit)

    monkeypatch.setattr(FitStore, "write", take)
    return clock


def config_for(folder, panel, **study):
    cheap = {"inputs": ["rdkit"], "folds": 2, "workers": 1, "arms": ["kernel", "boosted"]}
    return StudyRun(
        data_path=panel,
        save_dir=folder,
        data={"target_columns": ["LogD", "hERG"]},
        study=cheap | study,
    )


@pytest.mark.slow
def test_a_study_ends_with_its_time_and_goes_on_with_more(demo_csv, tmp_path, timed, caplog):
    config = config_for(tmp_path / "s", demo_csv, seeds=2)

    def with_time(text):
        section = config.study.model_copy(update={"time_budget": text})
        return config.model_copy(update={"study": section})

    with pytest.raises(ConfigError) as caught:
        run(with_time("15s"), clock=timed)
    said = str(caught.value)
    assert "`study.time_budget` 15s ended before any arm had done all folds" in said
    assert "2 of 8 fits were done, and are kept. To finish the first round of all arms" in said
    assert not (tmp_path / "s" / "results.csv").exists()

    found = run(with_time("5s"), clock=timed)  # one fit more
    why = "the time budget of 5s ended before its first round was done (1 of 2 folds)"
    assert found.left_out == {"boosted": why}
    assert found.arms == ["kernel"]
    assert f"Arm boosted is left out: {why}" in caplog.text

    found = run(with_time("25s"), clock=timed)  # three more, of which two are of the second round
    assert (found.rounds, found.left_out) == (((0, 0),), {})
    assert "1 of 2 rounds (repeats and seeds) are compared, since the time budget of" in caplog.text
    assert set(pd.read_csv(tmp_path / "s" / "results.csv")["seed"]) == {0}

    found = run(config)
    assert found.rounds == ((0, 0), (0, 1))
    whole = run(config.model_copy(update={"save_dir": tmp_path / "whole"}))
    for name in ("results.csv", "verdict.csv"):
        assert (found.path / name).read_bytes() == (whole.path / name).read_bytes()
