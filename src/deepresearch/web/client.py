"""The web as a session sees it: search and fetch, from the settings, or a refusal when it is to stay offline."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from deepresearch.model.errors import UsageError
from deepresearch.settings import Settings
from deepresearch.web.choosing import provider_names, providers
from deepresearch.web.fetcher import Fetcher
from deepresearch.web.limits import WebLimits
from deepresearch.web.page import Page
from deepresearch.web.policy import Policy
from deepresearch.web.resolving import Resolver
from deepresearch.web.search import Failover, Found


def checked_settings(settings: Settings) -> None:
    """Raise `UsageError` when the settings forbid the web or name something that cannot be used."""
    if settings.offline:
        raise UsageError(
            "DEEPRESEARCH_OFFLINE is set, so nothing is fetched from the web. Leave out --web, or unset it."
        )
    provider_names(settings)
    _policy(settings)


class Web:
    """Search and fetch until closed. Use it as an asynchronous context manager, within one event loop.

    Raises `UsageError` as `checked_settings` does.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        resolver: Resolver | None = None,
        site_of: Callable[[str], str] = lambda host: host,
    ) -> None:
        checked_settings(settings)
        limits = WebLimits(
            page_bytes=settings.web_page_megabytes * 1_000_000,
            seconds=settings.web_seconds,
            connect_seconds=min(10.0, settings.web_seconds),
            read_seconds=min(10.0, settings.web_seconds),
            pause_seconds=settings.web_pause_seconds,
            connections=settings.web_parallel,
        )
        self._search = Failover(providers(settings))
        self._fetcher = Fetcher(_policy(settings), limits=limits, resolver=resolver, site_of=site_of)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._search.aclose()
        await self._fetcher.__aexit__(kind, value, traceback)

    async def search(self, query: str, limit: int) -> Found:
        """Results of the first provider that has any, and what failed before it. Never raises for a provider."""
        return await self._search.search(query, limit)

    async def fetch(self, url: str) -> Page:
        """One page. Raises `FetchRefused`."""
        return await self._fetcher.fetch(url)


def _policy(settings: Settings) -> Policy:
    return Policy(entry for entry in settings.web_allowed_hosts.split(",") if entry.strip())
