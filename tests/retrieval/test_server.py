"""What a person reads when the Qdrant server is not there, or not the right one."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.server import ServerIndex, connect

qdrant_client = pytest.importorskip("qdrant_client", reason="the extra `qdrant` is not installed")


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(IndexingError, match=rf"127.0.0.1:{port}.*docker compose up -d qdrant"):
        connect(f"http://127.0.0.1:{port}", timeout=1)


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """The address of a server that gives this answer to everything."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_is_too_old() -> None:
    told = json.dumps({"title": "qdrant - vector search engine", "version": "1.7.4"}).encode()
    with (
        answering(200, told) as address,
        pytest.raises(IndexingError, match=r"version 1\.7\.4; update it to 1\.13"),
    ):
        connect(address)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>a page</html>"), (200, b'{"version": {"number": "8.1"}}'), (404, b"nothing here"), (302, b"")],
)
def test_something_else_that_answers(status: int, body: bytes) -> None:
    with answering(status, body) as address, pytest.raises(IndexingError, match=r"no Qdrant server .*http://HOST:6333"):
        connect(address)


def test_a_password_in_the_address_is_not_shown() -> None:
    with pytest.raises(IndexingError) as refused:
        connect("http://somebody:secret-8812@127.0.0.1:1")
    assert "8812" not in str(refused.value)


def test_another_worker_sees_the_fit_and_another_encoder_is_refused() -> None:
    client = qdrant_client.QdrantClient(":memory:")
    text = "The ferry crosses the fjord eleven times a day."
    one = ServerIndex(client, "shared")
    one.upsert([Passage(id="p", sha256="d", start=0, end=len(text), text=text)])
    found = one.search("ferry")
    two = ServerIndex(client, "shared")
    assert two.search("ferry") == found
    with pytest.raises(IndexingError, match="deepresearch index rebuild"):
        ServerIndex(client, "shared", lambda: LatentSemanticEncoder(dimension=32))
