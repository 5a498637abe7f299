import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from admet.errors import WorkerError
from admet.workers import WorkerPool


def square(x):
    return x * x


def die(x):
    os._exit(1)


@pytest.mark.parametrize("n_workers", [1, 2])
def test_results_come_in_the_order_of_the_items(n_workers):
    with WorkerPool(n_workers) as pool:
        assert list(pool.map(square, range(20))) == [x * x for x in range(20)]
        assert list(pool.map(square, [])) == []


def test_items_are_taken_as_they_are_needed():
    taken = []

    def items():
        for x in range(100):
            taken.append(x)
            yield x

    with WorkerPool(2) as pool:
        results = pool.map(square, items())
        assert next(results) == 0
        assert len(taken) < 10


def test_a_process_that_dies_is_an_error_not_a_hang():
    with pytest.raises(WorkerError, match="died.*Free memory"), WorkerPool(2) as pool:
        list(pool.map(die, range(4)))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks")
def test_workers_end_with_a_main_process_that_is_killed():
    script = (
        "import os, signal\n"
        "from admet.workers import WorkerPool\n"
        "from test_workers import who\n"
        "with WorkerPool(2) as pool:\n"
        "    print(*set(pool.map(who, range(8))), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    who = "import os, time\n\ndef who(_):\n    time.sleep(0.05)\n    return os.getpid()\n"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_workers.py").write_text(who)
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([folder, *sys.path])},
        )
    workers = [int(word) for word in done.stdout.split()]
    assert done.returncode == -9
    assert len(workers) == 2
    for _ in range(100):
        if not any(_runs(worker) for worker in workers):
            return
        time.sleep(0.1)
    pytest.fail("a worker outlived its main process by ten seconds")


def _runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
