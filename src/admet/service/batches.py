"""Joins requests that wait at the same time into one batch."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from admet.errors import AdmetError
from admet.service.metrics import Metrics
from admet.service.process import Worker, WorkerDiedError
from admet.service.refusal import STATUS_OF_KIND, RefusedError

log = logging.getLogger(__name__)

_SMALL = 16  # molecules of a request that need not wait behind large ones
_ATTEMPTS = 3
_PAUSE = 1.0  # seconds, before a process that cannot be started is started again


@dataclass(frozen=True)
class Kind:
    """What is asked about molecules; requests of one kind can be answered together.

    Attributes:
        op: predict or draw.
        intervals: As of `Asked`.
        nearest: As of `Asked`.
    """

    op: str
    intervals: float | None = None
    nearest: bool = False


@dataclass(eq=False)
class _Call:
    """A request that waits."""

    kind: Kind
    smiles: Sequence[str]
    answer: "asyncio.Future[bytes]"
    until: float
    attempts: int = 0
    key: Hashable = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.kind


class Batcher:
    """Hands what waits to one process, a batch at a time.

    Small requests and large ones take turns, so that one molecule does not wait for thousands. A
    request during which the process died is tried again, alone.
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
        self._small: deque[_Call] = deque()
        self._large: deque[_Call] = deque()
        self._alone: deque[_Call] = deque()
        self._there = asyncio.Event()
        self._turn = 0
        self.busy = 0

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._small) + len(self._large) + len(self._alone)

    async def ask(self, kind: Kind, smiles: Sequence[str]) -> bytes:
        """Waits for the JSON of one request.

        Raises:
            RefusedError: If too many wait, it takes too long, or it cannot be answered.
        """
        if self.waiting >= self._max_waiting:
            raise RefusedError(429, "Too many requests wait. Try again.", 1)
        future: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        call = _Call(kind, smiles, future, time.monotonic() + self._seconds)
        (self._small if len(smiles) <= _SMALL else self._large).append(call)
        self._there.set()
        return await future

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
        """Takes the next batch: calls of one kind, from the queue whose turn it is."""
        if self._alone:
            return [self._alone.popleft()]
        self._turn += 1
        queues = [self._small, self._large] if self._turn % 2 else [self._large, self._small]
        source = next((queue for queue in queues if queue), None)
        if source is None:
            return []
        first = source.popleft()
        batch, n, others = [first], len(first.smiles), deque[_Call]()
        while source:
            call = source.popleft()
            if call.key == first.key and n + len(call.smiles) <= self._most:
                batch.append(call)
                n += len(call.smiles)
            else:
                others.append(call)
        source.extend(others)
        return batch

    async def _hand_over(self, batch: list[_Call]) -> None:
        now = time.monotonic()
        late = [call for call in batch if call.until <= now]
        for call in late:
            _refuse(call, RefusedError(503, "The request waited too long. Try again.", 5))
        batch = [call for call in batch if call.until > now and not call.answer.done()]
        if not batch:
            return
        for call in batch:
            call.attempts += 1
        kind = batch[0].kind
        request = {
            "op": kind.op,
            "groups": [list(call.smiles) for call in batch],
            "intervals": kind.intervals,
            "nearest": kind.nearest,
        }
        self._metrics.batch(sum(len(call.smiles) for call in batch))
        try:
            async with asyncio.timeout(self._seconds):
                header, parts = await self._worker.ask(request)
        except (WorkerDiedError, TimeoutError) as error:
            self._again(batch, late=isinstance(error, TimeoutError))
            return
        except AdmetError as error:  # the model cannot be opened any more
            log.error("%s cannot be started: %s", self._worker.name, error)
            for call in batch:
                _refuse(call, RefusedError(503, "The model cannot be opened.", 30))
            await asyncio.sleep(_PAUSE)
            return
        if "error" not in header:
            for call, part in zip(batch, parts, strict=True):
                if not call.answer.done():
                    call.answer.set_result(part)
        elif len(batch) > 1:  # whose fault it was shows when each is asked alone
            self._alone.extend(batch)
        else:
            _refuse(batch[0], RefusedError(STATUS_OF_KIND[header["kind"]], header["error"]))

    def _again(self, batch: list[_Call], *, late: bool) -> None:
        """Lets requests be tried again alone, since one of them may have done the harm."""
        for call in batch:
            if late and len(batch) == 1:
                _refuse(call, RefusedError(503, "The request took too long. Ask for less."))
            elif call.attempts >= _ATTEMPTS:
                said = f"The process that predicts died {call.attempts} times at this request."
                _refuse(call, RefusedError(503, said))
            else:
                self._alone.append(call)
        if self._alone:
            self._there.set()


def _refuse(call: _Call, error: RefusedError) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
