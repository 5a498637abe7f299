"""Headless Chromium, driven through its own pipe."""

import base64
import fcntl
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One page; what its console says is kept."""

    def __init__(self, folder: Path, width: int, height: int = 900) -> None:
        self._to_read, self._write = os.pipe()
        self._read, self._to_write = os.pipe()
        self._received = b""
        self._n = 0
        self.console: list[str] = []

        words = [
            CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
            "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
            f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank",
        ]  # fmt: skip
        # The browser reads descriptor 3 and writes 4; ours must be none of the two.
        ours = [fcntl.fcntl(fd, fcntl.F_DUPFD, 100) for fd in (self._to_read, self._to_write)]
        self._process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{ours[0]} 4>&{ours[1]}', "bash", *words],
            pass_fds=ours,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in ours:
            os.close(fd)
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        given = {"targetId": page["targetId"], "flatten": True}
        self._session = self._call("Target.attachToTarget", given)["sessionId"]
        for name in ("Page.enable", "Runtime.enable", "Log.enable", "Network.enable"):
            self.call(name)
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.call("Emulation.setDeviceMetricsOverride", metrics)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for fd in (self._to_read, self._write, self._read, self._to_write):
            os.close(fd)

    def call(self, method: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """Asks the page."""
        return self._call(method, given, self._session)

    def open(self, url: str) -> None:
        """Opens an address."""
        self.call("Page.navigate", {"url": url})
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """Runs a script in the page."""
        given = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = self.call("Runtime.evaluate", given)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def until(self, script: str, seconds: float = 60) -> None:
        """Waits until a script gives something true."""
        end = time.monotonic() + seconds
        while not self.run(script):
            assert time.monotonic() < end, (script, self.console)
            time.sleep(0.1)

    def picture(self, path: Path) -> None:
        """Takes a picture of the whole page."""
        given = {"format": "png", "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", given)["data"]))

    def _call(
        self, method: str, given: dict[str, Any] | None = None, session: str | None = None
    ) -> dict[str, Any]:
        self._n += 1
        message = {"id": self._n, "method": method, "params": given or {}}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._n:
                assert "error" not in found, found
                return found["result"]
            self._note(found)

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            self._received += os.read(self._read, 1 << 20)
        line, _, self._received = self._received.partition(b"\0")
        return json.loads(line)

    def _note(self, event: dict[str, Any]) -> None:
        given = event.get("params", {})
        if event["method"] == "Runtime.exceptionThrown":
            self.console.append(str(given["exceptionDetails"]))
        elif event["method"] == "Log.entryAdded" and given["entry"]["level"] == "error":
            self.console.append(f"{given['entry']['text']} {given['entry'].get('url')}")
        elif event["method"] == "Runtime.consoleAPICalled" and given["type"] in {
            "error",
            "warning",
        }:
            self.console.append(str(given["args"]))
        elif event["method"] == "Network.requestWillBeSent":
            url = given["request"]["url"]
            if not url.startswith(("http://127.0.0.1", "blob:", "data:", "about:")):
                self.console.append(f"asked for {url}")
