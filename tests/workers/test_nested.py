"""A pool inside a worker of another pool."""

import json
import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from admet import workers
from admet.data.chemistry import read_molecules
from admet.featurize.cache import cached_graphs

SMILES = ["CCO", "c1ccccc1", "CC(=O)[O-].[Na+]", "no molecule", "C"]

# The pools of others are started by a script of their own, as a user would start them.
SCRIPT = """
import json, multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor

import joblib
from theirs import look


def by_joblib(backend):
    return joblib.Parallel(2, backend=backend)(joblib.delayed(look)(i) for i in range(2))


def by_multiprocessing(method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        return pool.map(look, range(2))


def by_futures(method):
    with ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        return list(pool.map(look, range(2)))


def by_dask(kind):
    from distributed import Client, LocalCluster

    processes = kind == "processes"
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=processes, dashboard_address=None
    ) as cluster, Client(cluster) as client:
        found = client.gather(client.map(look, range(2)))
        from admet.workers import in_a_worker

        assert not in_a_worker()
        return found


if __name__ == "__main__":
    print(json.dumps(globals()["by_" + sys.argv[1]](sys.argv[2])))
"""
LOOK = """
from admet import workers
from admet.data.chemistry import read_molecules
from admet.featurize.cache import cached_graphs


def refuse(_):
    raise AssertionError("a pool was started in a worker")


def look(_):
    workers.PARALLEL_FROM, workers.PART, workers.WorkerPool.__enter__ = 0, 2, refuse
    read = [[m.smiles, m.reason] for m in read_molecules(%r)]
    graphs = cached_graphs([smiles for smiles, _ in read if smiles], None)
    return workers.n_cores(), read, graphs.source.tolist()
"""


def seen_by_workers(folder, *words):
    (folder / "script.py").write_text(SCRIPT)
    (folder / "theirs.py").write_text(LOOK % SMILES)
    path = os.pathsep.join([str(folder), *sys.path])
    done = subprocess.run(
        [sys.executable, folder / "script.py", *words],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_worked_alone(seen):
    here = read_molecules(SMILES)
    graphs = cached_graphs([m.smiles for m in here if m.smiles], None)
    alone = [1, [[m.smiles, m.reason] for m in here], graphs.source.tolist()]
    assert seen == [alone, alone]


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("joblib", "loky"),
        ("joblib", "multiprocessing"),
        ("multiprocessing", "spawn"),
        ("futures", "spawn"),
    ],
    ids="-".join,
)
def test_a_worker_of_another_pool_works_alone(tmp_path, words):
    assert_worked_alone(seen_by_workers(tmp_path, *words))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks")
@pytest.mark.parametrize("pool", ["multiprocessing", "futures"])
def test_a_forked_worker_works_alone(tmp_path, pool):
    assert_worked_alone(seen_by_workers(tmp_path, pool, "fork"))


@pytest.mark.parametrize("kind", ["processes", "threads"])
def test_a_task_of_dask_works_alone(tmp_path, kind):
    pytest.importorskip("distributed")
    assert_worked_alone(seen_by_workers(tmp_path, "dask", kind))


def test_our_own_worker_works_alone():
    with workers.WorkerPool(2) as pool:
        assert list(pool.map(own_cores, range(4))) == [1] * 4


def own_cores(_):
    return workers.n_cores()


def test_dask_is_asked_which_thread_is_its_worker(monkeypatch):
    """As dask answers where it is not installed: only a thread that runs a task has a worker."""
    tasks = threading.local()

    def get_worker():
        if not hasattr(tasks, "worker"):
            raise ValueError("No worker found")
        return tasks.worker

    monkeypatch.setitem(sys.modules, "distributed", SimpleNamespace(get_worker=get_worker))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert workers.n_cores() == 4
    tasks.worker = "a worker"
    assert workers.n_cores() == 1


def test_few_molecules_are_read_in_this_process(monkeypatch):
    def refuse(_):
        raise AssertionError("a pool was started")

    monkeypatch.setattr(workers.WorkerPool, "__enter__", refuse)
    monkeypatch.setattr(workers, "n_cores", lambda: 2)
    assert len(read_molecules(SMILES)) == len(SMILES)


def test_parts_give_what_one_process_gives(monkeypatch):
    alone = read_molecules(SMILES)
    monkeypatch.setattr(workers, "PARALLEL_FROM", 0)
    monkeypatch.setattr(workers, "PART", 2)
    monkeypatch.setattr(workers, "n_cores", lambda: 2)
    assert read_molecules(SMILES) == alone
    assert read_molecules([]) == []
