"""Exa: ``POST /search`` with the key in a header of its own."""

from __future__ import annotations

from deepresearch.web.providers.http import Caller, address, day, listed, words
from deepresearch.web.search import SearchResult


class Exa:
    """Exa's search with the person's own `key`."""

    name = "exa"

    def __init__(self, key: str, endpoint: str = "https://api.exa.ai/search") -> None:
        self._endpoint = endpoint
        self._caller = Caller(self.name, headers={"x-api-key": key})

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Results without Exa's own page texts. Raises `SearchFailed`."""
        answer = await self._caller.json(
            "POST", self._endpoint, json={"query": query, "numResults": min(limit, 25), "type": "auto"}
        )
        return [
            SearchResult(
                url=url,
                title=words(entry.get("title")),
                snippet=words(entry.get("summary")),
                published=day(entry.get("publishedDate")),
            )
            for entry in listed(answer.get("results"))
            if (url := address(entry.get("url")))
        ][:limit]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
