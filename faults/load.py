"""Measures the service on loopback: rates, waiting times, memory, and that nothing is lost.

The numbers of `predict` and of the service are taken in turns, since other work may share the
machine: what counts are their ratios.

Usage: python faults/load.py [--model-dir RUN] [--molecules TABLE] [--seconds 10] [--mixed 600]
[--rows 1000000]
Writes faults/results/load.json, in which parts that are left out (0) stay as they were; ends with 1
where a request got a 500, a row was lost, or memory
grew.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
from wire import ADMET, RESULTS, Answer, Connection, ServerUnderTest, Watch, model_in, scratch

from admet.data import read_table
from admet.data.demo import make_demo_panel

Ask = Callable[[Connection, random.Random], Awaitable[Answer]]

_GROWTH = 1.15  # of the memory between the first and the last third of a mixed load


class Load:
    """Clients that ask one after the other until the time is over."""

    def __init__(self, port: int, seconds: float) -> None:
        self.port = port
        self.until = time.monotonic() + seconds
        self.spent: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.broken: Counter[str] = Counter()

    async def client(self, ask: Ask, seed: int) -> None:
        """Asks until the time is over."""
        connection, rng = Connection(self.port), random.Random(seed)
        while time.monotonic() < self.until:
            started = time.perf_counter()
            try:
                answer = await ask(connection, rng)
            except (OSError, EOFError) as error:
                self.broken[type(error).__name__] += 1
                connection.close()
                continue
            self.statuses[answer.status] += 1
            if answer.status == 429:  # a fair client comes back when it is told to
                await asyncio.sleep(min(5.0, float(answer.headers["retry-after"])))
            else:
                self.spent.append(time.perf_counter() - started)
        connection.close()

    def table(self) -> dict[str, Any]:
        """Gives how many there were, and how long they took, in milliseconds."""
        quantiles = np.percentile(self.spent, [50, 95, 99]) if self.spent else [0, 0, 0]
        return {
            "requests": len(self.spent),
            **{
                f"p{q}_ms": round(1000 * float(v), 1)
                for q, v in zip((50, 95, 99), quantiles, strict=True)
            },
            "statuses": {str(k): n for k, n in sorted(self.statuses.items())},
            "broken": dict(self.broken),
        }


async def rates(server: ServerUnderTest, smiles: list[str], seconds: float) -> list[dict[str, Any]]:
    """Measures nothing at all (`/health`), one molecule, and 1,000, with 1, 8 and 64 clients.

    What nothing takes is what the machine takes to hand a request from process to process.
    """
    found, port = [], server.port
    for size in (0, 1, 1000):
        for n_clients in (1, 8, 64):

            async def ask(connection: Connection, rng: random.Random, n: int = size) -> Answer:
                if not n:
                    return await connection.ask("GET", "/health")
                return await connection.predict(rng.sample(smiles, n))

            warm = Load(port, 1)
            await asyncio.gather(*(warm.client(ask, i) for i in range(min(n_clients, 8))))
            load, started, cpu = Load(port, seconds), time.perf_counter(), server.cpu_seconds()
            await asyncio.gather(*(load.client(ask, i) for i in range(n_clients)))
            spent = time.perf_counter() - started
            row = {"molecules": size, "clients": n_clients, **load.table()}
            row["molecules_per_s"] = round(size * load.statuses[200] / spent, 1)
            row["cpu_ms_per_request"] = round(
                1000 * (server.cpu_seconds() - cpu) / max(1, load.statuses[200]), 1
            )
            print(json.dumps(row), flush=True)
            found.append(row)
    return found


async def beside_predict(
    server: ServerUnderTest, model: Path, smiles: list[str], folder: Path, n_rows: int
) -> dict[str, Any]:
    """Lets `predict` and the service do the same file in turns."""
    path, one = folder / "same.csv", folder / "one.csv"
    path.write_text(table_of(smiles, n_rows))
    one.write_text(table_of(smiles, 1))
    content = path.read_bytes()
    pairs = []
    for _ in range(3):
        whole = await asyncio.to_thread(predicted, model, path, folder / "whole.csv")
        start = await asyncio.to_thread(predicted, model, one, folder / "none.csv")
        began = time.perf_counter()
        answer = await Connection(server.port).file(content)
        served = time.perf_counter() - began
        assert answer.status == 200, answer.body[:300]
        same = answer.body == (folder / "whole.csv").read_bytes()
        pairs.append((whole, start, served, same))
        print(f"predict {whole:.1f} s ({start:.1f} s to start), service {served:.1f} s", flush=True)
    whole, start, served = (float(np.median([p[i] for p in pairs])) for i in range(3))
    return {
        "rows": n_rows,
        "predict_s": round(whole, 2),
        "of_which_to_start_s": round(start, 2),
        "service_s": round(served, 2),
        "predict_rows_per_s_without_start": round(n_rows / (whole - start)),
        "service_rows_per_s": round(n_rows / served),
        "share_of_the_command": round(whole / served, 2),
        "share_without_its_start": round((whole - start) / served, 2),
        "same_bytes": all(p[3] for p in pairs),
    }


def predicted(model: Path, path: Path, output: Path) -> float:
    """Runs `admet predict`; its seconds."""
    words = [str(ADMET), "predict", "--model-dir", str(model), "--data-path", str(path),
             "--output", str(output), "--overwrite", "true"]  # fmt: skip
    started = time.perf_counter()
    subprocess.run(words, check=True, capture_output=True)
    return time.perf_counter() - started


def table_of(smiles: list[str], n_rows: int) -> str:
    """Gives a table with columns of its own."""
    rows = (f"id{i},{smiles[i % len(smiles)]},{i / 7:.3f}\n" for i in range(n_rows))
    return "id,SMILES,assay\n" + "".join(rows)


async def large_upload(
    server: ServerUnderTest, smiles: list[str], n_rows: int, folder: Path
) -> dict[str, Any]:
    """Sends a long file in parts, and counts the rows that come back while they stream."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"id,SMILES,assay\n"
        for start in range(0, n_rows, 10_000):
            rows = range(start, min(n_rows, start + 10_000))
            yield "".join(f"id{i},{smiles[i % len(smiles)]},{i}\n" for i in rows).encode()

    before = server.memory()
    started = time.perf_counter()
    async with Watch(server) as watch:
        connection = Connection(server.port)
        path = "/api/v1/files?format=csv&output=csv.gz"
        answer = await connection.ask("POST", path, parts(), {"content-type": "application/x-csv"})
        assert answer.status == 202, answer.body[:300]
        place = answer.headers["location"]
        while (state := (await connection.ask("GET", place)).json())["state"] in (
            "queued",
            "running",
        ):
            await asyncio.sleep(1)
        found = await connection.ask("GET", f"{place}/result")
    spent = time.perf_counter() - started
    output = folder / "large.csv.gz"
    output.write_bytes(found.body)
    unpacked = subprocess.run(
        ["gzip", "-dc", str(output)], capture_output=True, check=True
    ).stdout.count(b"\n")
    await connection.ask("DELETE", place)
    return {
        "rows": n_rows,
        "rows_back": unpacked - 1,
        "state": state["state"],
        "seconds": round(spent, 1),
        "rows_per_s": round(n_rows / spent),
        "memory_before_mib": {k: round(v) for k, v in before.items()},
        "memory_peak_mib": {k: round(watch.most(k)) for k in ("listening", "all")},
    }


