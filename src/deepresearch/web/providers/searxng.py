"""SearXNG: a metasearch engine a person runs themselves; ``GET /search?format=json``."""

from __future__ import annotations

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
            answer = await self._caller.json(
                "GET", self._url, params={"q": query, "format": "json", "pageno": page, "safesearch": 0}
            )
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

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
