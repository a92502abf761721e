"""Wikipedia: full-text search of one language's articles through the MediaWiki action API."""

from __future__ import annotations

import html
import re
from urllib.parse import quote

from deepresearch.web.providers.http import Caller, listed, words
from deepresearch.web.search import SearchResult

_MARK = re.compile(r"<[^>]*>")


class Wikipedia:
    """The articles of ``LANGUAGE.wikipedia.org``; `site` is given in place of that address for another wiki."""

    name = "wikipedia"

    def __init__(self, language: str = "en", site: str | None = None) -> None:
        self._site = (site or f"https://{language}.wikipedia.org").rstrip("/")
        self._caller = Caller(self.name)

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Articles that match. Their dates are not known: a wiki's page changes daily. Raises `SearchFailed`."""
        answer = await self._caller.json(
            "GET",
            f"{self._site}/w/api.php",
            params={
                "action": "query",
                "list": "search",
                "srsearch": query[:300],
                "srlimit": min(limit, 50),
                "srprop": "snippet",
                "format": "json",
                "formatversion": 2,
            },
        )
        error = answer.get("error")
        if isinstance(error, dict):
            raise self._caller.failed(f"it refuses the search ({words(error.get('code'))[:60]})")
        body = answer.get("query")
        return [
            SearchResult(
                url=f"{self._site}/wiki/{quote(title.replace(' ', '_'), safe='/:(),')}",
                title=title,
                snippet=html.unescape(_MARK.sub("", words(entry.get("snippet")))),
            )
            for entry in listed(body.get("search") if isinstance(body, dict) else None)
            if (title := words(entry.get("title")))
        ][:limit]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
