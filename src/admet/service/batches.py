"""Joins requests that wait at the same time into one batch."""

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from admet.errors import AdmetError
from admet.service.metrics import Metrics
from admet.service.process import Worker, WorkerDiedError
from admet.service.refusal import STATUS_OF_KIND, RefusedError

log = logging.getLogger(__name__)

_ATTEMPTS = 3
_PAUSE = 1.0  # seconds, before a process that cannot be started is started again
_HOPE = 0.7  # share of the longest time that a new request may be expected to wait
_MEMORY = 0.8  # weight of what was known of the pace before


@dataclass(frozen=True)
class Question:
    """What is asked about some molecules.

    Attributes:
        op: predict or draw.
        smiles: The molecules.
        intervals: As of `Asked`.
        nearest: As of `Asked`.
        structures: Whether the structures that are predicted are given.
    """

    op: str
    smiles: Sequence[str]
    intervals: float | None = None
    nearest: bool = False
    structures: bool = False

    def __len__(self) -> int:
        return len(self.smiles)


@dataclass(eq=False)
class _Call:
    """A request that waits."""

    question: Question
    answer: "asyncio.Future[bytes]"
    until: float
    attempts: int = 0

    def refuse(self, error: RefusedError) -> None:
        """Refuses it, unless its caller is gone."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Batcher:
    """Hands what waits to one process, a batch at a time.

    A request during which the process died is tried again, alone, since it may have done the harm.
    """

    def __init__(
        self, worker: Worker, metrics: Metrics, *, most: int, max_waiting: int, seconds: float
    ) -> None:
        """Stores the parts.

        Args:
            worker: What predicts.
            metrics: What is counted.
            most: Molecules of one batch, unless a single request has more.
            max_waiting: Requests that may wait.
            seconds: Longest time until an answer.
        """
        self._worker = worker
        self._metrics = metrics
        self._most = most
        self._max_waiting = max_waiting
        self._seconds = seconds
        self._queue: deque[_Call] = deque()
        self._alone: deque[_Call] = deque()
        self._there = asyncio.Event()
        self._pace = 0.0  # seconds a molecule
        self._molecules = 0  # that wait or are being predicted
        self.busy = 0

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._queue) + len(self._alone)

    async def ask(self, question: Question) -> bytes:
        """Waits for the JSON of one request.

        Raises:
            RefusedError: If too much waits, it takes too long, or it cannot be answered.
        """
        expected = self._pace * self._molecules
        if self.waiting >= self._max_waiting or expected > _HOPE * self._seconds:
            retry = min(60, max(1, math.ceil(expected / 2)))
            raise RefusedError(429, "Too many requests wait. Try again later.", retry)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._queue.append(_Call(question, future, time.monotonic() + self._seconds))
        self._there.set()
        self._molecules += len(question)
        try:
            return await future
        finally:
            self._molecules -= len(question)

    async def run(self) -> None:
        """Hands over batches for ever."""
        while True:
            await self._there.wait()
            batch = self._next()
            if not batch:
                self._there.clear()
                continue
            self.busy = len(batch)
            try:
                await self._hand_over(batch)
            finally:
                self.busy = 0

    def _next(self) -> list[_Call]:
        """Takes the next batch: as many calls as fit, in their order."""
        if self._alone:
            return [self._alone.popleft()]
        batch: list[_Call] = []
        n = 0
        while self._queue and (not batch or n + len(self._queue[0].question) <= self._most):
            batch.append(self._queue.popleft())
            n += len(batch[-1].question)
        return batch

    async def _hand_over(self, batch: list[_Call]) -> None:
        now = time.monotonic()
        for call in batch:
            if call.until <= now:
                call.refuse(RefusedError(503, "The request waited too long. Try again.", 5))
        batch = [call for call in batch if not call.answer.done()]
        if not batch:
            return
        for call in batch:
            call.attempts += 1
        n = sum(len(call.question) for call in batch)
        self._metrics.batch(n)
        request = {"op": "molecules", "questions": [asdict(call.question) for call in batch]}
        try:
            async with asyncio.timeout(self._seconds):
                header, parts = await self._worker.ask(request)
        except (WorkerDiedError, TimeoutError) as error:
            self._again(batch, late=isinstance(error, TimeoutError))
            return
        except AdmetError as error:  # the model cannot be opened any more
            log.error("%s cannot be started: %s", self._worker.name, error)
            for call in batch:
                call.refuse(RefusedError(503, "The model cannot be opened.", 30))
            await asyncio.sleep(_PAUSE)
            return
        spent = (time.monotonic() - now) / n
        self._pace = _MEMORY * self._pace + (1 - _MEMORY) * spent if self._pace else spent
        if "error" not in header:
            for call, part in zip(batch, parts, strict=True):
                if not call.answer.done():
                    call.answer.set_result(part)
        elif len(batch) > 1:  # whose fault it was shows when each is asked alone
            self._alone.extend(batch)
        else:
            batch[0].refuse(RefusedError(STATUS_OF_KIND[header["kind"]], header["error"]))

    def _again(self, batch: list[_Call], *, late: bool) -> None:
        for call in batch:
            if late and len(batch) == 1:
                call.refuse(RefusedError(503, "The request took too long. Ask for less."))
            elif call.attempts >= _ATTEMPTS:
                said = f"The process that predicts died {call.attempts} times at this request."
                call.refuse(RefusedError(503, said))
            else:
                self._alone.append(call)
        self._there.set()
