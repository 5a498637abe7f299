"""Attacks the service on loopback; after each attack it must answer as before.

The hostile corpus, once as files and once as molecules, must get what `predict` gives in this
process. Slow, broken, huge and crossed requests must be refused. Whatever dies, what was accepted
is answered. No answer may be a 500.

Usage: python faults/attack.py [--model-dir RUN] [--only ATTACK …]
Writes faults/results/attack.json, in which other attacks stay as they were; ends with 1 where something was otherwise.
"""

import argparse
import asyncio
import gzip
import io
import json
import logging
import random
import signal
import sys
import time
import traceback
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
from corpus import Case, corpus
from wire import RESULTS, Answer, Connection, ServerUnderTest, Watch, model_in, scratch

import admet
from admet.errors import AdmetError
from admet.inference import predict_table
from admet.model.trained_model import TrainedModel

Attack = Callable[["Stage"], Awaitable[dict[str, Any]]]
_JSON = {"content-type": "application/json"}
_LIMIT = 8  # MiB of a file


class Stage:
    """A server, the model that it serves, and a folder."""

    def __init__(self, server: ServerUnderTest, model_dir: Path, folder: Path) -> None:
        self.server = server
        self.model_dir = model_dir
        self.folder = folder
        self.statuses: Counter[int] = Counter()

    @property
    def spool(self) -> Path:
        """Where the server keeps files."""
        return self.folder / "spool"

    async def ask(self, *given: Any, **named: Any) -> Answer:
        """Asks once, on a connection of its own."""
        connection = Connection(self.server.port)
        try:
            answer = await connection.ask(*given, **named)
        finally:
            connection.close()
        self.statuses[answer.status] += 1
        return answer

    async def raw(self, *parts: bytes, pause: float = 0.0, seconds: float = 40) -> int:
        """Sends bytes as they are; the status, 0 where the connection was closed without one."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.server.port)
        said = b""
        try:
            async with asyncio.timeout(seconds):
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(pause)
                said = await reader.read(4096)
        except OSError:
            with suppress(OSError):
                said = await reader.read(4096)
        except TimeoutError:
            return -1
        finally:
            writer.close()
        status = int(said.split(b" ", 2)[1]) if said.startswith(b"HTTP/") else 0
        self.statuses[status] += 1
        return status

    async def file(self, content: bytes, query: str = "format=csv&wait=true") -> Answer:
        """Sends a file."""
        given = {"content-type": "application/octet-stream"}
        return await self.ask("POST", f"/api/v1/files?{query}", content, given)

    def head(self, *lines: str, path: str = "/api/v1/predict", method: str = "POST") -> bytes:
        """Gives the beginning of a request."""
        first = [f"{method} {path} HTTP/1.1", "host: localhost", *lines]
        return ("\r\n".join(first) + "\r\n").encode()


def expect(what: str, found: object, wanted: object) -> None:
    """Raises where something is otherwise."""
    good = found in wanted if isinstance(wanted, tuple) else found == wanted
    if not good:
        raise AssertionError(f"{what}: {found!r}, must be {wanted!r}")


async def corpus_as_files(stage: Stage) -> dict[str, Any]:
    """Sends every table of the corpus; the answer must be the bytes, or the words, of `predict`."""
    model = admet.load(stage.model_dir, device="cpu")
    cases = [case for case in corpus() if case.suffix != ".yaml"]
    seen: Counter[str] = Counter()
    for case in cases:
        answer = await stage.file(case.content, f"format={case.suffix[1:]}&wait=true&output=csv")
        seen[str(answer.status)] += 1
        if answer.status in {413, 422} and case.suffix == ".pkl":
            continue
        wanted = await asyncio.to_thread(_predicted, case, model, stage.folder)
        if isinstance(wanted, bytes):
            expect(case.name, answer.status, 200)
            expect(f"{case.name}, the same bytes", answer.body == wanted, True)
        else:
            expect(f"{case.name} ({wanted[:100]})", answer.status, (413, 422))
            expect(case.name, str(stage.folder) in answer.body.decode(), False)
    return {"files": len(cases), "statuses": dict(seen)}


def _predicted(case: Case, model: TrainedModel, folder: Path) -> bytes | str:
    """Gives what `predict` writes, or its message."""
    path, output = folder / f"case{case.suffix}", folder / "case_out.csv"
    path.write_bytes(case.content)
    try:
        predict_table(model, path, output, overwrite=True)
    except AdmetError as error:
        return str(error)
    return output.read_bytes()


async def corpus_as_molecules(stage: Stage) -> dict[str, Any]:
    """Sends every molecule of the corpus; those that a training rejects must get no number."""
    cases = [case for case in corpus() if case.name.startswith("molecule: ")]
    late = 0  # beyond the server's time limit, on a busy machine
    for case in cases:
        text = pd.read_csv(io.BytesIO(case.content), dtype=str, keep_default_na=False)
        smiles = text["SMILES"].iloc[-1]
        body = json.dumps({"smiles": [smiles, "CCO"], "intervals": 0.8, "nearest": True}).encode()
        answer = await stage.ask("POST", "/api/v1/predict", body, _JSON)
        expect(case.name, answer.status, (200, 413, 503))
        late += answer.status == 503
        if answer.status == 200:
            first, second = answer.json()["molecules"]
            expect(case.name, bool(first["reason"]), case.outcome == "rejected")
            expect(case.name, second["reason"], "")
        body = json.dumps({"smiles": [smiles]}).encode()
        answer = await stage.ask("POST", "/api/v1/drawings", body, _JSON)
        expect(f"{case.name}, drawn", answer.status, (200, 413, 503))
        late += answer.status == 503
    return {"molecules": len(cases), "refused_as_too_slow": late}


async def slow_clients(stage: Stage) -> dict[str, Any]:
    """Lets hundreds send a head, a body or nothing, slowly; others are served meanwhile."""
    head = stage.head("content-length: 50", "content-type: application/json")
    drips = [bytes([byte]) for byte in head]
    started = time.monotonic()
    slow = [
        *(stage.raw(*drips, pause=0.5) for _ in range(100)),  # the head
        *(stage.raw(head + b"\r\n{", *[b" "] * 60, pause=0.7) for _ in range(100)),  # the body
        *(stage.raw(head + b"\r\n{") for _ in range(100)),  # then silence
        *(stage.raw(b"") for _ in range(50)),  # nothing at all
    ]
    work = asyncio.gather(*slow)
    waits = []
    while not work.done():
        began = time.perf_counter()
        answer = await stage.ask("POST", "/api/v1/predict", b'{"smiles":["CCO"]}', _JSON)
        expect("a quick client beside slow ones", answer.status, 200)
        waits.append(time.perf_counter() - began)
        await asyncio.sleep(0.3)
    found = Counter(await work)
    expect("slow clients", all(status in {0, 408, 422, -1} for status in found), True)
    expect("slow clients that stayed", found[-1], 0)
    return {
        "slow": len(slow),
        "statuses": {str(k): v for k, v in found.items()},
        "seconds": round(time.monotonic() - started, 1),
        "slowest_quick_answer_ms": round(1000 * max(waits)),
    }


async def slow_readers(stage: Stage) -> dict[str, Any]:
    """Asks for much and takes nothing of it; memory stays, and the connections end."""
    body = json.dumps({"smiles": ["CCO"] * 900, "nearest": True}).encode()
    lines = ("content-type: application/json", f"content-length: {len(body)}")
    request = stage.head(*lines) + b"\r\n" + body
    before = stage.server.memory()["listening"]
    writers = []
    for _ in range(30):
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.server.port, limit=1)
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(request)
        writers.append(writer)
    await asyncio.sleep(20)
    memory = stage.server.memory()["listening"]
    for writer in writers:
        writer.transport.abort()
    expect("memory for answers that nobody takes", memory - before < 200, True)
    return {"readers": len(writers), "memory_mib": round(memory - before, 1)}


async def broken_uploads(stage: Stage) -> dict[str, Any]:
    """Breaks off uploads at random places; nothing of them stays."""
    rng = random.Random(0)
    content = b"SMILES\n" + b"CCO\n" * 20_000
    path = "/api/v1/files?format=csv"
    lines = ("content-type: application/octet-stream", f"content-length: {len(content)}")
    for _ in range(100):
        _, writer = await asyncio.open_connection("127.0.0.1", stage.server.port)
        writer.write(stage.head(*lines, path=path) + b"\r\n" + content[: rng.randrange(80_000)])
        await writer.drain()
        writer.transport.abort()
    chunked = stage.head("transfer-encoding: chunked", path=path) + b"\r\n"
    wrong = [b"zz\r\nx\r\n", b"5\r\nSMI", b"ffffffffffffffff\r\nx", b"-1\r\nx\r\n"]
    found = Counter([await stage.raw(chunked + part) for part in wrong])
    expect("broken chunks", all(status in {0, 400, 408} for status in found), True)
    await asyncio.sleep(2)
    left = [p.name for p in stage.spool.glob("job-*") if not (p / "job.json").exists()]
    expect("what broken uploads left", left, [])
    return {"broken_off": 100, "chunks": {str(k): v for k, v in found.items()}}


async def bombs(stage: Stage) -> dict[str, Any]:
    """Sends what is small and grows when it is unpacked or read."""
    zeros = zlib.compressobj(9, zlib.DEFLATED, 31)
    line = b"CCO," + b"x" * 996 + b"\n"
    packed = zeros.compress(b"SMILES,y\n")
    packed += b"".join(zeros.compress(line * 1000) for _ in range(2000)) + zeros.flush()  # 2 GB
    rows = gzip.compress(b"SMILES\n" + b"C\n" * 5_000_000)
    twice = gzip.compress(gzip.compress(b"\0" * 10**7))
    wide = ("SMILES," + ",".join(f"c{i}" for i in range(200_000)) + "\nCCO\n").encode()
    cell = b"SMILES\n" + b"C" * 7_000_000 + b"\n"
    cases: dict[str, tuple[bytes, str]] = {
        "gz of 2 GB": (packed, "csv.gz"),
        "gz of five million rows": (rows, "csv.gz"),
        "gz in gz": (twice, "csv.gz"),
        "200,000 columns": (wide, "csv"),
        "a cell of 7 MB": (cell, "csv"),
        "xlsx of 2 GB": (_workbook(2000), "xlsx"),
        "xlsx of 2 GB that says 1 kB": (_lying(_workbook(2000)), "xlsx"),
        "xlsx with 20,000 parts": (_parts(20_000), "xlsx"),
        "xlsx whose shared strings multiply": (_entities(), "xlsx"),
        "parquet of 10^8 rows": (_repeated(10**8), "parquet"),
        "parquet of long cells": (_repeated(200_000, "x" * 20_000), "parquet"),
        "sdf without an end": (b"x\n\n\n  0  0\n" * 700_000, "sdf"),
        "nested quotes": (b'SMILES\n"' + b'""' * 3_000_000, "csv"),
    }
    found: dict[str, Any] = {}
    async with Watch(stage.server, 0.2) as watch:
        for name, (content, ending) in cases.items():
            started = time.perf_counter()
            answer = await stage.file(content, f"format={ending}&wait=true&output=csv")
            spent = time.perf_counter() - started
            found[name] = f"{answer.status} after {spent:.1f} s: {answer.body[:120]!r}"
            print(name, found[name], flush=True)
            expect(name, answer.status, (200, 413, 422, 503))
            await _serves(stage, name)
    peak = watch.most("all")
    expect("memory at its peak, MiB", peak < 12_000, True)
    return {"answers": found, "memory_peak_mib": round(peak)}


def _workbook(mib: int) -> bytes:
    """Packs a sheet with one cell of so many MiB."""
    made = io.BytesIO()
    frame = pd.DataFrame({"SMILES": ["CCO"], "y": [1.0]})
    frame.to_excel(made, index=False, engine="xlsxwriter")
    out = io.BytesIO()
    with (
        zipfile.ZipFile(made) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for part in old.infolist():
            if not part.filename.endswith("sheet1.xml"):
                new.writestr(part.filename, old.read(part))
                continue
            before, after = old.read(part).split(b"</sheetData>")
            with new.open(part.filename, "w", force_zip64=True) as file:
                file.write(before)
                for _ in range(mib):
                    file.write(b" " * 2**20)
                file.write(b"</sheetData>" + after)
    return out.getvalue()


def _lying(content: bytes) -> bytes:
    """Lets the directory of an archive say that its sheet is small."""
    found = bytearray(content)
    place = 0
    while (place := found.find(b"PK\x01\x02", place)) >= 0:
        name = found[
            place + 46 : place + 46 + int.from_bytes(found[place + 28 : place + 30], "little")
        ]
        if name.endswith(b"sheet1.xml"):
            found[place + 24 : place + 28] = (1000).to_bytes(4, "little")
        place += 4
    return bytes(found)


def _parts(n: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for i in range(n):
            archive.writestr(f"xl/{i}.xml", b"")
    return out.getvalue()


def _entities() -> bytes:
    """Gives a workbook whose shared strings hold entities of entities."""
    lines = ['<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">']
    for before, after in zip("abcdefghi", "bcdefghij", strict=True):
        lines.append(f'<!ENTITY {after} "{f"&{before};" * 10}">')
    lines.append("]><sst><si><t>&j;</t></si></sst>")
    made, out = io.BytesIO(), io.BytesIO()
    pd.DataFrame({"SMILES": ["CCO"]}).to_excel(made, index=False, engine="xlsxwriter")
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            shared = part.filename.endswith("sharedStrings.xml")
            new.writestr(part.filename, "".join(lines) if shared else old.read(part))
    return out.getvalue()


def _repeated(n: int, cell: str = "CCO") -> bytes:
    """Gives a Parquet file of one cell again and again, a few bytes for each million."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    part = min(n, 1_000_000)
    column = pa.array([cell]).dictionary_encode().take(pa.array([0] * part))
    table = pa.table({"SMILES": column})
    with pq.ParquetWriter(out, table.schema, compression="zstd") as writer:
        for _ in range(n // part):
            writer.write_table(table)
    return out.getvalue()


async def heads(stage: Stage) -> dict[str, Any]:
    """Sends heads that are too long, of 10^5 headers, smuggled, crossed, or none at all."""
    get = b"GET /health HTTP/1.1\r\nhost: localhost\r\n"
    many = b"".join(b"x-%d: y\r\n" % i for i in range(100_000))
    good = (0, 400, 403, 404, 405, 408, 411, 413, 414, 415, 421, 422, 426, 431)
    post = "content-type: application/json"
    cases: dict[str, tuple[bytes, ...]] = {
        "10^5 headers": (get, many, b"\r\n"),
        "a header of 10 MB": (get + b"x: " + b"y" * 10**7 + b"\r\n\r\n",),
        "an address of 1 MB": (b"GET /" + b"a" * 10**6 + b" HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "no host": (b"GET / HTTP/1.1\r\n\r\n",),
        "two hosts": (get + b"host: evil\r\n\r\n",),
        "another host": (b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n",),
        "a host with a user": (b"GET / HTTP/1.1\r\nhost: a@localhost\r\n\r\n",),
        "HTTP/0.9": (b"GET /\r\n\r\n",),
        "HTTP/9": (b"GET / HTTP/9.9\r\nhost: localhost\r\n\r\n",),
        "no HTTP": (b"\x16\x03\x01" + bytes(200),),
        "NUL in a header": (get + b"x: a\0b\r\n\r\n",),
        "a bare line end": (get + b"x: a\nb: c\r\n\r\n",),
        "length and chunks": (stage.head(post, "content-length: 5", "transfer-encoding: chunked") + b"\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",),
        "two lengths": (stage.head(post, "content-length: 5", "content-length: 6") + b"\r\n{}{}{}",),
        "a negative length": (stage.head(post, "content-length: -5") + b"\r\n",),
        "a huge length": (stage.head(post, "content-length: " + "9" * 30) + b"\r\n",),
        "an unknown method": (b"BREW /health HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "TRACE": (b"TRACE / HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "CONNECT": (b"CONNECT evil:80 HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "another server's address": (b"GET http://evil/ HTTP/1.1\r\nhost: evil\r\n\r\n",),
        "out of the folder": (b"GET /static/../../../../etc/passwd HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "out of it, encoded": (b"GET /static/%2e%2e/%2e%2e/answers.py HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "NUL in the address": (b"GET /static/%00 HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "bytes that are no text": (b"GET /static/%ff%fe HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "a line end in the address": (b"GET /api/v1/files/%0d%0ax:y HTTP/1.1\r\nhost: localhost\r\n\r\n",),
        "a form from elsewhere": (stage.head("origin: http://evil.example", "content-type: text/plain", "content-length: 2") + b"\r\n{}",),
        "a post from elsewhere": (stage.head("origin: http://evil.example", post, "content-length: 2") + b"\r\n{}",),
        "a post from nowhere": (stage.head("origin: null", post, "content-length: 2") + b"\r\n{}",),
        "a post that a site crossed": (stage.head("sec-fetch-site: cross-site", post, "content-length: 2") + b"\r\n{}",),
        "a form with a file": (stage.head("content-type: multipart/form-data; boundary=x", "content-length: 2", path="/api/v1/files?format=csv") + b"\r\n--",),
        "a web socket": (get + b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x\r\nsec-websocket-version: 13\r\n\r\n",),
    }  # fmt: skip
    found = {}
    for name, parts in cases.items():
        status = await stage.raw(*parts)
        found[name] = status
        harmless = {"a web socket", "a bare line end", "HTTP/9"}
        wanted = (*good, 200) if name in harmless else good
        expect(name, status, wanted)
        await _serves(stage, name)
    return found


async def bodies(stage: Stage) -> dict[str, Any]:
    """Sends JSON that is none, deep, large, or of other types."""
    rng = random.Random(1)
    cases = [
        b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff", b"null", b"1e999", b'"x"',
        b'{"smiles":' + b"9" * 5000 + b"}", b'{"smiles":[1e400]}', b'{"smiles":[["C"]]}',
        b'{"smiles":["C"],"intervals":NaN}', b'{"smiles":["C"],"intervals":"0.8"}',
        b'{"smiles":["C"],"smiles":["CC"]}', b'{"smiles":["\\ud800\\u0000"]}',
        json.dumps({"smiles": ["C" * 500_000]}).encode(), json.dumps({"smiles": ["C"] * 2000}).encode(),
        json.dumps({"smiles": ["C1CCCCC1" * 1000]}).encode(),
        json.dumps({"smiles": ["." .join(["C"] * 3000)] * 3}).encode(),
        *(rng.randbytes(rng.randrange(400)) for _ in range(200)),
    ]  # fmt: skip
    seen: Counter[str] = Counter()
    for body in cases:
        for path in ("/api/v1/predict", "/api/v1/drawings"):
            answer = await stage.ask("POST", path, body, _JSON)
            seen[str(answer.status)] += 1
            expect(f"{path} {body[:40]!r}", answer.status, (200, 400, 413, 422))
    return dict(seen)


async def deaths(stage: Stage) -> dict[str, Any]:
    """Kills the processes that predict, again and again, under load; all is answered."""
    rng = random.Random(2)
    until = time.monotonic() + 45
    statuses: Counter[int] = Counter()
    wrong = kills = 0

    async def molecules(seed: int) -> None:
        nonlocal wrong
        connection, own = Connection(stage.server.port), random.Random(seed)
        while time.monotonic() < until:
            smiles = ["C" * own.randint(1, 30) for _ in range(own.choice([1, 1, 1, 100]))]
            answer = await connection.predict(smiles)
            statuses[answer.status] += 1
            given = (
                [m["smiles"] for m in answer.json()["molecules"]] if answer.status == 200 else []
            )
            wrong += given != smiles

    async def files(seed: int) -> None:
        nonlocal wrong
        connection, own = Connection(stage.server.port), random.Random(seed)
        while time.monotonic() < until:
            n = own.choice([100, 20_000])
            answer = await connection.file(b"SMILES\n" + b"CCO\n" * n)
            statuses[answer.status] += 1
            wrong += answer.body.count(b"\n") != n + 1

    async def kill() -> None:
        nonlocal kills
        while time.monotonic() < until - 15:
            await asyncio.sleep(rng.uniform(4, 7))
            victims = stage.server.workers()
            if victims:
                with suppress(Exception):
                    rng.choice(victims).send_signal(signal.SIGKILL)
                    kills += 1

    await asyncio.gather(kill(), *(molecules(i) for i in range(6)), *(files(i) for i in range(2)))
    expect("answers while processes die", [set(statuses), wrong], [{200}, 0])
    return {"kills": kills, "answered": sum(statuses.values()), "lost_or_wrong": wrong}


async def soft_stop(stage: Stage) -> dict[str, Any]:
    """Stops a server under load; what it accepted is answered, and then it ends with 0."""
    with ServerUnderTest(stage.model_dir, "--idle-seconds", "3") as server:
        connections = [Connection(server.port) for _ in range(12)]
        await asyncio.gather(*(c.predict(["C"]) for c in connections))
        content = b"SMILES\n" + b"CCO\n" * 20_000
        waiting = [
            *(asyncio.ensure_future(c.predict(["C" * i] * 200)) for i, c in enumerate(connections[:8], 1)),
            *(asyncio.ensure_future(c.file(content)) for c in connections[8:10]),
        ]  # fmt: skip
        told = await connections[10].file(content, "format=csv")
        await asyncio.sleep(0.5)
        server.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)
        late = await connections[11].predict(["C"])
        answers = await asyncio.gather(*waiting)
        expect("a request after the signal", late.status, 503)
        expect("what was accepted", [a.status for a in answers], [200] * 10)
        expect("rows", [a.body.count(b"\n") for a in answers[8:]], [20_001] * 2)
        place = told.headers["location"]
        while (state := (await connections[10].ask("GET", place)).json())["state"] != "done":
            expect("a file that waited", state["state"], ("queued", "running"))
            await asyncio.sleep(0.2)
        result = await connections[10].ask("GET", f"{place}/result")
        expect("its rows", result.body.count(b"\n"), 20_001)
        for connection in connections:
            connection.close()
        code = await asyncio.to_thread(server.process.wait, 60)
        expect("exit code", code, 0)
        expect("folders that were left", [w for w in server.log if "not fetched" in w], [])
    return {"answered": len(answers) + 1, "exit": code}


async def hard_stop(stage: Stage) -> dict[str, Any]:
    """Kills a whole server with files in its queue; the next one goes on with them."""
    spool = stage.folder / "survives"
    content = b"SMILES\n" + b"CCO\n" * 20_000
    with ServerUnderTest(stage.model_dir, "--spool-dir", str(spool)) as server:
        connection = Connection(server.port)
        places = [
            (await connection.file(content, "format=csv")).headers["location"] for _ in range(4)
        ]
        await asyncio.sleep(1)
        server.kill()
    with ServerUnderTest(stage.model_dir, "--spool-dir", str(spool)) as server:
        connection = Connection(server.port)
        for place in places:
            while (state := (await connection.ask("GET", place)).json())["state"] != "done":
                expect("a file of the earlier server", state["state"], ("queued", "running"))
                await asyncio.sleep(0.5)
            result = await connection.ask("GET", f"{place}/result")
            expect("its rows", result.body.count(b"\n"), 20_001)
    return {"files": len(places), "done_by_the_next": len(places)}


async def full_queue(stage: Stage) -> dict[str, Any]:
    """Sends more files than may wait; those above are told to come again."""
    content = b"SMILES\n" + b"CCO\n" * 60_000
    answers = await asyncio.gather(*(stage.file(content, "format=csv") for _ in range(12)))
    seen = Counter(answer.status for answer in answers)
    expect("statuses", set(seen) <= {202, 429} and seen[429] > 0, True)
    expect("retry-after", all("retry-after" in a.headers for a in answers if a.status == 429), True)
    for answer in answers:
        if answer.status == 202:
            place = answer.headers["location"]
            while (await stage.ask("GET", place)).json()["state"] in ("queued", "running"):
                await asyncio.sleep(0.5)
            await stage.ask("DELETE", place)
    return {str(k): v for k, v in seen.items()}


async def logs(stage: Stage) -> dict[str, Any]:
    """Sends text made for a terminal or a log; the log holds printable ASCII only."""
    evil = "\x1b[31mINJECTED\r\n500 GET /"
    await stage.ask("POST", "/api/v1/predict", json.dumps({"smiles": [evil]}).encode(), _JSON)
    await stage.file(f"SMILES,{evil}\nCCO,1\n".encode())
    await stage.ask("GET", "/%1b%5b31mINJECTED%0a")
    await stage.raw(b"GET / HTTP/1.1\r\nhost: \x1b[31mINJECTED\r\n\r\n")
    await asyncio.sleep(1)
    lines = stage.server.log
    bad = [line for line in lines if not all(32 <= ord(c) < 127 for c in line)]
    expect("lines that are not printable", bad, [])
    expect("lines with what was sent", [line for line in lines if "INJECTED" in line], [])
    return {"lines": len(lines)}


async def _serves(stage: Stage, after: str) -> None:
    """Checks that the server answers as before."""
    answer = await stage.ask("POST", "/api/v1/predict", b'{"smiles":["CCO"]}', _JSON)
    expect(f"a molecule after {after}", answer.status, 200)


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        heads, bodies, corpus_as_molecules, corpus_as_files, broken_uploads, full_queue, bombs,
        slow_clients, slow_readers, deaths, logs, soft_stop, hard_stop,
    )
}  # fmt: skip


async def attacked(model: Path, folder: Path, names: list[str]) -> dict[str, Any]:
    """Runs the attacks, one after the other."""
    found: dict[str, Any] = {}
    flags = ("--max-mib", str(_LIMIT), "--max-molecules", "1000", "--max-files", "4",
             "--idle-seconds", "3", "--spool-dir", str(folder / "spool"))  # fmt: skip
    with ServerUnderTest(model, *flags) as server:
        stage = Stage(server, model, folder)
        for name in names:
            started = time.perf_counter()
            try:
                said = await ATTACKS[name](stage)
                await _serves(stage, name)
                found[name] = {"as_stated": True, **said}
            except Exception as error:
                traceback.print_exc()
                found[name] = {"as_stated": False, "fault": f"{type(error).__name__}: {error}"}
            found[name]["took_s"] = round(time.perf_counter() - started, 1)
            print(name, json.dumps(found[name]), flush=True)
        found["statuses"] = {str(k): n for k, n in sorted(stage.statuses.items())}
        found["exit"] = server.stop()
    return found


def main() -> int:
    """Attacks, prints and writes."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--model-dir", type=Path)
    words.add_argument("--only", nargs="*", choices=list(ATTACKS), default=list(ATTACKS))
    given = words.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    with scratch() as name:
        folder = Path(name)
        found = asyncio.run(attacked(given.model_dir or model_in(folder), folder, given.only))
    faults = [name for name in given.only if not found[name]["as_stated"]]
    faults += ["a 500"] * ("500" in found["statuses"]) + ["its exit code"] * bool(found["exit"])
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / "attack.json"
    if path.exists():
        found = {**json.loads(path.read_text(encoding="utf-8")), **found}
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{len(given.only)} attacks; not as stated: {', '.join(faults) or 'none'}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
