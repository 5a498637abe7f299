"""Which fits of a study wait, and which run on which worker of a cluster."""

import logging
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any

from distributed import Future, KilledWorker

from admet.study.executors import Stop
from admet.study.jobs import Fit, Job

log = logging.getLogger(__name__)

DEATHS = 3
"""Times that the worker of one fit may die, until the fit counts as failed."""
_FETCH = 60  # seconds that a result may take to come
_LOOK = 1.0  # seconds between two looks at which workers are there


@dataclass
class Board:
    """Notes which fits wait and which run, and takes them as they end.

    Attributes:
        waiting: Fits in the order in which they are begun.
        running: Future → its fit and the worker that does it.
        queue: Futures that have ended.
        deaths: How often the worker of a fit has died.
    """

    waiting: deque[Job]
    running: dict["Future[Any]", tuple[Job, str]] = field(default_factory=dict)
    queue: SimpleQueue["Future[Any]"] = field(default_factory=SimpleQueue)
    deaths: Counter[Job] = field(default_factory=Counter)

    def stopped(self, stop: Stop | None) -> bool:
        """Tells whether no further fit begins: none waits, or none may."""
        if self.waiting and stop is not None and stop():
            self.waiting.clear()
        return not self.waiting

    def free(self, workers: Sequence[str]) -> list[str]:
        """Lists the workers that have no fit."""
        busy = {worker for _, worker in self.running.values()}
        return [worker for worker in workers if worker not in busy]

    def begin(self, future: "Future[Any]", worker: str) -> None:
        """Notes that the first fit that waits was given to a worker."""
        self.running[future] = (self.waiting.popleft(), worker)
        future.add_done_callback(self.queue.put)

    def lost(self, workers: Sequence[str]) -> list["Future[Any]"]:
        """Lists the fits whose worker is gone."""
        return [
            future
            for future, (_, worker) in self.running.items()
            if worker not in workers and not future.done()
        ]

    def give_up(self, futures: Sequence["Future[Any]"]) -> list[Fit]:
        """Lets fits be done again whose worker died; gives those that have failed for good."""
        failed = []
        for future in futures:
            job, worker = self.running.pop(future)
            future.cancel()
            self.deaths[job] += 1
            log.warning("The worker %s died in a fit (%s)", worker, job.name)
            if self.deaths[job] < DEATHS:
                # Once it can be chance; then it may be the fit, which must not take all workers.
                again = self.waiting.appendleft if self.deaths[job] == 1 else self.waiting.append
                again(job)
                continue
            why = f"{DEATHS} workers died in its fold {job.fold + 1}, as where memory runs out"
            failed.append(Fit(job, None, 0.0, why))
        return failed

    def ended(self) -> list[Fit]:
        """Waits a while for fits that end, and gives them."""
        futures = []
        try:
            futures.append(self.queue.get(timeout=_LOOK))
            while True:
                futures.append(self.queue.get_nowait())
        except Empty:
            pass
        found, lost = [], []
        for future in futures:
            if future not in self.running:  # its worker was lost before
                continue
            fit = _result(future)
            if fit is None:
                lost.append(future)
            else:
                self.running.pop(future)
                found.append(fit)
        return found + self.give_up(lost)


def _result(future: "Future[Any]") -> Fit | None:
    """Gives what a fit found; None where it was lost with its worker.

    Raises:
        Exception: What the fit itself has raised.
    """
    if future.status == "error":
        error = future.exception()
        if isinstance(error, KilledWorker):
            return None
        raise error
    if future.status != "finished":
        return None
    try:
        found: Fit = future.result(timeout=_FETCH)
    except (TimeoutError, CancelledError):
        return None
    return found
