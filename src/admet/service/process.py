"""A process that predicts, as the process that listens sees it."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from admet.errors import AdmetError, WorkerError
from admet.service.escaped import escaped
from admet.service.frames import LONGEST_LINE, Message, packed, receive_frame

log = logging.getLogger(__name__)

_START_SECONDS = 600
_LOG_LINES = 40  # of a process between two answers


class WorkerDiedError(WorkerError):
    """The process ended, or was ended, before it answered."""


@dataclass(frozen=True)
class Setup:
    """What a process is started with.

    Attributes:
        model_dir: Run directory.
        device: Name of the device.
        batch_size: Molecules in one step.
        fast: Whether members of a mixture that read pretrained inputs are left out.
        processes: Processes that read molecules for it; with 1 it does so itself.
        threads: Threads of its networks. A few molecules gain nothing from several, and lose much
            where other work shares the cores.
        memory_bytes: Most memory of each of them.
    """

    model_dir: str
    device: str
    batch_size: int
    fast: bool
    processes: int
    threads: int
    memory_bytes: int


class Worker:
    """A process that predicts; it is started again where it died.

    Attributes:
        about: What it told of the model; empty until it was ready for the first time.
        starts: How often it was started.
    """

    def __init__(self, setup: Setup, name: str) -> None:
        self.about: dict[str, Any] = {}
        self.starts = 0
        self.name = name
        self._setup = setup
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()
        self._stderr: asyncio.Task[None] | None = None
        self._said = 0

    @property
    def pid(self) -> int | None:
        """Its process, while it is there."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Starts it, and waits until it holds the model.

        Raises:
            AdmetError: If the model cannot be opened.
            WorkerDiedError: If it ends before.
        """
        self.starts += 1
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "admet.service.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the parent
            limit=LONGEST_LINE,
        )  # fmt: skip
        self._process = process
        self._stderr = asyncio.create_task(self._pass_on(process))
        try:
            async with asyncio.timeout(_START_SECONDS):
                header, _ = await self._exchange(asdict(self._setup))
        except TimeoutError:
            await self.kill()
            raise WorkerDiedError("The model was not ready in time.") from None
        if "fatal" in header:
            await self.kill()
            raise AdmetError(header["fatal"])
        self.about = header["about"]

    async def ask(
        self,
        request: Mapping[str, Any],
        progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> Message:
        """Sends a request and waits for its answer; one at a time.

        Args:
            request: The request.
            progress: Is told of what is done in between.

        Raises:
            WorkerDiedError: If the process is gone before it answers.
            AdmetError: If it had to be started, and could not.
        """
        async with self._lock:
            if self._process is None:
                await self.start()
            self._said = 0
            try:
                return await self._exchange(request, progress)
            except asyncio.CancelledError:
                await self.kill()  # its answer would be taken for that of the next request
                raise

    async def _exchange(
        self,
        request: Mapping[str, Any],
        progress: Callable[[dict[str, Any]], None] | None = None,
    ) -> Message:
        process = self._process
        assert process is not None  # noqa: S101 - `ask` has started it
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(packed(dict(request)))
            await process.stdin.drain()
            while True:
                header, found = await receive_frame(process.stdout)
                if "progress" not in header:
                    return header, found
                if progress is not None:
                    progress(header)
        except (OSError, EOFError):  # asyncio's IncompleteReadError is one of the two
            await self.kill()
            raise WorkerDiedError("The process that predicts died.") from None

    async def _pass_on(self, process: asyncio.subprocess.Process) -> None:
        """Writes what the process prints to the log, escaped and bounded."""
        assert process.stderr is not None  # noqa: S101
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # a line beyond the limit
                continue
            if not line:
                return
            self._said += 1
            if self._said <= _LOG_LINES:
                log.warning("%s: %s", self.name, escaped(line.decode(errors="replace").rstrip()))

    async def kill(self) -> None:
        """Ends it and all that it started."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
