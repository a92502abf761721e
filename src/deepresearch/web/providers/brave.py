"""Brave Search: ``GET /res/v1/web/search`` with the key in a header of its own."""

from __future__ import annotations

from deepresearch.web.providers.http import Caller, address, day, listed, words
from deepresearch.web.search import SearchResult


class Brave:
    """Brave's web search with the person's own `key`."""

    name = "brave"

    def __init__(self, key: str, endpoint: str = "https://api.search.brave.com/res/v1/web/search") -> None:
        self._endpoint = endpoint
        self._caller = Caller(self.name, headers={"X-Subscription-Token": key, "Accept": "application/json"})

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Results of the web, without news, videos and summaries. Raises `SearchFailed`."""
        answer = await self._caller.json(
            "GET",
            self._endpoint,
            # Brave refuses more than 400 characters or 50 words, and more than 20 results at once.
            params={
                "q": " ".join(query.split()[:50]),
                "count": min(limit, 20),
                "result_filter": "web",
                "text_decorations": "false",
            },
        )
        web = answer.get("web")
        return [
            SearchResult(
                url=url,
                title=words(entry.get("title")),
                snippet=words(entry.get("description")),
                published=day(entry.get("page_age")),
            )
            for entry in listed(web.get("results") if isinstance(web, dict) else None)
            if (url := address(entry.get("url")))
        ][:limit]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
