"""Fetches pages: guarded, bounded, polite. What it brings is bytes from strangers and is trusted with nothing."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Self
from urllib.parse import urljoin

import httpx

from deepresearch import __version__
from deepresearch.corpus.sniffing import is_pdf
from deepresearch.model.errors import FetchRefused
from deepresearch.web.limits import WebLimits
from deepresearch.web.page import Page, declared_type, readable_type
from deepresearch.web.policy import Policy, Target
from deepresearch.web.resolving import Resolver, SystemResolver
from deepresearch.web.robots import PRODUCT, Robots, RobotsFile
from deepresearch.web.transport import GuardedTransport
from deepresearch.web.turns import Turns
from deepresearch.web.unpacking import ACCEPTED, Unpacker

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})

#: Seconds a busy site is left alone when it does not say for how long, and the longest that is waited for here.
_REST = 60.0
_SHORTEST_REST = 0.5
_PATIENCE = 5.0

#: Bytes that tell what a page is; nothing more is read of one that is not to be read.
_HEAD = 4_096


class Fetcher:
    """Fetches pages until it is closed. Use it as an asynchronous context manager, within one event loop.

    `site_of` names the site of a host for taking turns (its registrable domain); the host itself unless given.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        limits: WebLimits | None = None,
        resolver: Resolver | None = None,
        site_of: Callable[[str], str] = lambda host: host,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._limits = limits or WebLimits()
        self._site_of = site_of
        self._turns = Turns()
        self._robots = Robots(self._robots_file)
        self._client = httpx.AsyncClient(
            transport=GuardedTransport(
                policy,
                resolver or SystemResolver(),
                tls or httpx.create_ssl_context(),
                self._limits.connections * 2,
            ),
            headers={
                "User-Agent": f"{PRODUCT}/{__version__} (research assistant; obeys robots.txt)",
                "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,text/plain;q=0.8,*/*;q=0.1",
                "Accept-Encoding": ACCEPTED,
            },
            # A jar that takes nothing: no site recognises a later visit by a cookie.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            follow_redirects=False,
            trust_env=False,
            timeout=httpx.Timeout(self._limits.read_seconds, connect=self._limits.connect_seconds),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def fetch(self, url: str) -> Page:
        """The page at `url`, after at most so many redirects as the limits allow.

        Raises `FetchRefused` with the reason in words, and nothing else for whatever a server does.
        """
        target = self._policy.check(url)
        seen = {target.url}
        for _ in range(self._limits.redirects + 1):
            asked = await self._robots.check(target)
            pause = max(self._limits.pause_seconds, min(asked or 0.0, self._limits.longest_pause))
            answer = await self._patiently(target, pause)
            if isinstance(answer, Page):
                return answer.model_copy(update={"url": url})
            target = self._policy.check(answer, came_from=target)
            if target.url in seen:
                raise FetchRefused(url, "redirects", "it redirects in a circle")
            seen.add(target.url)
        raise FetchRefused(url, "redirects", f"it redirects more than {self._limits.redirects} times")

    async def _patiently(self, target: Target, pause: float) -> Page | str:
        """The page or where it redirects to; a site that is busy for moments is asked once more."""
        try:
            return await self._once(target, pause)
        except FetchRefused as error:
            rest = self._turns.rests_for(self._site(target))
            if error.kind != "busy" or not 0 < rest <= _PATIENCE:
                raise
            await asyncio.sleep(rest)
            return await self._once(target, pause)

    async def _once(self, target: Target, pause: float) -> Page | str:
        async with self._turns.turn(self._site(target), pause):
            if self._turns.rests_for(self._site(target)) > 0:
                raise FetchRefused(target.url, "busy", "its site asked to be left alone for a while")
            async with self._request(target) as response:
                status = response.status_code
                location = response.headers.get("location")
                if status in _REDIRECTS and location:
                    return self._joined(target, location)
                if status in _BUSY:
                    self._turns.rest(self._site(target), _retry_after(response.headers.get("retry-after")))
                    raise FetchRefused(target.url, "busy", f"its site is busy (status {status})")
                if status not in (200, 203):
                    raise FetchRefused(target.url, "status", f"the server answered with status {status}")
                declared, charset = declared_type(response.headers.get("content-type", ""))
                body, media_type = await self._body(target, response, declared)
        return Page(
            url=target.url,
            final_url=target.url,
            media_type=media_type,
            charset=charset,
            body=body,
            sha256=hashlib.sha256(body).hexdigest(),
            fetched_at=datetime.now(UTC),
        )

    async def _body(self, target: Target, response: httpx.Response, declared: str) -> tuple[bytes, str]:
        limits = self._limits
        unpacker = Unpacker(
            target.url, response.headers.get("content-encoding", ""), max(limits.page_bytes, limits.pdf_bytes)
        )
        parts = bytearray()
        media_type: str | None = None
        limit = limits.page_bytes
        async for packed in response.aiter_raw():
            parts += unpacker.feed(packed)
            if media_type is None and len(parts) >= _HEAD:
                media_type = readable_type(target.url, declared, bytes(parts[:_HEAD]))
                limit = limits.pdf_bytes if is_pdf(bytes(parts[:_HEAD])) else limits.page_bytes
                length = response.headers.get("content-length", "")
                if length.isdigit() and int(length) > limit:
                    raise _too_large(target, limit)
            if len(parts) > limit or unpacker.full:
                raise _too_large(target, limit)
        if not parts:
            raise FetchRefused(target.url, "type", "it is empty")
        return bytes(parts), media_type or readable_type(target.url, declared, bytes(parts[:_HEAD]))

    async def _robots_file(self, target: Target) -> RobotsFile:
        """The robots.txt of the target's origin, after redirects that the policy allows."""
        at = self._policy.check(target.origin + "/robots.txt")
        for _ in range(self._limits.redirects + 1):
            try:
                async with self._turns.turn(self._site(at), 0.0), self._request(at) as response:
                    location = response.headers.get("location")
                    if response.status_code in _REDIRECTS and location:
                        at = self._policy.check(self._joined(at, location), came_from=at)
                        continue
                    unpacker = Unpacker(at.url, response.headers.get("content-encoding", ""), self._limits.robots_bytes)
                    text = bytearray()
                    async for packed in response.aiter_raw():
                        text += unpacker.feed(packed)
                        if unpacker.full:
                            break  # what lies beyond the limit may be ignored (RFC 9309, 2.5)
                    return RobotsFile(response.status_code, text.decode("utf-8", "replace"))
            except FetchRefused as error:
                if error.kind == "address":
                    raise
                return RobotsFile(None, error.reason)
        return RobotsFile(404, "")

    @asynccontextmanager
    async def _request(self, target: Target) -> AsyncIterator[httpx.Response]:
        """One request, bounded in time from its start to the end of the block; errors of the wire in words."""
        try:
            async with asyncio.timeout(self._limits.seconds), self._client.stream("GET", target.url) as response:
                yield response
        except (TimeoutError, httpx.TimeoutException) as error:
            raise FetchRefused(target.url, "time", "it did not answer whole in the time it was given") from error
        except httpx.InvalidURL as error:
            raise FetchRefused(target.url, "address", "it is no well-formed address") from error
        except httpx.HTTPError as error:
            raise FetchRefused(target.url, "connection", _why(error)) from error
        except (OSError, ValueError) as error:
            raise FetchRefused(target.url, "connection", "the connection failed") from error

    def _joined(self, target: Target, location: str) -> str:
        try:
            return urljoin(target.url, location)
        except ValueError as error:
            raise FetchRefused(target.url, "redirects", "it redirects to no well-formed address") from error

    def _site(self, target: Target) -> str:
        return self._site_of(target.host)


def _too_large(target: Target, limit: int) -> FetchRefused:
    return FetchRefused(target.url, "size", f"it is larger than {limit / 1e6:,.6g} MB")


def _why(error: httpx.HTTPError) -> str:
    text = " ".join(str(error).split())[:120]
    if isinstance(error, httpx.RemoteProtocolError):
        return "the server did not speak HTTP" + (f" ({text})" if text else "")
    if "CERTIFICATE" in text.upper():
        return "the server's certificate is not valid"
    return "no connection could be made" + (f" ({text})" if text else "")


def _retry_after(value: str | None) -> float:
    """Seconds of a Retry-After header, a number or a date; a minute when it says nothing readable."""
    if value is None:
        return _REST
    text = value.strip()
    if text.isascii() and text.isdigit():
        return max(_SHORTEST_REST, min(float(text[:9]), 86_400.0))
    try:
        at = parsedate_to_datetime(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return max(_SHORTEST_REST, min((at - datetime.now(UTC)).total_seconds(), 86_400.0))
    except (TypeError, ValueError, IndexError):
        return _REST
