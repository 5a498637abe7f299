"""The parts of the service without a server: files that grow, batches, files that survive."""

import asyncio
import gzip
import json
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from admet.errors import ConfigError, DataError
from admet.headers import ENDINGS
from admet.model.trained_model import TrainedModel
from admet.run_directory import load_model
from admet.service.answers import Answers
from admet.service.app import PAGE
from admet.service.batches import Batcher, Question
from admet.service.files import Spool
from admet.service.frames import packed, receive_frame
from admet.service.metrics import Metrics
from admet.service.process import WorkerDiedError
from admet.service.refusal import RefusedError
from admet.service.schema import MEDIA_TYPES, USUAL_OUTPUT, OutputEnding, SourceEnding
from admet.service.unpacked import check_unpacked
from admet.table_files import TABLES, writer_of
from admet.workers import WorkerPool

MIB = 2**20


class FakeWorker:
    """Answers with what it was asked; dies or is slow where a molecule says so."""

    name = "fake"

    def __init__(self) -> None:
        self.batches: list[list[list[str]]] = []
        self.deaths = 0

    async def ask(self, request):
        groups = [own["smiles"] for own in request["questions"]]
        self.batches.append(groups)
        await asyncio.sleep(0.01)
        words = [word for group in groups for word in group]
        if "slow" in words:
            await asyncio.sleep(60)
        if "dies" in words or ("dies once" in words and not self.deaths):
            self.deaths += 1
            raise WorkerDiedError("gone")
        if "wrong" in words:
            return {"error": "no", "kind": "input"}, []
        return {"notes": []}, [json.dumps(group).encode() for group in groups]


def asked(*groups, max_waiting=100, seconds=5.0, most=10):
    """Asks all at once; the answers or what was raised, and the worker."""

    async def go():
        worker = FakeWorker()
        batcher = Batcher(worker, Metrics(), most=most, max_waiting=max_waiting, seconds=seconds)
        run = asyncio.create_task(batcher.run())
        questions = (batcher.ask(Question("predict", group)) for group in groups)
        found = await asyncio.gather(*questions, return_exceptions=True)
        run.cancel()
        return found, worker

    return asyncio.run(go())


def test_what_waits_together_is_asked_together():
    found, worker = asked(["a"], ["b"], ["c"] * 9, ["d"])
    assert [json.loads(part) for part in found] == [["a"], ["b"], ["c"] * 9, ["d"]]
    assert worker.batches == [[["a"], ["b"]], [["c"] * 9, ["d"]]]


def test_a_request_that_kills_takes_no_other_with_it():
    found, worker = asked(["a"], ["dies"], ["b"], ["dies once"])
    assert [json.loads(part) for part in (found[0], found[2], found[3])] == [
        ["a"], ["b"], ["dies once"],
    ]  # fmt: skip
    assert isinstance(found[1], RefusedError)
    assert found[1].status == 503
    assert "died 3 times" in str(found[1])
    assert worker.deaths == 3


def test_a_request_that_is_wrong_spoils_no_other():
    found, _ = asked(["a"], ["wrong"])
    assert json.loads(found[0]) == ["a"]
    assert (found[1].status, str(found[1])) == (422, "no")


def test_too_many_and_too_slow_are_told_so():
    found, _ = asked(*(["a"] for _ in range(9)), max_waiting=4)
    refused = [error for error in found if isinstance(error, RefusedError)]
    assert [error.status for error in refused] == [429] * 5
    assert all(error.retry for error in refused)
    found, _ = asked(["slow"], seconds=0.05)
    assert found[0].status == 503


def test_files_survive_a_restart_and_halves_do_not(tmp_path):
    spool = Spool(tmp_path / "spool")
    assert spool.open() == []
    first, half, second = (spool.new(".csv", ".csv", {"intervals": None}) for _ in range(3))
    for job in (first, second):
        spool.source(job).write_text("SMILES\nC\n")
        spool.accept(job)
    second.state = "done"
    second.finished = 1.0
    spool.save(second)
    with pytest.raises(ConfigError, match="is used by another server"):
        Spool(tmp_path / "spool").open()
    spool.close()
    again = Spool(tmp_path / "spool")
    assert [job.id for job in again.open()] == [first.id]
    assert set(again.jobs) == {first.id, second.id}
    assert not spool.source(half).parent.exists()
    again.expire(1)
    assert set(again.jobs) == {first.id}
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0


