"""Who may ask the service, and what is refused before it is looked at."""

import socket

import pytest

from admet.cli.__main__ import main
from admet.config.serve import ServeCommand
from admet.errors import ConfigError
from admet.service.access import Access, access_of, host_of, same_origin
from admet.service.escaped import escaped
from admet.service.server import listen

pytestmark = pytest.mark.slow  # a server takes seconds to open its model
PREDICT = "/api/v1/predict"


def test_strict_headers_stand_on_every_answer(client):
    for path in ("/", "/docs", "/health", "/api/v1/model", "/nowhere", "/static/page.js"):
        headers = client.get(path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"host": "evil.example"}, 421),
        ({"host": "evil.example:8765"}, 421),
        ({"host": "localhost@evil.example"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "multipart/form-data; boundary=x"}, 415),
    ],
)
def test_requests_that_are_refused(client, headers, status):
    given = {"content-type": "application/json", **headers}
    assert client.post(PREDICT, content=b'{"smiles":["C"]}', headers=given).status_code == status


def test_a_page_of_this_server_may_ask(client):
    origin = str(client.base_url).rstrip("/")
    answer = client.post(PREDICT, json={"smiles": ["C"]}, headers={"origin": origin})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422), (b"{", 422), (b"[" * 100_000, 400), (b"\xff\xfe", 422), (b"{}", 422),
        (b'{"smiles": []}', 422), (b'{"smiles": "C"}', 422), (b'{"smiles": [1]}', 422),
        (b'{"smiles": ["C"], "x": 1}', 422), (b'{"smiles": ["C"], "intervals": 1e999}', 422),
        (b'{"smiles": ["\\ud800"]}', 200), (b'{"smiles": ["\\u0000"]}', 200),
        (b'{"smiles": [' + b'"C",' * 400 + b'"C"]}', 413),
    ],
)  # fmt: skip
def test_bodies_that_are_hostile(client, body, status):
    answer = client.post(PREDICT, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text


def raw(client, *parts: bytes) -> bytes:
    address = (client.base_url.host, client.base_url.port)
    with socket.create_connection(address, timeout=30) as found:
        for part in parts:
            found.sendall(part)
        said = b""
        while chunk := found.recv(65536):
            said += chunk
        return said


def test_a_body_that_never_comes_is_not_waited_for(client):
    head = b"POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n"
    said = raw(client, head + b"content-type: application/json\r\n\r\n{")
    assert said.startswith(b"HTTP/1.1 408")


def test_too_many_headers_are_refused(client):
    many = b"".join(b"x-%d: y\r\n" % i for i in range(100_000))
    try:
        said = raw(client, b"GET / HTTP/1.1\r\nhost: localhost\r\n", many, b"\r\n")
    except ConnectionError:  # closed while we still send
        return
    assert said.startswith(b"HTTP/1.1 4")


def test_a_body_said_to_be_too_large_is_not_read(client):
    head = b"POST /api/v1/predict HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99999999\r\n"
    assert raw(client, head + b"expect: 100-continue\r\n\r\n").startswith(b"HTTP/1.1 413")


def test_two_hosts_are_refused(client):
    said = raw(client, b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 4")


def test_other_machines_need_a_token(tmp_path, trained, capsys, monkeypatch):
    monkeypatch.delenv("ADMET_SERVE_TOKEN", raising=False)
    assert main(["serve", "--model-dir", str(trained), "--host", "0.0.0.0"]) == 2
    assert "there is no token" in capsys.readouterr().err
    path = tmp_path / "token"
    path.write_text("short")
    command = ServeCommand(model_dir=trained, host="192.0.2.1", token_file=path)
    with pytest.raises(ConfigError, match="16 to 1000 printable"):
        access_of(command)
    path.write_text("x" * 20 + "\n")
    access = access_of(command)
    assert access.knows_token("Bearer " + "x" * 20)
    assert access.knows_token("bearer " + "x" * 20)
    assert not access.knows_token("Bearer " + "x" * 19)
    assert not access.knows_token("Basic " + "x" * 20)
    assert not access.knows_token(None)
    assert access.knows_host("192.0.2.1:8765")
    assert not access.knows_host("127.0.0.1")
    anywhere = access_of(ServeCommand(model_dir=trained, host="::", token_file=path))
    assert anywhere.knows_host("10.0.0.7:1")
    assert not anywhere.knows_host("evil.example")


def test_a_model_that_is_not_there_is_one_message(tmp_path, capsys):
    assert main(["serve", "--model-dir", str(tmp_path / "nothing"), "--port", "0"]) == 2
    assert "nothing" in capsys.readouterr().err


def test_answers_do_not_wait_for_receipts(command):
    with listen(command) as found:
        assert found.proto == socket.IPPROTO_TCP  # else asyncio leaves TCP_NODELAY off


def test_hosts_and_origins():
    assert host_of("LOCALHOST:80") == "localhost"
    assert host_of("[::1]:80") == "::1"
    for wrong in ("", "a b", "a:b", "u@localhost", "localhost/x", "[::1"):
        assert not Access(frozenset({"localhost", "::1"})).knows_host(wrong)
    assert same_origin(None, "localhost:1")
    assert same_origin("http://localhost:1", "localhost:1")
    assert not same_origin("http://localhost:2", "localhost:1")
    assert not same_origin("file://localhost:1", "localhost:1")


def test_text_of_callers_is_one_line_of_ascii():
    assert escaped("a\nb\x1b[31mµ") == "a\\nb\\x1b[31m\\xb5"
    assert len(escaped("x" * 10_000)) < 400
