"""arXiv: papers, through the Atom feed of its export API."""

from __future__ import annotations

import re

from lxml import etree

from deepresearch.web.providers.http import Caller, address, day, words
from deepresearch.web.search import SearchResult

_ATOM = "{http://www.w3.org/2005/Atom}"
_WORD = re.compile(r"[\w-]{2,}")
_STOP = frozenset(
    [
        "the", "and", "for", "with", "from", "that", "this", "what", "which", "who", "how", "why", "when", "where", "did",
        "does", "do", "are", "is", "was", "were", "has", "have", "had", "can", "in", "on", "of", "to", "by", "an", "at",
    ]
)  # fmt: skip


class Arxiv:
    """Papers of arXiv. The PDF of a paper is what is fetched, so that its text can be quoted."""

    name = "arxiv"

    def __init__(self, endpoint: str = "https://export.arxiv.org/api/query") -> None:
        self._endpoint = endpoint
        self._caller = Caller(self.name)

    async def search(self, query: str, limit: int) -> list[SearchResult]:
        """Papers whose record holds the query's words, by relevance. Raises `SearchFailed`."""
        terms = [word for word in _WORD.findall(query) if word.lower() not in _STOP][:10]
        if not terms:
            return []
        feed = await self._caller.text(
            "GET",
            self._endpoint,
            params={
                "search_query": " AND ".join(f"all:{term}" for term in terms),
                "max_results": min(limit, 50),
                "sortBy": "relevance",
            },
        )
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            root = etree.fromstring(feed.encode("utf-8"), parser)
        except (etree.XMLSyntaxError, ValueError) as error:
            raise self._caller.failed("its answer is no Atom feed") from error
        if root is None or root.tag != f"{_ATOM}feed":
            raise self._caller.failed("its answer is no Atom feed")
        found = []
        for entry in root.iter(f"{_ATOM}entry"):
            links = {
                link.get("title") or link.get("rel"): address(link.get("href")) for link in entry.iter(f"{_ATOM}link")
            }
            title = words(entry.findtext(f"{_ATOM}title"))
            url = links.get("pdf") or links.get("alternate")
            if not url or title == "Error":
                continue
            found.append(
                SearchResult(
                    # The feed still names http addresses, which only redirect.
                    url=re.sub(r"^http://(?=arxiv\.org/)", "https://", url),
                    title=title,
                    snippet=words(entry.findtext(f"{_ATOM}summary")),
                    published=day(entry.findtext(f"{_ATOM}published")),
                )
            )
        return found[:limit]

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()
