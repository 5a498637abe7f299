"""Listens, and stops without losing what was accepted."""

import asyncio
import logging
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from admet.config.serve import ServeCommand
from admet.errors import ConfigError, RunDirectoryError
from admet.service.access import access_of
from admet.service.app import make_app
from admet.service.core import Core
from admet.service.guard import Guard

log = logging.getLogger(__name__)

_HEAD_SECONDS = 10.0  # until the first line and the headers of a request are there
_WRITE_SECONDS = 30.0  # in which a caller must take something of an answer
_KEEP_ALIVE = 30  # seconds between two requests of a connection
_HEAD_BYTES = 64 * 1024
_MOST_CONNECTIONS = 1024


class PatientProtocol(H11Protocol):
    """HTTP, with limits on how slowly a caller may send a request's head or take an answer."""

    _head: asyncio.TimerHandle | None = None
    _stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a request."""
        super().connection_made(transport)
        flow = self.flow
        pause, resume = flow.pause_writing, flow.resume_writing

        def paused() -> None:
            pause()
            self._watch_writing()

        def resumed() -> None:
            resume()
            self._cancel("_stuck")

        flow.pause_writing = paused  # type: ignore[method-assign]
        flow.resume_writing = resumed  # type: ignore[method-assign]
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends all waiting."""
        self._cancel("_head")
        self._cancel("_stuck")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Reads; the wait for a head ends once it is there."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._cancel("_head")
        elif self._head is None and not self.transport.is_closing():
            self._wait_for_head()

    def on_response_complete(self) -> None:
        """Watches that the end of the answer is taken, too."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._watch_writing()

    def _wait_for_head(self) -> None:
        self._head = self.loop.call_later(_HEAD_SECONDS, self._no_head)

    def _no_head(self) -> None:
        self._head = None
        if self.transport.is_closing() or (self.cycle and not self.cycle.response_complete):
            return
        if self.conn.trailing_data[0]:
            self.transport.write(
                b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            )
        self.transport.close()

    def _watch_writing(self) -> None:
        self._cancel("_stuck")
        left = self.transport.get_write_buffer_size()
        self._stuck = self.loop.call_later(_WRITE_SECONDS, self._check_writing, left)

    def _check_writing(self, before: int) -> None:
        self._stuck = None
        left = self.transport.get_write_buffer_size()
        if left and left >= before:
            self.transport.abort()
        elif left:
            self._watch_writing()

    def _cancel(self, name: str) -> None:
        timer = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)


class Server(uvicorn.Server):
    """Stops in two steps: first nothing new is taken, then, when all is done, it ends.

    A second signal ends it at once.
    """

    def __init__(
        self, config: uvicorn.Config, core: Core, ready: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(config)
        self._core = core
        self._ready = ready
        self._draining: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen once the model is there.

        Raises:
            AdmetError: If the model cannot be opened.
        """
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self._core.fault is not None:
            await self._core.stop()
            raise self._core.fault
        self._ready()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begins to stop, or stops at once where it has begun."""
        del frame
        if self._draining is not None or self._loop is None or not self.started:
            self.force_exit = self.should_exit = True
            return
        name = signal.Signals(sig).name
        log.info("%s: finishing what was accepted; once more ends at once", name)
        self._loop.call_soon_threadsafe(self.stop_softly)

    def stop_softly(self) -> None:
        """Takes nothing new, and ends when all that was accepted is done."""
        self._draining = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        await self._core.drain()
        self.should_exit = True


def make_server(command: ServeCommand, ready: Callable[[], None] = lambda: None) -> Server:
    """Makes a server that does not listen yet.

    Args:
        command: What to serve.
        ready: Is called once it takes requests.

    Raises:
        ConfigError: If it could be reached from other machines and there is no token.
    """
    access = access_of(command)
    core = Core(command)
    guard = Guard(
        make_app(core),
        access,
        core.metrics,
        max_body=core.max_body,
        max_upload=core.max_upload,
        idle_seconds=command.idle_seconds,
    )
    config = uvicorn.Config(
        guard,
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE,
        backlog=512,
    )
    return Server(config, core, ready)


def listen(command: ServeCommand) -> socket.socket:
    """Opens the address.

    Raises:
        ConfigError: If it is not this machine's, or taken.
    """
    host = command.host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, command.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named, asyncio sends small answers at once (TCP_NODELAY). Else they
        # would wait 40 ms for the receipt of their head.
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
    except OSError as error:
        raise ConfigError(
            f"{command.host!r} port {command.port} cannot be listened on: {error.strerror}. Name "
            "another --port or --host."
        ) from None
    found.set_inheritable(False)
    return found


def serve(command: ServeCommand) -> None:
    """Serves until a signal ends it; prints the address once it takes requests.

    Args:
        command: What to serve, and where.

    Raises:
        ConfigError: If the address cannot be listened on, or needs a token.
        AdmetError: If the model cannot be opened.
    """
    access_of(command)  # before anything is opened
    if not command.model_dir.is_dir():
        raise RunDirectoryError(
            f"`model_dir` {str(command.model_dir)!r} is no folder. Name one that `admet train` "
            "wrote."
        )
    with listen(command) as found:
        host, port = found.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        log.info("opening the model")
        server = make_server(
            command, lambda: print(f"http://{shown}:{port}/ (Ctrl-C stops)", flush=True)
        )
        server.run(sockets=[found])
