"""A lean HTTP client and a server to try, for the harnesses of the service."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from admet.data.demo import TASKS, make_demo_panel

RESULTS = Path(os.environ.get("ADMET_FAULTS", Path(__file__).parent / "results"))
ADMET = Path(sys.executable).parent / "admet"
OCTETS = {"content-type": "application/octet-stream"}
_READY_SECONDS = 300


@dataclass(frozen=True)
class Answer:
    """A status, headers in lower case, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Gives what the body says."""
        return json.loads(self.body)


class Connection:
    """A connection that is used for one request after the other."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes] = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Sends a request and reads its answer; tries once more on a connection that was closed."""
        fresh = self._writer is None
        try:
            return await self._ask(method, path, body, headers or {})
        except (OSError, EOFError):
            self.close()
            if fresh or not isinstance(body, bytes):
                raise
            return await self._ask(method, path, body, headers or {})

    async def predict(self, smiles: list[str], **options: Any) -> Answer:
        """Asks for molecules."""
        body = json.dumps({"smiles": smiles, **options}).encode()
        given = {"content-type": "application/json"}
        return await self.ask("POST", "/api/v1/predict", body, given)

    async def file(self, content: bytes, query: str = "format=csv&wait=true") -> Answer:
        """Sends a file and waits for its result."""
        return await self.ask("POST", f"/api/v1/files?{query}", content, OCTETS)

    async def _ask(
        self,
        method: str,
        path: str,
        body: bytes | AsyncIterator[bytes],
        headers: Mapping[str, str],
    ) -> Answer:
        if self._writer is None:
            found = await asyncio.open_connection("127.0.0.1", self.port, limit=2**20)
            self._reader, self._writer = found
        writer = self._writer
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if isinstance(body, bytes):
            lines.append(f"content-length: {len(body)}")
        else:
            lines.append("transfer-encoding: chunked")
        writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        if isinstance(body, bytes):
            writer.write(body)
        else:
            async for part in body:
                writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                await writer.drain()
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return await self._read()

    async def _read(self) -> Answer:
        assert self._reader is not None
        head = await self._reader.readuntil(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in rest if ": " in line)
        body = await self._reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection") == "close":
            self.close()
        return Answer(int(first.split()[1]), headers, body)

    def close(self) -> None:
        """Closes it."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class ServerUnderTest:
    """`admet serve` as a process of its own."""

    def __init__(self, model_dir: Path, *flags: str) -> None:
        words = [str(ADMET), "serve", "--model-dir", str(model_dir), "--port", "0", *flags]
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        timer = threading.Timer(_READY_SECONDS, self.process.kill)
        timer.start()
        line = self.process.stdout.readline()
        timer.cancel()
        if not line.startswith("http"):
            raise RuntimeError("the server did not start:\n" + "\n".join(self.log[-20:]))
        self.port = int(line.split(":")[2].split("/")[0])

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """Ends it, softly at first; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(120)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.wait()

    def kill(self) -> None:
        """Ends it and what it has started, at once."""
        for process in self.workers():
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.kill()
        self.process.wait()

    def workers(self) -> list[psutil.Process]:
        """Gives the processes that predict."""
        try:
            children = psutil.Process(self.process.pid).children()
            return [child for child in children if "admet.service.worker" in _words(child)]
        except psutil.NoSuchProcess:
            return []

    def cpu_seconds(self) -> float:
        """Gives what it and all that it started have computed."""
        own = psutil.Process(self.process.pid)
        total = 0.0
        for process in (own, *own.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def memory(self) -> dict[str, float]:
        """Gives MiB that are resident: of the process that listens, and of all together."""
        own = psutil.Process(self.process.pid)
        total = own.memory_info().rss
        for child in own.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                total += child.memory_info().rss
        return {"listening": own.memory_info().rss / 2**20, "all": total / 2**20}


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


class Watch:
    """Looks at the memory of a server again and again."""

    def __init__(self, server: ServerUnderTest, seconds: float = 1.0) -> None:
        self.seen: list[dict[str, float]] = []
        self._server = server
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._look())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()

    async def _look(self) -> None:
        while True:
            with suppress(psutil.NoSuchProcess):
                self.seen.append(self._server.memory())
            await asyncio.sleep(self._seconds)

    def most(self, which: str) -> float:
        """Gives the peak of `listening` or `all`, in MiB."""
        return max(look[which] for look in self.seen)

    def middle(self, which: str, first: float, last: float) -> float:
        """Gives the median of a part of the looks, from one share of them to another."""
        n = len(self.seen)
        part = sorted(look[which] for look in self.seen[int(first * n) : max(1, int(last * n))])
        return part[len(part) // 2]


def model_in(folder: Path) -> Path:
    """Trains one network of the usual size on the demo panel, for a few epochs."""
    data = folder / "panel.csv"
    make_demo_panel(1500).to_csv(data, index=False)
    words = [
        str(ADMET), "train", "--data-path", str(data), "--data.target-columns", *TASKS,
        "--data.split-type", "random", "--training.epochs", "3", "--training.warmup-epochs", "1",
        "--save-dir", str(folder / "run"),
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return folder / "run"


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """Gives a folder for a harness."""
    return tempfile.TemporaryDirectory(prefix="admet-faults-")