async def mixed(server: ServerUnderTest, smiles: list[str], seconds: float) -> dict[str, Any]:
    """Lets all kinds of clients ask at once for a long time; looks at statuses and memory."""
    load = Load(server.port, seconds)
    names = {
        "one": _one(smiles), "thousand": _thousand(smiles), "file": _file(smiles),
        "wrong": _wrong, "look": _look, "draw": _draw(smiles),
    }  # fmt: skip
    numbers = {"one": 6, "thousand": 1, "file": 1, "wrong": 2, "look": 1, "draw": 1}
    parts = {name: Load(server.port, seconds) for name in names}
    clients = [
        parts[name].client(names[name], 100 * i + place)
        for place, (name, number) in enumerate(numbers.items())
        for i in range(number)
    ]
    async with Watch(server) as watch:
        await asyncio.gather(*clients)
    for part in parts.values():
        load.statuses.update(part.statuses)
        load.broken.update(part.broken)
    growth = {
        which: round(watch.middle(which, 2 / 3, 1) / watch.middle(which, 0.1, 1 / 3), 3)
        for which in ("listening", "all")
    }
    return {
        "seconds": seconds,
        "statuses": {str(k): n for k, n in sorted(load.statuses.items())},
        "broken": dict(load.broken),
        "by_client": {name: part.table() for name, part in parts.items()},
        "memory_last_third_over_first": growth,
        "memory_peak_mib": {k: round(watch.most(k)) for k in ("listening", "all")},
    }


def _one(smiles: list[str]) -> Ask:
    async def ask(connection: Connection, rng: random.Random) -> Answer:
        given: dict[str, Any] = {"intervals": 0.8, "nearest": True} if rng.random() < 0.5 else {}
        answer = await connection.predict([rng.choice(smiles)], **given)
        await asyncio.sleep(0.02)
        return answer

    return ask


def _thousand(smiles: list[str]) -> Ask:
    async def ask(connection: Connection, rng: random.Random) -> Answer:
        return await connection.predict(rng.sample(smiles, 1000))

    return ask


