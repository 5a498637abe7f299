"""Processes that work on many items at once: the one way to run in parallel.

Molecules are read and featurised in them, in parts (`map_parts`) or while the main process computes
(`WorkerPool`). Where a process is a worker itself, the cores are shared out already, so it works
alone.
"""

import multiprocessing
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from types import TracebackType
from typing import Self, TypeVar

from admet.errors import WorkerError

A = TypeVar("A")
B = TypeVar("B")

_AHEAD = 2  # items begun for each worker before the oldest is taken: bounds the memory
_MOST = 61  # processes that Windows can wait for
PARALLEL_FROM = 20_000  # molecules; below, starting processes takes longer than the work
PART = 2_000


def n_cores() -> int:
    """Gives the number of cores that this process may use; `OMP_NUM_THREADS` limits it.

    It is one in a worker, whose pool has shared out the cores.
    """
    if in_a_worker():
        return 1
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limit = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(found or 1, int(limit) if limit.isdecimal() else _MOST, _MOST))


def in_a_worker() -> bool:
    """Tells whether this process, or this thread of it, is a worker of a pool.

    It recognises the processes of multiprocessing, concurrent.futures and joblib (loky and
    multiprocessing), all of which multiprocessing starts. It also recognises the tasks of
    dask.distributed, which may run in threads of a process that something else started.
    """
    if multiprocessing.parent_process() is not None:
        return True
    # Whoever runs a task of dask has imported it.
    get_worker = getattr(sys.modules.get("distributed"), "get_worker", None)
    if get_worker is None:
        return False
    try:
        get_worker()
    except ValueError:  # dask's word for a thread that runs no task
        return False
    return True


def map_parts(function: Callable[[Sequence[A]], B], items: Sequence[A]) -> list[B]:
    """Applies a function to many molecules, part by part in processes where that saves time.

    Args:
        function: A function of a module, or a `functools.partial` of one, which takes several
            items at once.
        items: The items.

    Returns:
        The results of the parts, in order. Where the items are few, or there is one core, all of
        them are one part.

    Raises:
        WorkerError: If a process died.
    """
    if len(items) < PARALLEL_FROM or n_cores() == 1:
        return [function(items)]
    parts = (items[i : i + PART] for i in range(0, len(items), PART))
    with WorkerPool() as pool:
        return list(pool.map(function, parts))


class WorkerPool:
    """Maps a function over items in processes, in order; with one worker, in this process.

    RDKit holds Python's lock while it parses, so threads would not help. A pool that is entered
    before torch is imported forks, which takes milliseconds. Later, or beside other threads,
    joblib's loky starts fresh processes, since a fork of a process with running threads may hang.
    These processes do not run a caller's script again, so a script needs no main guard.
    """

    def __init__(
        self, n_workers: int | None = None, warm_up: Callable[[], object] | None = None
    ) -> None:
        """Stores the size.

        Args:
            n_workers: Number of processes; None takes one per core, and one in a worker.
            warm_up: What each process runs at once, so that it is ready when the first item comes;
                a function of a module, or a `functools.partial` of one.
        """
        self.n_workers = n_cores() if n_workers is None else n_workers
        self._warm_up = warm_up
        self._executor: Executor | None = None

    def __enter__(self) -> Self:
        if self.n_workers > 1:
            self._executor = _executor(self.n_workers)
            if self._warm_up is not None:
                for _ in range(self.n_workers):
                    self._executor.submit(self._warm_up)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._executor is None:
            return
        if isinstance(self._executor, ProcessPoolExecutor):
            self._executor.shutdown(wait=kind is None, cancel_futures=True)
        else:  # loky's own way to drop what waits
            self._executor.shutdown(wait=kind is None, kill_workers=kind is not None)  # type: ignore[call-arg]
        self._executor = None

    def map(self, function: Callable[[A], B], items: Iterable[A]) -> Iterator[B]:
        """Applies a function to items, a bounded number of them at once.

        Args:
            function: A function of a module, or a `functools.partial` of one.
            items: Taken as they are needed.

        Yields:
            The results, in the order of the items.

        Raises:
            WorkerError: If a process died.
        """
        if self._executor is None:
            yield from map(function, items)
            return
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(self._executor.submit(function, item))
                if len(waiting) > _AHEAD * self.n_workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise WorkerError(
                "A process that reads molecules died, as it does where memory runs out. Free "
                "memory, or set OMP_NUM_THREADS=1 to read them in one process."
            ) from None


def _executor(n_workers: int) -> Executor:
    forks = "fork" in multiprocessing.get_all_start_methods() and sys.platform.startswith("linux")
    if forks and "torch" not in sys.modules and threading.active_count() == 1:
        context = multiprocessing.get_context("fork")
        return ProcessPoolExecutor(n_workers, context, initializer=_end_with_the_parent)
    from joblib.externals import loky  # noqa: PLC0415 - only where it is needed

    executor: Executor = loky.ProcessPoolExecutor(n_workers)
    return executor


def _end_with_the_parent() -> None:
    """Ends a worker once the main process was killed, since it would wait for ever otherwise."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
