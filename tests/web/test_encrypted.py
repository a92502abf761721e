"""Over TLS a connection goes to a checked address and still speaks to the name: SNI, Host and certificate."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from tests.web.certificates import Authority
from tests.web.local_web import MappedResolver

from deepresearch.model.errors import FetchRefused
from deepresearch.web import Fetcher, Policy, WebLimits

LIMITS = WebLimits(seconds=5, pause_seconds=0)


class EncryptedServer:
    """Answers every request; notes the server names that clients ask for, and their Host headers."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.names: list[str | None] = []
        self.hosts: list[str] = []
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with self._context.wrap_socket(connection, server_side=True) as encrypted:
                head = encrypted.recv(65_536).decode("latin-1")
                self.hosts += [line[6:] for line in head.split("\r\n") if line.lower().startswith("host: ")]
                encrypted.sendall(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
                )
        except OSError:
            return


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[EncryptedServer]:
    with EncryptedServer(authority.server("secure.example")) as serving:
        yield serving


def fetcher_for(server: EncryptedServer, tls: ssl.SSLContext | None) -> Fetcher:
    hosts = [f"{name}:{server.port}" for name in ("secure.example", "other.example", "127.0.0.1")]
    return Fetcher(Policy(hosts), limits=LIMITS, resolver=MappedResolver({}, ["127.0.0.1"]), tls=tls)


async def test_the_name_is_spoken_to_at_the_address_that_was_checked(
    authority: Authority, server: EncryptedServer
) -> None:
    async with fetcher_for(server, authority.client()) as fetcher:
        page = await fetcher.fetch(f"https://secure.example:{server.port}/")
    assert page.body == b"hello"
    assert set(server.names) == {"secure.example"}
    assert set(server.hosts) == {f"secure.example:{server.port}"}


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
async def test_a_certificate_for_another_name_is_refused(
    authority: Authority, server: EncryptedServer, host: str
) -> None:
    async with fetcher_for(server, authority.client()) as fetcher:
        with pytest.raises(FetchRefused, match="certificate"):
            await fetcher.fetch(f"https://{host}:{server.port}/")
    assert server.hosts == []


async def test_an_authority_nobody_trusts_is_refused(server: EncryptedServer) -> None:
    async with fetcher_for(server, None) as fetcher:
        with pytest.raises(FetchRefused, match="certificate"):
            await fetcher.fetch(f"https://secure.example:{server.port}/")
    assert server.hosts == []
