"""Clients that begin a request and do not go on, against a server with short patience."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from deepresearch.api.slow_clients import PatientProtocol


class Hasty(PatientProtocol):
    """The same with less patience, so that tests are quick."""

    head_seconds = 0.4
    body_seconds = 0.4


async def _answers(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Reads the whole body, thinks for longer than the client may, and streams for as long."""
    assert scope["type"] == "http"
    body = b""
    while (message := await receive()).get("more_body"):
        body += message["body"]
    body += message.get("body", b"")
    await asyncio.sleep(0.8)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    for part in (b"took ", str(len(body)).encode(), b" bytes"):
        await send({"type": "http.response.body", "body": part, "more_body": True})
        await asyncio.sleep(0.3)
    await send({"type": "http.response.body"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    config = uvicorn.Config(_answers, http=Hasty, lifespan="off", log_config=None, timeout_keep_alive=5)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()
    listener.close()


@contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        yield connection


def _all(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(4096):
        received += part
    return received


def test_who_says_nothing_is_left(port: int) -> None:
    with _connected(port) as connection:
        assert _all(connection) == b""


def test_a_head_that_trickles_is_not_waited_for(port: int) -> None:
    with _connected(port) as connection, pytest.raises(OSError):
        connection.sendall(b"GET / HTTP/1.1\r\n")
        while True:
            connection.sendall(b"x: y\r\n")
            time.sleep(0.05)


def test_a_body_that_stops_is_not_waited_for(port: int) -> None:
    with _connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\nbegun")
        assert b"200" not in _all(connection)


def test_a_slow_body_and_a_slow_answer_are_served(port: int) -> None:
    with _connected(port) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: 8\r\n\r\n")
        for _ in range(8):
            connection.sendall(b"x")
            time.sleep(0.15)
        answer = _all(connection)
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"8" in answer and b"bytes" in answer


def test_a_second_request_has_the_same_time(port: int) -> None:
    ask = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
    with _connected(port) as connection:
        for _ in range(2):
            connection.sendall(ask)
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                part = connection.recv(4096)
                assert part, answer
                answer += part
        connection.sendall(b"GET / HT")
        assert _all(connection) == b""
