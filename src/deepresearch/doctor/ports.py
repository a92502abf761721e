"""Are the ports free that services here will listen on, or held by what belongs there already?"""

from __future__ import annotations

import errno
import http.client
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from deepresearch.doctor.check import Finding, failed, ok, warning
from deepresearch.settings import Settings

_SECONDS = 3.0

#: A client's first message to Postgres: may we speak TLS? The answer is one letter.
_POSTGRES_GREETING = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


def ports(settings: Settings) -> Iterator[Finding]:
    """The addresses of the API and of a worker's metrics, then the ports that compose opens for Qdrant and Postgres."""
    services = (
        ("API", settings.api_addr, "DEEPRESEARCH_API_ADDR"),
        ("metrics page", settings.metrics_addr, "DEEPRESEARCH_METRICS_ADDR"),
    )
    for what, address, setting in services:
        if address:
            yield _service(what, address, setting)
    named = _dotenv()
    stack: tuple[tuple[str, str, int, Callable[[int], bool]], ...] = (
        ("Qdrant", "QDRANT_HTTP_PORT", 6333, _is_qdrant),
        ("Postgres", "POSTGRES_PORT", 5432, _is_postgres),
    )
    for what, setting, default, is_right in stack:
        value = os.environ.get(setting) or named.get(setting) or str(default)
        if value.isascii() and value.isdigit():
            yield _of_stack(what, setting, int(value), is_right)


def _service(what: str, address: str, setting: str) -> Finding:
    host, _, port = address.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        return failed("ports", f"{setting}={address} is no HOST:PORT.", f"Correct {setting}.")
    refusal = _refusal(host.strip("[]") or "127.0.0.1", int(port))
    if refusal is None:
        return ok("ports", f"{address} is free for the {what}.")
    if refusal == errno.EADDRINUSE and _is_ours(host, int(port)):
        return ok("ports", f"{address} is served by DeepResearch already.")
    return warning(
        "ports",
        f"{address}, wanted by the {what}, cannot be taken: {os.strerror(refusal)}.",
        f"Set {setting} to another HOST:PORT, or end the program that holds it (`ss -ltnp`).",
    )


def _of_stack(what: str, setting: str, port: int, is_right: Callable[[int], bool]) -> Finding:
    refusal = _refusal("127.0.0.1", port)
    if refusal is None:
        return ok("ports", f"127.0.0.1:{port} is free for {what} of the compose stack.")
    if is_right(port):
        return ok("ports", f"127.0.0.1:{port} is held by {what}.")
    return warning(
        "ports",
        f"127.0.0.1:{port}, which compose opens for {what}, is held by another program.",
        f"Set {setting} in .env to another port before `docker compose up`, or end that program (`ss -ltnp`).",
    )


def _dotenv() -> dict[str, str]:
    """What `.env` says, for the names that compose reads and the settings do not."""
    from dotenv import dotenv_values

    try:
        return {name: value for name, value in dotenv_values(Path(".env")).items() if value}
    except (OSError, UnicodeDecodeError):
        return {}


def _refusal(host: str, port: int) -> int | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except socket.gaierror:
            return errno.EADDRNOTAVAIL
        except OSError as refused:
            return refused.errno or errno.EIO
    return None


def _answer(host: str, port: int, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read(2000)
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def _is_ours(host: str, port: int) -> bool:
    asked = "127.0.0.1" if host in ("", "0.0.0.0", "::", "[::]") else host.strip("[]")  # noqa: S104 - as it was given
    return _answer(asked, port, "/healthz")[0] == 200


def _is_qdrant(port: int) -> bool:
    return b"qdrant" in _answer("127.0.0.1", port, "/")[1].lower()


def _is_postgres(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), _SECONDS) as connection:
            connection.sendall(_POSTGRES_GREETING)
            return connection.recv(1) in (b"S", b"N")
    except OSError:
        return False
