"""What every request passes before any route sees it: a number, the right address, a token, its rate, its size."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deepresearch.api.access import DEFAULT_TENANT, LOCAL_CALLER, Caller, Tokens
from deepresearch.api.measures import Measures
from deepresearch.api.problems import Problem
from deepresearch.api.rates import Rates

_log = logging.getLogger("deepresearch.api")

#: What anybody may ask without a token: whether the server lives, the page that asks for a token, the description.
OPEN_PATHS = frozenset({"/", "/healthz", "/readyz", "/metrics", "/v1/openapi.json"})

#: Wrong tokens of one address in a minute.
_WRONG_TOKENS_PER_MINUTE = 120.0

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"SAMEORIGIN",
    b"referrer-policy": b"no-referrer",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cache-control": b"no-store",
    b"server": b"deepresearch",
}


class Gate:
    """Everything in one place, outside all routes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: Tokens,
        rates: Rates,
        measures: Measures,
        hosts: frozenset[str] | None,
        metrics_public: bool,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._rates = rates
        self._wrong = Rates(_WRONG_TOKENS_PER_MINUTE)
        self._measures = measures
        self._hosts = hosts
        self._open = OPEN_PATHS if metrics_public else OPEN_PATHS - {"/metrics"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"").decode("latin-1")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
        scope["request_id"] = request_id
        scope["caller"] = Caller(DEFAULT_TENANT, frozenset(), "nobody")
        method = scope["method"]
        if method == "HEAD":
            scope["method"], scope["head"] = "GET", True
        outgoing = _Outgoing(send, request_id, is_head=method == "HEAD")
        begun = time.perf_counter()
        try:
            self._check_host(headers)
            self._check_origin(headers)
            self._identify(scope, headers)
            self._check_rate(scope)
            await self._app(scope, receive, outgoing)
        except Problem as problem:
            if problem.status_code in (401, 429):
                self._measures.refused(problem.kind)
            if outgoing.status is None:
                await problem.response(request_id, _path(scope))(scope, receive, outgoing)
        except Exception:
            _log.exception("request failed", extra={"request_id": request_id, "path": _path(scope)})
            if outgoing.status is None:
                unexpected = Problem(
                    500, "unexpected", "Something unexpected went wrong; the log has it by its number."
                )
                await unexpected.response(request_id, _path(scope))(scope, receive, outgoing)
        finally:
            seconds = time.perf_counter() - begun
            caller: Caller = scope["caller"]
            route = getattr(scope.get("route"), "path", "other")
            self._measures.answered(method, route, outgoing.status or 499, seconds)
            _log.info(
                "request",
                extra={
                    "event_name": "api.request",
                    "request_id": request_id,
                    "method": method,
                    "route": route,
                    "path": _path(scope)[:300],
                    "status": outgoing.status or 499,
                    "duration_ms": round(seconds * 1000, 1),
                    "caller": caller.name,
                    "tenant": caller.tenant,
                },
            )

    def _check_host(self, headers: dict[bytes, bytes]) -> None:
        """A page whose name was made to lead here must not use a browser of this machine as its way in."""
        if self._hosts is None:
            return
        host = host_of(headers.get(b"host", b"").decode("latin-1"))
        if host not in self._hosts:
            raise Problem(
                421,
                "wrong-host",
                "This server does not answer under that name; see DEEPRESEARCH_API_HOSTS.",
                exit_code=2,
            )

    def _check_origin(self, headers: dict[bytes, bytes]) -> None:
        """No other site's page may send anything here, with or without a token: the API is not shared across origins."""
        origin = headers.get(b"origin")
        site = headers.get(b"sec-fetch-site", b"none")
        same = origin is None or urlsplit(origin.decode("latin-1")).netloc == headers.get(b"host", b"").decode(
            "latin-1"
        )
        if not same or site not in (b"none", b"same-origin"):
            mode, destination = headers.get(b"sec-fetch-mode"), headers.get(b"sec-fetch-dest")
            if same and mode == b"navigate" and destination == b"document":
                return
            raise Problem(403, "other-origin", "Pages of other sites may not use this server.", exit_code=2)

    def _identify(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        if not self._tokens:
            scope["caller"] = LOCAL_CALLER
            return
        kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        address = _address(scope)
        if kind.lower() == "bearer" and token.strip():
            if (seconds := self._wrong.wait(address)) is not None:
                raise _too_often(seconds)
            caller = self._tokens.caller(token.strip())
            if caller is not None:
                scope["caller"] = caller
                return
            self._wrong.take(address)
            self._measures.wrong_token()
            _log.warning("wrong token", extra={"event_name": "api.wrong_token", "address": address})
            if scope["path"] not in self._open:
                raise Problem(
                    401,
                    "wrong-token",
                    "That token is not known here. Check DEEPRESEARCH_API_TOKEN.",
                    headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
                    exit_code=2,
                )
        elif scope["path"] not in self._open:
            raise Problem(
                401,
                "token-missing",
                "This server wants a token: send Authorization: Bearer TOKEN (commands: set DEEPRESEARCH_API_TOKEN).",
                headers={"WWW-Authenticate": "Bearer"},
                exit_code=2,
            )

    def _check_rate(self, scope: Scope) -> None:
        caller: Caller = scope["caller"]
        key = caller.name if caller.name not in ("nobody", LOCAL_CALLER.name) else _address(scope)
        if scope["path"] in ("/healthz", "/readyz"):
            return
        if (seconds := self._rates.take(key)) is not None:
            raise _too_often(seconds)


class _Outgoing:
    """Puts the request's number and the security headers on the answer, and leaves the body of a HEAD out."""

    def __init__(self, send: Send, request_id: str, *, is_head: bool) -> None:
        self._send = send
        self._request_id = request_id
        self._is_head = is_head
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            present = {name.lower() for name, _ in headers}
            headers += [(name, value) for name, value in SECURITY_HEADERS.items() if name not in present]
            headers.append((b"x-request-id", self._request_id.encode()))
            message = {**message, "headers": headers}
        elif self._is_head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


def host_of(header: str) -> str:
    """The name in a ``Host`` header, small, without its port."""
    host = header.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def is_loopback(host: str) -> bool:
    """Whether this is an address that only this machine reaches."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def hosts_allowed(listening: str, named: Iterable[str]) -> frozenset[str] | None:
    """The names a server answers to: on loopback those of loopback and the named ones, elsewhere the named ones.

    None, which is any name, beyond loopback without named ones: there a token is needed anyway.
    """
    names = {host_of(name) for name in named if name.strip()}
    if is_loopback(listening):
        return frozenset({"localhost", "127.0.0.1", "[::1]", host_of(listening)} | names)
    return frozenset(names | {"localhost", "127.0.0.1", "[::1]"}) if names else None


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


def _path(scope: Scope) -> str:
    path: str = scope["path"]
    return path


def _too_often(seconds: float) -> Problem:
    return Problem(
        429,
        "too-many-requests",
        "Requests come faster than this server takes them. Wait as long as Retry-After says.",
        headers={"Retry-After": str(max(1, round(seconds + 0.5)))},
    )
