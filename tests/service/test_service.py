"""The service: the same numbers as `predict`, files with their columns, limits, a clean stop."""

import io
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import get_args

import pandas as pd
import pytest

import admet
from admet.service.schema import OutputEnding

pytestmark = pytest.mark.slow  # a server takes seconds to open its model
SMILES = ["CCO", "c1ccccc1C(=O)O", "CC(=O)[O-].[Na+]", "aspirin", ""]
FILES = "/api/v1/files"


def file_of(client, content, **options):
    options = {"format": "csv", "wait": "true"} | options
    return client.post(
        FILES,
        params=options,
        content=content,
        headers={"content-type": "application/octet-stream"},
    )


def test_molecules_get_the_numbers_of_the_model(client, trained):
    body = {"smiles": SMILES, "intervals": 0.8, "nearest": True, "structures": True}
    answer = client.post("/api/v1/predict", json=body).json()
    expected = admet.load(trained, device="cpu").predict(SMILES, intervals=0.8, nearest=True)
    names = [endpoint["name"] for endpoint in answer["endpoints"]]
    told = 0
    for row, molecule in enumerate(answer["molecules"]):
        assert molecule["smiles"] == SMILES[row]
        assert molecule["reason"] == expected["reason"][row]
        assert bool(molecule["values"]) == (not molecule["reason"])
        assert len(molecule["values"]) in (0, len(names))
        for name, value in zip(names, molecule["values"], strict=False):
            assert value["value"] == pytest.approx(expected[f"{name}_pred"][row], rel=1e-4)
            assert value["nearest"] == expected[f"{name}_nearest"][row]
            told += value.get("low") is not None
            if value.get("low") is not None:
                assert value["low"] == pytest.approx(expected[f"{name}_low"][row], rel=1e-4)
            assert -1 <= value["level"] <= 1
    assert told
    assert answer["molecules"][2]["structure"] == "CC(=O)O"


def test_molecules_alone_get_the_same_numbers(client):
    plain = client.post("/api/v1/predict", json={"smiles": SMILES}).json()["molecules"]
    body = {"smiles": SMILES, "structures": True, "nearest": True}
    whole = client.post("/api/v1/predict", json=body).json()["molecules"]
    for one, other in zip(plain, whole, strict=True):
        assert "structure" not in one
        assert one["reason"] == other["reason"]
        given = [value["value"] for value in one["values"]]
        assert given == pytest.approx([value["value"] for value in other["values"]], rel=1e-4)


def test_requests_at_the_same_time_share_batches(client):
    def ask(n):
        return client.post("/api/v1/predict", json={"smiles": ["C" * n]}).json()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(1, 60)))
    assert [a["molecules"][0]["smiles"] for a in answers] == ["C" * n for n in range(1, 60)]
    text = client.get("/metrics").text
    counts = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(counts["admet_batch_molecules_count"]) < float(counts["admet_batch_molecules_sum"])


def test_a_file_comes_back_with_its_own_columns(client, trained):
    table = "id,SMILES,note\n007,CCO,a\n008,nonsense,=1+1\n009,CCN,\n"
    answer = file_of(client, table.encode(), intervals=0.5, structure_column="drawn")
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-admet-without-prediction"] == "1"
    found = pd.read_csv(io.StringIO(answer.text), dtype=str, keep_default_na=False)
    assert list(found.columns[:4]) == ["id", "SMILES", "note", "drawn"]
    assert list(found["id"]) == ["007", "008", "009"]
    assert found["note"][1] == "'=1+1"
    assert found["reason"][1]
    assert found["LogD_low"][0]
    assert found["LogD_pred"][0]


@pytest.mark.parametrize("ending", get_args(OutputEnding))
def test_a_file_comes_back_in_the_format_asked_for(client, ending, tmp_path):
    answer = file_of(client, b"SMILES\nCCO\nCCN\n", output=ending)
    assert answer.status_code == 200, answer.text
    path = tmp_path / f"found.{ending}"
    path.write_bytes(answer.content)
    if ending == "json":
        assert len(pd.read_json(path)) == 2
    else:
        assert len(admet.data.read_table(path).frame) == 2


def test_the_openapi_document_lists_what_a_file_may_be_asked(client):
    spec = client.get("/api/openapi.json").json()
    listed = spec["paths"][FILES]["post"]["parameters"]
    assert {own["name"] for own in listed if own["required"]} == {"format"}
    assert {own["name"] for own in listed} == {
        "format", "output", "smiles_column", "structure_column", "intervals", "nearest", "wait",
        "sheet", "delimiter", "quoting", "encoding", "units_row",
    }  # fmt: skip


def test_a_file_is_asked_for_by_its_id(client, eventually):
    answer = file_of(client, b"SMILES\nCCO\nx\n", wait="false")
    assert answer.status_code == 202
    place = answer.headers["location"]
    eventually(lambda: client.get(place).json()["state"] == "done")
    state = client.get(place).json()
    assert (state["rows"], state["done"], state["without_prediction"]) == (2, 2, 1)
    assert state["preview"] == ["CCO", "x"]
    assert client.get(f"{place}/result").text.startswith("SMILES,LogD_pred")
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


@pytest.mark.parametrize(
    ("content", "options", "status", "says"),
    [
        (b"smiles\nCCO\n", {}, 422, "SMILES column 'SMILES' is not in the file. Nearest: 'smiles'"),
        (b"", {}, 422, "empty"),
        (b"SMILES\nC\n", {"delimiter": "x"}, 422, "delimiter"),
        (b"SMILES\nC\n", {"interval": "0.8"}, 422, "interval"),
        (b"SMILES\nC\n", {"encoding": "klingon"}, 422, "encoding"),
        (b"SMILES\nC\n", {"intervals": "2"}, 422, "intervals"),
        (b"SMILES\nC\n", {"format": "../../etc/passwd"}, 422, "format"),
        (b"PK\x03\x04", {"format": "xlsx"}, 422, "unpacked"),
        (b"SMILES\n" + b"C\n" * 6000, {}, 422, "has 6,000 rows"),
        (b"SMILES\n" + b"C" * 3_000_000, {}, 413, "more than the 2,097,152 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_why(client, content, options, status, says):
    answer = file_of(client, content, **options)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["error"]
    assert "/tmp" not in answer.text


def test_a_process_that_is_killed_loses_nothing(client, running, eventually):
    core = running[0]._core
    pids = [pid for pid in core.pids().values() if pid]
    with ThreadPoolExecutor(8) as pool:
        asked = [
            pool.submit(client.post, "/api/v1/predict", json={"smiles": ["CCO"] * 5})
            for _ in range(20)
        ]
        sent = [pool.submit(file_of, client, b"SMILES\n" + b"CCO\n" * 2000) for _ in range(2)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert {answer.result().status_code for answer in asked} == {200}
        for answer in sent:
            assert answer.result().status_code == 200
            assert answer.result().text.count("\n") == 2001