def _file(smiles: list[str]) -> Ask:
    async def ask(connection: Connection, rng: random.Random) -> Answer:
        n_rows = rng.randint(10, 3000)
        output = rng.choice(["csv", "xlsx", "sdf", "parquet"])
        query = f"format=csv&wait=true&output={output}"
        answer = await connection.file(table_of(smiles, n_rows).encode(), query)
        if answer.status == 200:
            await connection.ask("DELETE", f"/api/v1/files/{answer.headers['x-admet-file']}")
        return answer

    return ask


async def _wrong(connection: Connection, rng: random.Random) -> Answer:
    kind = rng.randrange(6)
    if kind == 0:
        return await connection.predict(["C(", "", "*", "C" * 5000, "[Fe]", "\ud800"])
    if kind == 1:
        return await connection.predict([], x=1)
    if kind == 2:
        return await connection.ask("POST", "/api/v1/predict", rng.randbytes(200))
    if kind == 3:
        return await connection.file(rng.randbytes(500), "format=xlsx&wait=true")
    if kind == 4:
        return await connection.file(b"a,b\n1,2\n")
    return await connection.ask("GET", f"/api/v1/files/{rng.getrandbits(128):032x}")


async def _look(connection: Connection, rng: random.Random) -> Answer:
    await asyncio.sleep(0.5)
    paths = ["/", "/health", "/metrics", "/api/v1/model", "/docs", "/static/page.js"]
    return await connection.ask("GET", rng.choice(paths))


def _draw(smiles: list[str]) -> Ask:
    async def ask(connection: Connection, rng: random.Random) -> Answer:
        body = json.dumps({"smiles": rng.sample(smiles, 20)}).encode()
        await asyncio.sleep(0.5)
        given = {"content-type": "application/json"}
        return await connection.ask("POST", "/api/v1/drawings", body, given)

    return ask


def judged(found: dict[str, Any]) -> list[str]:
    """Says what is not as asked, of what does not depend on the machine."""
    faults = []
    for row in [*found.get("rates", []), found.get("mixed", {})]:
        faults += [f"status {s}" for s in row.get("statuses", {}) if s == "500"]
        faults += [f"broken: {row['broken']}"] if row.get("broken") else []
    large = found.get("large_upload")
    if large and large["rows"] != large["rows_back"]:
        faults.append("rows of the large file were lost")
    if not found.get("beside_predict", {}).get("same_bytes", True):
        faults.append("the service and predict give other bytes")
    grown = found.get("mixed", {}).get("memory_last_third_over_first", {})
    faults += [f"memory grew: {grown}"] if any(v > _GROWTH for v in grown.values()) else []
    return faults


async def measure(model: Path, folder: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Measures all parts that are asked for."""
    table = (
        make_demo_panel(1800, seed=7)
        if given.molecules is None
        else read_table(given.molecules).frame
    )
    smiles = [str(s) for s in table["SMILES"]]
    found: dict[str, Any] = {
        "cores": os.cpu_count(),
        "others_load": round(os.getloadavg()[0], 1),
        "molecules": "demo panel" if given.molecules is None else given.molecules.name,
    }
    with ServerUnderTest(model) as server:
        await Connection(server.port).predict(["C"])
        if given.seconds:
            found["rates"] = await rates(server, smiles, given.seconds)
        if given.same_rows:
            found["beside_predict"] = await beside_predict(
                server, model, smiles, folder, given.same_rows
            )
            print(json.dumps(found["beside_predict"]), flush=True)
        if given.rows:
            found["large_upload"] = await large_upload(server, smiles, given.rows, folder)
            print(json.dumps(found["large_upload"]), flush=True)
        if given.mixed:
            found["mixed"] = await mixed(server, smiles, given.mixed)
            print(json.dumps(found["mixed"]), flush=True)
        found["others_load_after"] = round(os.getloadavg()[0], 1)
        found["ended_with"] = server.stop()
    return found


def main() -> int:
    """Measures, prints and writes."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--model-dir", type=Path)
    words.add_argument("--molecules", type=Path, help="table with a column SMILES")
    words.add_argument("--seconds", type=float, default=10, help="of each rate")
    words.add_argument("--same-rows", type=int, default=40_000, help="of the file beside predict")
    words.add_argument("--mixed", type=float, default=600, help="seconds of mixed load")
    words.add_argument("--rows", type=int, default=1_000_000, help="of the large file")
    given = words.parse_args()
    with scratch() as name:
        folder = Path(name)
        model = given.model_dir or model_in(folder)
        found = asyncio.run(measure(model, folder, given))
    found["faults"] = judged(found)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "load.json"
    if path.exists():
        found = {**json.loads(path.read_text(encoding="utf-8")), **found}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(found["faults"]) or "nothing lost, no 500, memory flat")
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
