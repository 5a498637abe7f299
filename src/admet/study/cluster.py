"""Fits on the workers of a cluster, by dask.distributed.

One fit runs in a worker's process at a time, and the client chooses which: a fit has the process to
itself, with its random numbers and its threads, and when a process dies, it is known which fit ran
there.
"""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Any, Self

import cloudpickle
import dask
from distributed import Client, Future

import admet
from admet.data import Split
from admet.errors import ConfigError, WorkerError
from admet.study.board import Board
from admet.study.executors import KEPT, Executor, FitFunction, Stop
from admet.study.jobs import Fit, Job, do
from admet.study.material import Material

log = logging.getLogger(__name__)

_CONNECT = 10  # seconds that a scheduler may take to answer
_TRIES = 5  # to open what is shared; a worker that came late may have no admet
_SAME = ("torch", "numpy", "scipy", "scikit-learn", "lightgbm", "chemprop", "lightning")

Shared = tuple[Material, list[list[Split]]]


def versions() -> dict[str, str]:
    """Gives the versions of what a fit computes with."""
    return {"admet": admet.__version__} | {name: metadata.version(name) for name in _SAME}


class ClusterExecutor(Executor):
    """The workers of a scheduler of dask, whoever started them; they may come and go."""

    def __init__(self, address: str) -> None:
        """Stores the address.

        Args:
            address: Of the scheduler, as tcp://host:8786.
        """
        self.address = address
        self._client: Client | None = None
        self._faults: dict[str, str] = {}  # worker → why it is of no use; "" where it is

    def __enter__(self) -> Self:
        """Connects, and checks that there are workers, all with the versions of this process."""
        try:
            self._client = Client(self.address, timeout=_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"`study.scheduler` {self.address!r} does not answer: {_first_line(error)}. Start "
                "`dask scheduler` there, or correct the address."
            ) from None
        try:
            self._check()
        except BaseException:
            self._client.close()
            raise
        log.info("%d workers at %s do the fits", self.n_workers, self.address)
        return self

    def __exit__(self, *_: object) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    @property
    def n_workers(self) -> int:
        """The number of workers that can do fits now, at least 1."""
        return max(1, sum(not fault for fault in self._faults.values()))

    def run(
        self,
        material: Material,
        splits: list[list[Split]],
        jobs: Sequence[Job],
        stop: Stop | None = None,
        fit: FitFunction = do,
    ) -> Iterator[Fit]:
        """Does fits; see `Executor.run`.

        A fit whose worker dies is done again by another. If that happens three times, the fit
        counts as failed.
        """
        board = Board(deque(jobs))
        shared: Future[Any] | None = None
        while board.waiting or board.running:
            with self._connected():
                workers = self._workers()
                failed = board.give_up(board.lost(workers))
            yield from failed
            with self._connected():
                # Asked even where no worker is free, or left, to begin a fit.
                while not board.stopped(stop) and (free := board.free(workers)):
                    shared = shared or self._share((material, splits))
                    future = self._submit(fit, shared, board.waiting[0], free[0])
                    board.begin(future, free[0])
            yield from board.ended()

    def _submit(
        self, fit: FitFunction, shared: "Future[Any]", job: Job, worker: str
    ) -> "Future[Any]":
        """Gives a fit to a worker, and to no other."""
        assert self._client is not None  # noqa: S101 - `__enter__` has connected
        return self._client.submit(
            _do, fit, shared, job, workers=[worker], allow_other_workers=False, pure=False
        )

    def _share(self, shared: Shared) -> "Future[Any]":
        """Sends what all fits need; a worker gets it from another one with its first fit.

        It goes as a task that opens it: dask does it again if every worker that had it died, where
        data that were scattered would be lost.
        """
        assert self._client is not None  # noqa: S101 - `__enter__` has connected
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            return self._client.submit(
                _opened, cloudpickle.dumps(shared), retries=_TRIES, pure=False
            )

    def _workers(self) -> list[str]:
        """Lists the workers that are there and can do fits; new ones are looked at."""
        assert self._client is not None  # noqa: S101 - `__enter__` has connected
        there = list(self._client.nthreads())
        found = self._faults_of([worker for worker in there if worker not in self._faults])
        for worker, fault in found.items():
            if fault:
                log.warning("Worker %s is not used: it %s", worker, fault)
        if self._faults and not there:
            log.warning("No worker is left at %s; waiting for new ones", self.address)
        known = self._faults | found
        self._faults = {worker: known[worker] for worker in there if worker in known}
        return [worker for worker, fault in self._faults.items() if not fault]

    def _check(self) -> None:
        """Checks the workers that are there at the beginning.

        Raises:
            ConfigError: If there is none, or one has other versions.
        """
        assert self._client is not None  # noqa: S101 - `__enter__` has connected
        threads = self._client.nthreads()
        if not threads:
            raise ConfigError(
                f"`study.scheduler` {self.address!r} has no worker. Start some, as `dask worker "
                f"{self.address} --nworkers 8 --nthreads 1`, and wait until one has begun."
            )
        self._faults = self._faults_of(list(threads))
        for worker, fault in self._faults.items():
            if fault:
                raise ConfigError(
                    f"`study.scheduler` {self.address!r}: the worker {worker} {fault}. Install the "
                    "same versions there as here; other ones may give other results."
                )
        if idle := sum(n - 1 for n in threads.values()):
            log.warning(
                "%d threads of the workers stay idle, since a worker does one fit at a time: start "
                "more workers with --nthreads 1",
                idle,
            )

    def _faults_of(self, workers: list[str]) -> dict[str, str]:
        """Says of each worker why it cannot do fits; "" where it can."""
        assert self._client is not None  # noqa: S101 - `__enter__` has connected
        if not workers:
            return {}
        found = self._client.run(versions, workers=workers, on_error="return")
        own = versions()
        return {worker: _fault(answer, own) for worker, answer in found.items()}

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """Says in one line where the scheduler is lost.

        Raises:
            WorkerError: In place of the errors of dask.
        """
        assert self._client is not None  # noqa: S101 - `__enter__` has connected
        try:
            yield
        except (OSError, TimeoutError) as error:
            fault = _first_line(error)
        else:
            if self._client.status == "running":
                return
            fault = f"the connection is {self._client.status}"
        raise WorkerError(f"The scheduler {self.address} was lost: {fault}. {KEPT}")


def _opened(packed: bytes) -> Shared:
    """Opens what all fits need, on a worker."""
    shared: Shared = cloudpickle.loads(packed)
    return shared


def _do(fit: FitFunction, shared: Shared, job: Job) -> Fit:
    """Does one fit on a worker."""
    material, splits = shared
    return fit(material, splits[job.repeat][job.fold], job)


def _fault(answer: Any, own: dict[str, str]) -> str:
    """Says what is wrong with the versions of a worker."""
    if not isinstance(answer, dict):
        return f"cannot import admet: {_first_line(answer)}"
    other = [f"{k} {answer.get(k)} (here {v})" for k, v in own.items() if answer.get(k) != v]
    return f"has {', '.join(other)}" if other else ""


def _first_line(error: object) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
