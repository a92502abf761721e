"""Searching the web through one provider or several, the next when one fails."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from typing import Protocol

from pydantic import Field

from deepresearch.model.base import Value
from deepresearch.model.errors import SearchFailed

#: Seconds for which a provider with a wrong key or a spent limit is not asked again.
_REST = 600.0

#: Longer queries are cut: providers refuse them.
MAX_QUERY = 380


class SearchResult(Value):
    """A page that a provider names. `snippet` is the provider's word, never evidence."""

    url: str
    title: str
    snippet: str = ""
    published: datetime.date | None = None


class SearchProvider(Protocol):
    """One search service. `name` is what settings and reports call it."""

    @property
    def name(self) -> str:
        """Lower case, one word."""
        ...

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """The best results, at most `limit`, best first; empty when nothing is found.

        Raises `SearchFailed` for whatever goes wrong, with words that never hold a key.
        """
        ...

    async def aclose(self) -> None:
        """Give the connections back."""
        ...


class Found(Value):
    """The results of a query, which provider gave them (None when none did), and what failed before it."""

    provider: str | None
    results: tuple[SearchResult, ...]
    failures: tuple[str, ...] = Field(default=(), description="``NAME: reason``, in the order they were asked.")


class Failover:
    """Asks providers in their order until one has results. One whose failure lasts is left alone for a while."""

    def __init__(self, providers: Sequence[SearchProvider]) -> None:
        self._providers = list(providers)
        self._spent: dict[str, tuple[str, float]] = {}

    async def search(self, query: str, limit: int) -> Found:
        """Results of the first provider that has any. Never raises for a provider's failure."""
        failures: list[str] = []
        answered: str | None = None
        text = " ".join(query.split())[:MAX_QUERY]
        for provider in self._providers:
            said, until = self._spent.get(provider.name, ("", 0.0))
            if time.monotonic() < until:
                failures.append(said)
                continue
            try:
                results = await provider.search(text, limit)
            except SearchFailed as error:
                failures.append(str(error))
                if error.lasting:
                    self._spent[provider.name] = (str(error), time.monotonic() + _REST)
                continue
            if results:
                return Found(provider=provider.name, results=tuple(results[:limit]), failures=tuple(failures))
            answered = answered or provider.name
        return Found(provider=answered, results=(), failures=tuple(failures))

    async def aclose(self) -> None:
        """Close all providers."""
        for provider in self._providers:
            await provider.aclose()
