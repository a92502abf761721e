"""The wire: connections that go to an IP address which was looked at first, and to no other.

The name is resolved once for each connection, every address of the answer is checked, and the socket is opened to a
checked address itself. A name that changes its answer between the check and the use (DNS rebinding) gains nothing,
because there is no second look-up. Host header, TLS server name and certificate check keep the name.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import contextmanager
from typing import Any, cast

import httpcore
import httpx

from deepresearch.model.errors import FetchRefused
from deepresearch.web.policy import Policy
from deepresearch.web.resolving import Resolver

#: Addresses of one host that are tried, one after the other.
_TRIES = 3

SocketOption = tuple[int, int, int] | tuple[int, int, bytes | bytearray] | tuple[int, int, None, int]


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Opens sockets for a connection pool after asking the policy about the very address."""

    def __init__(self, policy: Policy, resolver: Resolver) -> None:
        self._policy = policy
        self._resolver = resolver
        self._sockets = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SocketOption] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a checked address of `host`. Raises `FetchRefused` before any packet is sent to a bad one."""
        name = host.strip("[]")
        try:
            answers = await self._resolver.resolve(name, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {name} is not known") from error
        # One bad address among good ones is the mark of a trap: then none is used.
        addresses = [self._policy.check_ip(name, port, answer) for answer in answers]
        if not addresses:
            raise httpcore.ConnectError(f"the name {name} has no address")
        failure: Exception | None = None
        for address in addresses[:_TRIES]:
            try:
                stream = await self._sockets.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            peer = stream.get_extra_info("server_addr")
            if peer:
                self._policy.check_ip(name, port, str(peer[0]))
            return stream
        assert failure is not None
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[SocketOption] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Never: a page is not behind a socket of this machine."""
        raise FetchRefused(path, "address", "sockets of this machine are not fetched from")

    async def sleep(self, seconds: float) -> None:
        """Wait, as the pool asks."""
        await self._sockets.sleep(seconds)


class GuardedTransport(httpx.AsyncBaseTransport):
    """An httpx transport over a pool of guarded connections. Proxies of the environment are not used."""

    def __init__(self, policy: Policy, resolver: Resolver, tls: ssl.SSLContext, connections: int) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            # Between two requests to a site lies a pause, in which a kept connection often dies unnoticed.
            max_keepalive_connections=0,
            http1=True,
            http2=False,
            network_backend=GuardedBackend(policy, resolver),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises `FetchRefused`, or httpx's own errors."""
        url = request.url
        with _as_httpx(request):
            response = await self._pool.handle_async_request(
                httpcore.Request(
                    method=request.method,
                    url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=cast(httpx.AsyncByteStream, request.stream),
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            status_code=response.status,
            headers=response.headers,
            stream=_Body(response, request),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx(self._request):
            async for part in cast(Any, self._response.stream):
                yield part

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _as_httpx(request: httpx.Request) -> Any:
    try:
        yield
    except httpcore.TimeoutException as error:
        raise httpx.ReadTimeout(str(error), request=request) from error
    except httpcore.NetworkError as error:
        raise httpx.NetworkError(str(error), request=request) from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise httpx.RemoteProtocolError(str(error), request=request) from error
