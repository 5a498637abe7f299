"""What stands before the application: who asks, how large and how slow, which headers go out."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.exceptions import HTTPException

from admet.service.access import Access, same_origin
from admet.service.escaped import escaped
from admet.service.metrics import Metrics

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
MessageOf = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MessageOf]]
Send = Callable[[MessageOf], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_SLOWEST, _GRACE = 2_000, 20.0  # bytes a second of a body, after so many seconds
_DRAIN = 2.0  # seconds in which the rest of a refused body is read, so that the answer arrives
_METHODS = frozenset({"GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH"})
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded", "text/plain")
_OPEN = (
    "/",
    "/docs",
    "/health",
    "/api/openapi.json",
)  # what needs no token: it holds nothing of the model

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' blob:; connect-src 'self'; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}
_RAW_HEADERS = [(name.encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Wraps the application."""

    def __init__(
        self,
        app: App,
        access: Access,
        metrics: Metrics,
        *,
        max_body: int,
        max_upload: int,
        idle_seconds: float,
    ) -> None:
        """Stores what is allowed.

        Args:
            app: The application.
            access: Who may ask.
            metrics: What is counted.
            max_body: Bytes of a JSON request.
            max_upload: Bytes of a file.
            idle_seconds: Longest silence of a caller.
        """
        self._app = app
        self._access = access
        self._metrics = metrics
        self._max_body = max_body
        self._max_upload = max_upload
        self._idle = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            return
        started, status = time.perf_counter(), 0
        limited = _Body(receive, self._limit(scope), self._idle, dict(scope["headers"]))

        async def strict(message: MessageOf) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status >= 400:
                    await limited.drain()
                own = {name for name, _ in message.get("headers", [])}
                headers = [*message.get("headers", [])]
                headers += [(n, v) for n, v in _RAW_HEADERS if n not in own]
                if not limited.complete:  # what is left of it is not read
                    headers.append((b"connection", b"close"))
                message = {**message, "headers": headers}
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is None:
                await self._app(scope, limited, strict)
            else:
                await _say(strict, *refusal)
        except Exception as error:
            # The application has answered with a 500; what it was goes to the log, escaped.
            log.error("%s", escaped(f"{type(error).__name__}: {error}"), exc_info=_trace(error))
            if not status:
                await _say(strict, 500, "A fault of the server.")
        finally:
            self._count(scope, status, time.perf_counter() - started)

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.request(method, route, status, seconds)
        if route not in {"/health", "/metrics", "/static"}:
            log.info("%s %s %d %.0f ms", method, route, status, seconds * 1000)

    def _limit(self, scope: Scope) -> int:
        return self._max_upload if scope["path"] == "/api/v1/files" else self._max_body

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Says why a request is not even looked at: status and reason; None where it is."""
        given: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name == b"host" and name in given:
                return 400, "There is more than one Host header."
            given.setdefault(name, value.decode("latin-1"))
        if b"content-length" in given and b"transfer-encoding" in given:
            return 400, "Content-Length and Transfer-Encoding exclude each other."
        host = given.get(b"host")
        if not self._access.knows_host(host):
            return 421, (
                "This server is not known by the name in the Host header. Use its address, or "
                "start it with --allowed-hosts."
            )
        changes = scope["method"] not in {"GET", "HEAD"}
        crossed = given.get(b"sec-fetch-site") in {"cross-site", "same-site"}
        if not same_origin(given.get(b"origin"), host) or (
            crossed and (changes or scope["path"].startswith("/api/"))
        ):
            return 403, "Requests from pages of other origins are refused."
        if not _is_open(scope["path"]) and not self._access.knows_token(
            given.get(b"authorization")
        ):
            return 401, "Send the server's token as `Authorization: Bearer TOKEN`."
        if changes and given.get(b"content-type", "").lower().startswith(_FORMS):
            return 415, (
                "Send JSON as application/json, and a file as the body of the request, as "
                "application/octet-stream; forms are refused."
            )
        length = given.get(b"content-length", "0")
        limit = self._limit(scope)
        if length.isdecimal() and int(length) > limit:
            return 413, f"The request has more than the {limit:,} bytes that this server takes."
        return None


def _is_open(path: str) -> bool:
    return path in _OPEN or path.startswith("/static/")


def _trace(error: BaseException) -> Any:
    """Gives where an error arose, without its text, which may hold what a caller sent."""
    plain = RuntimeError("see above")
    return (RuntimeError, plain, error.__traceback__)


class _Body:
    """The body of a request, up to a size, and not too slow."""

    def __init__(
        self, receive: Receive, most: int, idle: float, headers: dict[bytes, bytes]
    ) -> None:
        self._receive = receive
        self._most = most
        self._idle = idle
        self._n = 0
        self._started = time.monotonic()
        # A caller who waits for leave to send has sent nothing that would have to be read.
        self._drains = b"expect" not in headers
        self.complete = (
            headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
        )

    async def __call__(self) -> MessageOf:
        """Gives its next part.

        Raises:
            HTTPException: If it is too large (413) or too slow (408).
        """
        if self.complete:  # from now on, the application waits for the caller to leave
            return await self._receive()
        try:
            async with asyncio.timeout(self._idle):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The request was not sent in time.") from None
        if message["type"] == "http.disconnect":
            self.complete = True
            return message
        self._n += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self._n > self._most:
            said = f"The request has more than the {self._most:,} bytes that this server takes."
            raise HTTPException(413, said)
        spent = time.monotonic() - self._started
        if spent > _GRACE and self._n < _SLOWEST * spent:
            raise HTTPException(408, "The request is sent too slowly.")
        return message

    async def drain(self) -> None:
        """Reads what is left for a moment, so that the answer is not lost with it."""
        try:
            async with asyncio.timeout(_DRAIN):
                while self._drains and not self.complete:
                    message = await self._receive()
                    self.complete = message["type"] == "http.disconnect" or not message.get(
                        "more_body", False
                    )
        except TimeoutError:
            pass


async def _say(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message, "status": status}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
