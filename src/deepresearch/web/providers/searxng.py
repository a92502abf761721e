"""SearXNG: a metasearch engine a person runs themselves; ``GET /search?format=json``."""

from __future__ import annotations

from typing import Any

from deepresearch.model.errors import SearchFailed
from deepresearch.web.providers.http import Caller, address, day, listed, words
from deepresearch.web.search import SearchResult


class SearXNG:
    """A SearXNG instance at `base`, whose settings must allow the format ``json``."""

    name = "searxng"

    def __init__(self, base: str) -> None:
        self._url = base.rstrip("/").removesuffix("/search") + "/search"
        self._caller = Caller(self.name, headers={"Accept": "application/json"})

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Results as the instance ranks them. Raises `SearchFailed`."""
        found: list[SearchResult] = []
        for page in (1, 2, 3):
            answer = await self._ask(query, page)
            entries = listed(answer.get("results"))
            found += [
                SearchResult(
                    url=url,
                    title=words(entry.get("title")),
                    snippet=words(entry.get("content")),
                    published=day(entry.get("publishedDate")),
                )
                for entry in entries
                if (url := address(entry.get("url")))
            ]
            if not entries or len(found) >= limit:
                break
        if not found and answer.get("unresponsive_engines"):
            raise self._caller.failed("none of its engines answered")
        return found[:limit]

    async def _ask(self, query: str, page: int) -> dict[str, Any]:
        parameters = {"q": query, "format": "json", "pageno": page, "safesearch": 0}
        try:
            return await self._caller.json("GET", self._url, params=parameters)
        except SearchFailed as error:
            if "403" not in error.reason:
                raise
            reason = "it does not answer in JSON (status 403); its settings.yml must list json under search.formats"
            raise self._caller.failed(reason, lasting=True) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
