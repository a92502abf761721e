"""DuckDuckGo, through the library ``ddgs``: no key, no promise; it breaks when the page it reads changes."""

from __future__ import annotations

import asyncio

from deepresearch.model.errors import SearchFailed
from deepresearch.web.providers.http import address, words
from deepresearch.web.search import SearchResult


class DuckDuckGo:
    """DuckDuckGo's results. `proxy` and `certificates` (a PEM file of trusted authorities) go to the library."""

    name = "duckduckgo"

    def __init__(self, proxy: str | None = None, certificates: str | None = None) -> None:
        self._proxy = proxy
        self._certificates = certificates

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Results of the page for browsers without scripts. Raises `SearchFailed`."""
        return await asyncio.to_thread(self._search, query, limit)

    def _search(self, query: str, limit: int) -> list[SearchResult]:
        from ddgs import DDGS
        from ddgs.exceptions import DDGSException, RatelimitException, TimeoutException

        try:
            with DDGS(proxy=self._proxy, timeout=15, verify=self._certificates or True) as library:
                entries = library.text(query, region="wt-wt", safesearch="off", max_results=limit, backend=self.name)
        except RatelimitException as error:
            raise SearchFailed(self.name, "its limit of requests is reached", lasting=True) from error
        except TimeoutException as error:
            raise SearchFailed(self.name, "it did not answer in time") from error
        except DDGSException as error:
            if "No results" in str(error):
                return []
            raise SearchFailed(self.name, "it cannot be reached or does not answer as it should") from error
        except (
            Exception
        ) as error:  # the library reads a page made for people; whatever it stumbles over, the next is asked
            raise SearchFailed(self.name, f"its page cannot be read ({type(error).__name__})") from error
        return [
            SearchResult(url=url, title=words(entry.get("title")), snippet=words(entry.get("body")))
            for entry in entries
            if (url := address(entry.get("href")))
        ][:limit]

    async def aclose(self) -> None:
        """Nothing is kept open."""
