"""Where fits are done: here, in processes, on a cluster whose workers die."""

import importlib.util
import os
import signal
import sys

import numpy as np
import pytest

import admet
from admet.cli.__main__ import main
from admet.config.study import StudyConfig, StudyRun
from admet.errors import ConfigError, WorkerError
from admet.study import refit
from admet.study.arms import Outcome
from admet.study.executors import LocalExecutor, executor_of
from admet.study.jobs import Fit, FitStore, Job

JOBS = [Job(arm, 0, fold, 0) for fold in range(3) for arm in ("kernel", "boosted")]
NOTHING = [[None] * 3]


def deadly(arm):
    """A fit that kills its process in the first fold of an arm; it travels by value."""

    def fit(material, split, job):
        if (job.arm, job.fold) == (arm, 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return Fit(job, Outcome(material), 1.0)

    return fit


@pytest.mark.parametrize("n_workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_no_fit_is_begun_once_it_must_stop(n_workers):
    left = iter([False, False, False])
    executor, fit = LocalExecutor(n_workers), deadly("none")
    found = list(executor.run(np.arange(3.0), NOTHING, JOBS, lambda: next(left, True), fit))
    assert sorted(fit.job.name for fit in found) == sorted(job.name for job in JOBS[:3])
    everything = list(executor.run(np.arange(3.0), NOTHING, JOBS, fit=fit))
    assert {fit.job for fit in everything} == set(JOBS)


def test_a_cluster_needs_its_extra(monkeypatch):
    study = StudyConfig(scheduler="tcp://nowhere:8786")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'admet-grouping\[cluster\]'"):
        executor_of(study)
    with pytest.raises(ConfigError, match="must be an address of a scheduler of dask"):
        StudyConfig(scheduler="nowhere:8786")


def test_workers_do_nothing_beside_a_scheduler():
    study = {"scheduler": "tcp://nowhere:8786", "workers": 3}
    config = StudyRun(data_path="p.csv", data={"target_columns": ["A"]}, study=study)
    assert config.idle_keys()["study.workers"] == "study.scheduler names the machines"


@pytest.fixture
def cluster():
    """Makes clusters of processes on this machine."""
    distributed = pytest.importorskip("distributed")
    made = []

    def make(n_workers):
        made.append(
            distributed.LocalCluster(
                n_workers=n_workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs="CRITICAL",
            )
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def words(panel, folder, *more):
    return [
        "study", "--data-path", str(panel), "--data.target-columns", "LogD", "hERG",
        "--save-dir", str(folder), "--study.folds", "3", "--study.inputs", "rdkit",
        "--study.arms", "kernel", "boosted", "frozen_mlp", "--study.frozen-mlp.epochs", "2",
        "--study.frozen-mlp.hidden-size", "16", *more,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_cluster_that_cannot_work_is_refused_first(demo_csv, tmp_path, cluster, capsys):
    from admet.study import cluster as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CONNECT", 0.5)
        flags = ["--study.scheduler", "tcp://127.0.0.1:9"]
        assert main(words(demo_csv, tmp_path / "s", *flags)) == 2
        assert "'tcp://127.0.0.1:9' does not answer: " in capsys.readouterr().err
    empty = cluster(0).scheduler_address
    assert main(words(demo_csv, tmp_path / "s", "--study.scheduler", empty)) == 2
    assert "has no worker. Start some, as `dask worker tcp://" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_what_is_wrong_with_a_worker_is_said():
    pytest.importorskip("distributed")
    from admet.study.cluster import _fault, versions

    own = versions()
    assert own["admet"] == admet.__version__
    assert _fault(own, own) == ""
    assert _fault(own | {"torch": "1.0"}, own) == f"has torch 1.0 (here {own['torch']})"
    error = ModuleNotFoundError("No module named 'admet'")
    assert _fault(error, own) == "cannot import admet: No module named 'admet'"


def bytes_of(folder):
    """What a study has found: its tables, and the weights of its model."""
    model = [
        path
        for path in (folder / "model").rglob("*")
        if path.is_file() and path.name not in {"run.json", "config.yaml", "SHA256SUMS"}
    ]
    assert len(model) > 3
    paths = [folder / "results.csv", folder / "verdict.csv", *model]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals of Unix")
def test_a_cluster_that_loses_a_worker_gives_the_bytes_of_this_machine(
    demo_csv, tmp_path, cluster, monkeypatch, capsys
):
    assert main(words(demo_csv, tmp_path / "here", "--study.workers", "2")) == 0
    made = cluster(2)
    flags = ["--study.scheduler", made.scheduler_address]
    with monkeypatch.context() as patch:
        patch.setattr(admet, "__version__", "0.0.0")
        assert main(words(demo_csv, tmp_path / "there", *flags)) == 2
        assert f"has admet {admet.__version__}" not in (said := capsys.readouterr().err)
        assert "(here 0.0.0). Install the same versions there as here" in said
    kept, write = [], FitStore.write
    pids = {nanny.worker_address: nanny.pid for nanny in made.workers.values()}
    killed = []

    def then_kill(store, fit):
        write(store, fit)
        kept.append(fit)
        busy = [w.address for w in list(made.scheduler.workers.values()) if w.processing]
        if len(kept) >= 2 and busy and not killed:
            killed.append(busy[0])
            os.kill(pids[busy[0]], signal.SIGKILL)

    monkeypatch.setattr(FitStore, "write", then_kill)
    assert main(words(demo_csv, tmp_path / "there", *flags)) == 0
    said = capsys.readouterr().err
    assert "2 workers at tcp://" in said
    assert f"The worker {killed[0]} died in a fit" in said
    assert len(kept) == 9
    assert bytes_of(tmp_path / "there") == bytes_of(tmp_path / "here")
    # The same study, whoever does the fits.
    assert main(words(demo_csv, tmp_path / "there")) == 0
    assert "9 of 9 fits were kept by an earlier run" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
def test_a_process_that_dies_is_one_clear_line():
    executor = LocalExecutor(2)
    with pytest.raises(WorkerError, match="died, as it does where memory runs out. The fits that"):
        list(executor.run(np.arange(3.0), NOTHING, JOBS, fit=deadly("boosted")))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals of Unix")
def test_a_fit_that_kills_its_workers_fails_and_the_others_go_on(cluster, monkeypatch):
    made = cluster(2)
    from admet.study import cluster as module

    monkeypatch.setattr("admet.study.board.DEATHS", 1)
    with module.ClusterExecutor(made.scheduler_address) as executor:
        done = executor.run(np.arange(3.0), NOTHING, JOBS, fit=deadly("boosted"))
        found = {fit.job: fit for fit in done}
        fit = deadly("none")
        some = []
        some += executor.run(np.arange(3.0), NOTHING, JOBS[2:], lambda: True, fit)
        assert not some
        for own in executor.run(np.arange(3.0), NOTHING, JOBS[2:], lambda: bool(some), fit):
            some.append(own)  # what ran beside it is finished, too
    assert 1 <= len(some) <= 2
    assert set(found) == set(JOBS)
    failed = {job.name: fit.fault for job, fit in found.items() if fit.outcome is None}
    assert list(failed) == ["boosted-r0-f0-s0"]
    assert "workers died in its fold 1" in failed["boosted-r0-f0-s0"]


@pytest.mark.slow
def test_a_study_that_is_stopped_says_that_it_goes_on(demo_csv, tmp_path, monkeypatch, capsys):
    kept, write = [], FitStore.write

    def then_stop(store, fit):
        write(store, fit)
        kept.append(fit)
        if len(kept) == 2:
            raise KeyboardInterrupt

    flags = words(demo_csv, tmp_path / "s", "--study.workers", "1")
    with monkeypatch.context() as patch:
        patch.setattr(FitStore, "write", then_stop)
        assert main(flags) == 130
    said = capsys.readouterr().err
    assert "interrupted: the fits that were done are kept; the same command goes on" in said
    assert main(flags) == 0
    assert "2 of 9 fits were kept by an earlier run" in capsys.readouterr().err


@pytest.mark.slow
def test_an_arm_that_fails_on_all_molecules_is_one_clear_line(
    demo_csv, tmp_path, monkeypatch, capsys
):
    flags = words(demo_csv, tmp_path / "s", "--study.workers", "1")
    with monkeypatch.context() as patch:
        patch.setattr(refit, "keep", lambda _, __, job: Fit(job, None, 0.0, "A loss is NaN."))
        assert main(flags) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "could not be trained on all molecules: A loss is NaN. The fits that were done" in said
    assert "out of `study.arms`" in said
    assert not (tmp_path / "s" / "model").exists()
    assert main(flags) == 0
    assert "9 of 9 fits were kept by an earlier run" in capsys.readouterr().err
