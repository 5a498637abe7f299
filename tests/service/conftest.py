"""A real server on loopback, with the small model that many tests share."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from admet.config.serve import ServeCommand
from admet.service.server import Server, listen, make_server


@contextmanager
def serving(command: ServeCommand) -> Iterator[tuple[Server, str]]:
    """Runs a server in a thread; gives it and its address."""
    ready = threading.Event()
    server = make_server(command, ready.set)
    with listen(command) as found:
        url = f"http://127.0.0.1:{found.getsockname()[1]}"
        thread = threading.Thread(target=server.run, kwargs={"sockets": [found]})
        thread.start()
        assert ready.wait(120)
        yield server, url
        server.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture(scope="package")
def command(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> ServeCommand:
    return ServeCommand(
        model_dir=trained,
        port=0,
        device="cpu",
        spool_dir=tmp_path_factory.mktemp("spool"),
        max_mib=2,
        max_rows=5000,
        max_molecules=300,
        max_files=4,
        idle_seconds=1,
        request_seconds=20,
    )


@pytest.fixture(scope="package")
def running(command: ServeCommand) -> Iterator[tuple[Server, str]]:
    with serving(command) as found:
        yield found


@pytest.fixture
def client(running: tuple[Server, str]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running[1], timeout=60) as found:
        yield found


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        for _ in range(600):
            if condition():
                return
            time.sleep(0.05)
        raise AssertionError("it did not come true")

    return wait
