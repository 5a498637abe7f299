"""What the routes share: processes, queues, counts, and how they start and stop."""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from admet.config.serve import ServeCommand
from admet.errors import AdmetError
from admet.service.batches import Batcher, Question
from admet.service.file_queue import FileQueue
from admet.service.files import Spool
from admet.service.metrics import Metrics
from admet.service.process import Setup, Worker
from admet.service.refusal import RefusedError
from admet.workers import n_cores

log = logging.getLogger(__name__)

_MIB, _GIB = 2**20, 2**30
_SWEEP = 30.0  # seconds between looks for results that have expired
_LONGEST_SMILES = 200  # bytes that a molecule of a JSON request takes, on average, at most
_TICK = 0.1
_FEW = 32  # molecules of a request that does not wait behind larger ones

Status = Literal["starting", "ok", "stopping"]


class Core:
    """A server without its routes.

    Attributes:
        command: What it was started with.
        status: Whether it takes requests.
        metrics: What it has counted.
        files: Files that wait.
    """

    def __init__(self, command: ServeCommand) -> None:
        self.command = command
        self.status: Status = "starting"
        self.metrics = Metrics()
        self.fault: AdmetError | None = None
        self.max_upload = command.max_mib * _MIB
        self.max_body = max(_MIB, _LONGEST_SMILES * command.max_molecules)
        self._temporary = command.spool_dir is None
        folder = (
            Path(tempfile.mkdtemp(prefix="admet-serve-"))
            if command.spool_dir is None
            else command.spool_dir
        )
        n = n_cores()
        self._workers = [
            Worker(self._setup(processes, threads), name)
            for name, processes, threads in (
                ("molecules", 1, 1),
                ("large files", n, n),
                ("many molecules and small files", 1, n),
            )
        ]
        # Few molecules do not wait behind many, which have a process of their own.
        self._batchers = [self._batcher(self._workers[place]) for place in (0, 2)]
        self.files = FileQueue(
            Spool(folder),
            (self._workers[1], self._workers[2]),
            self.metrics,
            max_waiting=command.max_files,
            max_bytes=self.max_upload,
            max_rows=command.max_rows,
            seconds=command.file_seconds,
        )
        self._tasks: list[asyncio.Task[None]] = []

    def _setup(self, processes: int, threads: int) -> Setup:
        command = self.command
        return Setup(
            str(command.model_dir.absolute()),
            command.device,
            command.batch_size,
            command.fast,
            processes,
            threads,
            int(command.memory_gib * _GIB),
        )

    def _batcher(self, worker: Worker) -> Batcher:
        command = self.command
        return Batcher(
            worker,
            self.metrics,
            most=command.batch_size,
            max_waiting=command.max_waiting,
            seconds=command.request_seconds,
        )

    @property
    def about(self) -> dict[str, Any]:
        """What is known of the model."""
        return self._workers[0].about

    def pids(self) -> dict[str, int | None]:
        """Gives the processes that predict."""
        return {worker.name: worker.pid for worker in self._workers}

    async def start(self) -> None:
        """Starts the processes; files that an earlier server accepted are gone on with.

        A model that cannot be opened is noted in `fault`.
        """
        try:
            left = self.files.spool.open()
            await self._workers[0].start()
        except AdmetError as error:
            self.fault = error
            return
        if left:
            log.info("%d files of an earlier server are still to do", len(left))
        for job in left:
            await self.files.put(job)
        self._tasks = [
            *(asyncio.create_task(_warm(worker)) for worker in self._workers[1:]),
            *(asyncio.create_task(batcher.run()) for batcher in self._batchers),
            asyncio.create_task(self.files.run(0)),
            asyncio.create_task(self.files.run(1)),
            asyncio.create_task(self._sweep()),
        ]
        self.status = "ok"

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP)
            self.files.spool.expire(self.command.keep_seconds)

    def require_ready(self) -> None:
        """Refuses new work while the server starts or stops.

        Raises:
            RefusedError: If it does.
        """
        if self.status != "ok":
            raise RefusedError(503, f"The server is {self.status}. Try again later.", 5)

    async def predict(
        self, smiles: Sequence[str], intervals: float | None, nearest: bool, structures: bool
    ) -> bytes:
        """Gives the JSON of predictions.

        Raises:
            RefusedError: If there are none.
        """
        return await self._ask(Question("predict", smiles, intervals, nearest, structures))

    async def draw(self, smiles: Sequence[str]) -> bytes:
        """Gives the JSON of drawings.

        Raises:
            RefusedError: If there are none.
        """
        return await self._ask(Question("draw", smiles))

    async def _ask(self, question: Question) -> bytes:
        self.require_ready()
        many = question.op == "draw" or len(question) > _FEW
        return await self._batchers[many].ask(question)

    def gauges(self) -> dict[str, float]:
        """Gives what stands where now."""
        return {
            "admet_up": float(self.status == "ok"),
            "admet_requests_waiting": sum(b.waiting for b in self._batchers),
            "admet_requests_in_batch": sum(b.busy for b in self._batchers),
            "admet_files_waiting": self.files.waiting,
            "admet_files_running": self.files.running,
            "admet_files_receiving": self.files.receiving,
            "admet_files_kept": len(self.files.spool.jobs),
            "admet_worker_starts": sum(worker.starts for worker in self._workers),
        }

    async def drain(self) -> None:
        """Takes nothing new, and waits until what was accepted is done and was fetched.

        Results that nobody fetches are waited for no longer than `stop_seconds`.
        """
        self.status = "stopping"
        while any(b.waiting or b.busy for b in self._batchers) or self.files.receiving:
            await asyncio.sleep(_TICK)
        while self.files.waiting or self.files.running:
            await asyncio.sleep(_TICK)
        until = time.monotonic() + self.command.stop_seconds
        while self._unfetched() and time.monotonic() < until:
            await asyncio.sleep(_TICK)

    def _unfetched(self) -> int:
        jobs = self.files.spool.jobs.values()
        return sum(job.state == "done" and not job.fetched for job in jobs)

    async def stop(self) -> None:
        """Ends the processes; a temporary folder is left only where it holds unfetched results."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        for worker in self._workers:
            await worker.kill()
        folder = self.files.spool.folder
        self.files.spool.close()
        if self._temporary:
            if left := self._unfetched():
                log.warning("%d results were not fetched; they are in %s", left, folder)
            else:
                shutil.rmtree(folder, ignore_errors=True)


async def _warm(worker: Worker) -> None:
    """Starts a process before it is needed; a fault shows when it is."""
    try:
        await worker.ask({"op": "nothing"})
    except AdmetError as error:
        log.warning("the process for %s is not there yet: %s", worker.name, error)
