"""Tavily: ``POST /search`` with a bearer key."""

from __future__ import annotations

from deepresearch.web.providers.http import Caller, address, day, listed, words
from deepresearch.web.search import SearchResult


class Tavily:
    """Tavily's search with the person's own `key`."""

    name = "tavily"

    def __init__(self, key: str, endpoint: str = "https://api.tavily.com/search") -> None:
        self._endpoint = endpoint
        self._caller = Caller(self.name, headers={"Authorization": f"Bearer {key}"})

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Results without Tavily's own answer and page texts. Raises `SearchFailed`."""
        answer = await self._caller.json(
            "POST",
            self._endpoint,
            json={"query": query, "max_results": min(limit, 20), "search_depth": "basic", "include_answer": False},
        )
        return [
            SearchResult(
                url=url,
                title=words(entry.get("title")),
                snippet=words(entry.get("content")),
                published=day(entry.get("published_date")),
            )
            for entry in listed(answer.get("results"))
            if (url := address(entry.get("url")))
        ][:limit]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