def test_a_job_that_names_another_folder_is_not_followed(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.open()
    job = spool.new(".csv", ".csv", {})
    spool.source(job).write_text("x")
    spool.accept(job)
    source = spool.source(job)
    place = source.parent / "job.json"
    content = json.loads(place.read_text())
    for change in ({"id": "../../x"}, {"source": "/../../secret"}, {"id": 3}):
        place.parent.mkdir(exist_ok=True)
        source.write_text("x")
        place.write_text(json.dumps(content | change))
        spool.close()
        spool = Spool(tmp_path / "spool")
        assert spool.open() == []


def test_packed_files_are_counted_not_believed(tmp_path):
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"\0" * 3 * MIB))
    check_unpacked(path, 3 * MIB)
    with pytest.raises(DataError, match="more than 2 MiB when it is unpacked"):
        check_unpacked(path, 2 * MIB)
    book = tmp_path / "x.xlsx"
    with zipfile.ZipFile(book, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"\0" * 3 * MIB)
    check_unpacked(book, 3 * MIB)
    with pytest.raises(DataError, match="more than 2 MiB"):
        check_unpacked(book, 2 * MIB)
    lie = bytearray(book.read_bytes())
    place = lie.find(b"PK\x01\x02")
    lie[place + 24 : place + 28] = (1000).to_bytes(4, "little")
    book.write_bytes(bytes(lie))
    with pytest.raises(DataError, match="more than 2 MiB"):
        check_unpacked(book, 2 * MIB)
    book.write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="cannot be unpacked"):
        check_unpacked(book, 2 * MIB)


def test_messages_hold_what_was_sent():
    async def go(content):
        stream = asyncio.StreamReader()
        stream.feed_data(content)
        stream.feed_eof()
        return await receive_frame(stream)

    whole = packed({"a": "\n\ud800"}, [b"", b"\n{}"])
    header, parts = asyncio.run(go(whole))
    assert (header["a"], parts) == ("\n\ud800", [b"", b"\n{}"])
    for cut in (0, 5, len(whole) - 1):
        with pytest.raises(EOFError):
            asyncio.run(go(whole[:cut]))


def test_counts_are_text_of_prometheus():
    metrics = Metrics()
    metrics.request("GET", "/health", 200, 0.003)
    metrics.batch(3)
    metrics.file("done", 7)
    text = metrics.text({"admet_up": 1})
    assert 'admet_requests_total{method="GET",route="/health",status="200"} 1\n' in text
    assert 'admet_request_seconds_bucket{route="/health",le="0.005"} 1\n' in text
    assert 'admet_batch_molecules_bucket{le="2"} 0\n' in text
    assert 'admet_batch_molecules_bucket{le="+Inf"} 1\n' in text
    assert "admet_file_rows_total 7\n" in text
    assert text.endswith("admet_up 1\n")


def test_the_page_asks_nobody_else():
    for path in PAGE.rglob("*.*"):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text, path
        assert "https:" not in text, path
        if path.suffix == ".html":
            assert "<script>" not in text
            assert "<style" not in text
            assert " style=" not in text
            assert " onclick=" not in text


def test_the_endings_are_those_that_predict_reads_and_writes():
    read = {f".{ending}" for ending in get_args(SourceEnding)}
    written = {f".{ending}" for ending in get_args(OutputEnding)}
    assert read == set(ENDINGS)
    forms = (writer_of(Path(f"x{ending}")) for ending in written)
    assert written == {ending for form in forms for ending in form.endings}
    assert set(TABLES) <= {writer_of(Path(f"x{ending}")) for ending in written}
    assert set(MEDIA_TYPES) == set(get_args(OutputEnding))
    assert {f".{ending}" for ending in USUAL_OUTPUT} < read
    assert {f".{ending}" for ending in USUAL_OUTPUT.values()} < written
    script = (PAGE / "static" / "page.js").read_text(encoding="utf-8")
    listed = re.search(r"const ENDINGS = (\[.*\]);", script)[1]
    assert {f".{ending}" for ending in json.loads(listed)} == read


@pytest.mark.slow
def test_a_model_without_its_slow_members_opens_and_offers_no_intervals(trained, monkeypatch):
    given = {"model_dir": trained, "device": "cpu", "batch_size": 8, "threads": 1}
    part = replace(load_model(trained, "cpu"), lacking=True)
    monkeypatch.setattr(TrainedModel, "faster", lambda self: part)
    with WorkerPool(1) as pool:
        whole = Answers.open(given | {"fast": False}, pool).about()
        fast = Answers.open(given | {"fast": True}, pool).about()
    assert whole["intervals"]
    assert not fast["intervals"]
    assert fast["training_molecules"] == whole["training_molecules"]
