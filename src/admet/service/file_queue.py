"""Lets files that were accepted be predicted, one after the other."""

import asyncio
import logging
import time
from collections import deque
from pathlib import Path
from typing import Any

from admet.errors import AdmetError
from admet.service.files import Job, Spool
from admet.service.metrics import Metrics
from admet.service.process import Worker, WorkerDiedError

log = logging.getLogger(__name__)

_SMALL = 2**18  # bytes of a file that need not wait behind large ones
_ATTEMPTS = 3
_UNPACKED = 4  # how many times as large as the largest file one may be when it is unpacked


class FileQueue:
    """Files that wait, and two processes that predict them: one for all, one for small ones."""

    def __init__(
        self,
        spool: Spool,
        workers: tuple[Worker, Worker],
        metrics: Metrics,
        *,
        max_waiting: int,
        max_bytes: int,
        max_rows: int,
        seconds: float,
    ) -> None:
        """Stores the parts.

        Args:
            spool: Where the files are.
            workers: The process for all files, and that for small ones.
            metrics: What is counted.
            max_waiting: Files that may wait or be received.
            max_bytes: Size of the largest file.
            max_rows: Rows of the longest one.
            seconds: Longest time for one.
        """
        self.spool = spool
        self.workers = workers
        self.receiving = 0
        self.max_waiting = max_waiting
        self.max_bytes = max_bytes
        self.max_rows = max_rows
        self._metrics = metrics
        self._seconds = seconds
        self._waiting: deque[Job] = deque()
        self._changed = asyncio.Condition()
        self.running = 0

    @property
    def waiting(self) -> int:
        """Files that wait."""
        return len(self._waiting)

    @property
    def full(self) -> bool:
        """Whether no further file can be taken."""
        return self.waiting + self.receiving >= self.max_waiting

    async def put(self, job: Job) -> None:
        """Lets a file wait for its turn."""
        async with self._changed:
            self._waiting.append(job)
            self._changed.notify_all()

    async def finished(self, job: Job) -> None:
        """Waits until a file is done or has failed."""
        async with self._changed:
            await self._changed.wait_for(lambda: job.finite)

    async def run(self, place: int) -> None:
        """Predicts files for ever.

        Args:
            place: Which of the processes does it.
        """
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._next(place) is not None)
                job = self._next(place)
                assert job is not None  # noqa: S101 - it was just seen
                self._waiting.remove(job)
                self.running += 1
            try:
                await self._predict(job, self.workers[place])
            except Exception:
                log.exception("file %s", job.id)
                job.state, job.kind, job.error = "failed", "bug", "A fault of the server."
            finally:
                job.finished = time.time()
                self.running -= 1
                self._keep(job)
                self._metrics.file(job.state, job.done)
                async with self._changed:
                    self._changed.notify_all()

    def _next(self, place: int) -> Job | None:
        small_only = place == 1
        return next((j for j in self._waiting if not small_only or j.bytes <= _SMALL), None)

    def _keep(self, job: Job) -> None:
        try:
            self.spool.save(job)
        except OSError as error:
            log.error("file %s cannot be written down: %s", job.id, error)

    async def _predict(self, job: Job, worker: Worker) -> None:
        source, result = self.spool.source(job), self.spool.result(job)
        request = {
            "op": "file",
            "input": str(source),
            "output": str(result),
            "unpacked_bytes": _UNPACKED * self.max_bytes,
            "max_rows": self.max_rows,
            **job.options,
        }
        job.state = "running"

        def progress(header: dict[str, Any]) -> None:
            job.done, job.rows = header["progress"], header["rows"]

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with asyncio.timeout(self._seconds):
                    header, _ = await worker.ask(request, progress)
            except TimeoutError:
                said = f"It took more than {self._seconds:g} seconds. Split the file."
                header = {"error": said, "kind": "time"}
            except WorkerDiedError:
                if attempt < _ATTEMPTS:
                    continue
                said = f"The process that predicts died {attempt} times at this file."
                header = {"error": said, "kind": "died"}
            except AdmetError as error:
                log.error("%s cannot be started: %s", worker.name, error)
                header = {"error": "The model cannot be opened.", "kind": "died"}
            break
        _finish(job, header, source)


def _finish(job: Job, header: dict[str, Any], source: Path) -> None:
    if "error" in header:
        job.state, job.kind = "failed", header["kind"]
        job.error = _readable(header["error"], source)
        return
    job.state = "done"
    job.notes = [_readable(note, source) for note in header["notes"]]
    for key in ("rows", "without_prediction", "preview"):
        setattr(job, key, header[key])
    job.done = header["rows"]


def _readable(text: str, source: Path) -> str:
    """Leaves the server's own folders out of a message."""
    return (
        text.replace(f"Data file {str(source)!r}", "The file")
        .replace(repr(str(source)), "the file")
        .replace(str(source), "the file")
        .replace(source.name, "the file")
    )
