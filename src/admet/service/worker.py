"""The process that holds the model: takes requests from its parent, and gives answers.

It is started as `python -m admet.service.worker` with pipes, and ends with its parent.
"""

import logging
import os
import queue
import resource
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

from admet.errors import AdmetError, WorkerError
from admet.service.frames import Message, packed, read_frame


@dataclass(frozen=True)
class Channel:
    """The pipes to the parent; what libraries print goes to the log instead."""

    requests: IO[bytes]
    answers: IO[bytes]

    @classmethod
    def take(cls) -> "Channel":
        """Takes the standard streams of this process."""
        answers = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)
        return cls(sys.stdin.buffer, answers)

    def send(self, header: dict[str, Any], parts: list[bytes] | None = None) -> None:
        """Sends a message."""
        self.answers.write(packed(header, parts or ()))
        self.answers.flush()


class Notes(logging.Handler):
    """Collects what the package says while it works, each line once."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: dict[str, None] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps a line."""
        self.lines[record.getMessage()] = None


def main() -> int:
    """Answers until the parent is gone."""
    channel = Channel.take()
    setup = read_frame(channel.requests)
    if setup is None:
        return 0
    given = setup[0]
    from admet.featurize.encode import encode  # noqa: PLC0415 - before torch, as `predict` does
    from admet.workers import WorkerPool  # noqa: PLC0415

    with WorkerPool(given["processes"], warm_up=partial(encode, ["C"], True, 1, False)) as pool:
        try:
            from admet.service.answers import Answers  # noqa: PLC0415 - needs torch

            answers = Answers.open(given, pool)
            about = answers.about()
        except AdmetError as error:
            channel.send({"fatal": str(error)})
            return 2
        _limit_memory(given["memory_bytes"])
        waiting = _requests(channel.requests)
        channel.send({"ready": True, "about": about})
        while True:
            _answer(channel, answers.do, waiting.get())


def _requests(source: IO[bytes]) -> "queue.Queue[Message]":
    """Reads requests beside the work; the process ends where its parent is gone."""
    waiting: queue.Queue[Message] = queue.Queue()

    def read() -> None:
        while (message := read_frame(source)) is not None:
            waiting.put(message)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return waiting


def _answer(
    channel: Channel, do: Callable[[dict[str, Any], Any], tuple[Any, list[bytes]]], message: Message
) -> None:
    notes, log = Notes(), logging.getLogger("admet")
    log.addHandler(notes)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        header, parts = do(message[0], channel.send)
        channel.send({"notes": list(notes.lines), **header}, parts)
    except WorkerError:  # the pool is of no use any more; the parent starts another process
        os._exit(3)
    except AdmetError as error:
        channel.send({"error": str(error), "kind": "input"})
    except MemoryError:
        channel.send({"error": "It needs more memory than a request may take.", "kind": "memory"})
    except Exception as error:
        if type(error).__name__ in {"OutOfMemoryError", "_ArrayMemoryError"} or (
            "can't allocate memory" in str(error) or "bad_alloc" in str(error)
        ):
            said = "It needs more memory than a request may take."
            channel.send({"error": said, "kind": "memory"})
            return
        traceback.print_exc()  # the parent writes it to its log, escaped
        channel.send({"error": f"A fault of the server ({type(error).__name__}).", "kind": "bug"})
    finally:
        log.removeHandler(notes)


def _limit_memory(n_bytes: int) -> None:
    """Lets an allocation beyond the limit fail, instead of the machine."""
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))


if __name__ == "__main__":
    sys.exit(main())
