"""What a session notes of its use of the web: searches, pages, and pages that could not be had."""

from __future__ import annotations

from collections.abc import Iterable

from deepresearch.model.base import Value


class WebSearch(Value):
    """One query: which provider answered (None when none did), with how many results, and which failed before it."""

    query: str
    provider: str | None
    urls: tuple[str, ...]
    failures: tuple[str, ...] = ()


class WebPage(Value):
    """A page that was read. `source` is the address that answered, under which the session's document stands.

    `loader` is the reading of the bytes (`sha256`) that belongs to it. `retrieved` is ISO 8601, UTC. `same_as` names
    the source that holds the same bytes and is read in its place.
    """

    url: str
    source: str
    sha256: str
    loader: str
    media_type: str
    retrieved: str
    title: str
    same_as: str | None = None


class RefusedPage(Value):
    """A page that could not be had or read, with the reason in words."""

    url: str
    kind: str
    reason: str


class WebGathered(Value):
    """What one round of searching and fetching brought. `left_out` counts results beyond the bound of pages."""

    searches: tuple[WebSearch, ...] = ()
    pages: tuple[WebPage, ...] = ()
    refused: tuple[RefusedPage, ...] = ()
    left_out: int = 0

    @property
    def tried(self) -> frozenset[str]:
        """The addresses that were fetched, or tried to be."""
        return frozenset([*(page.url for page in self.pages), *(missed.url for missed in self.refused)])


def together(rounds: Iterable[WebGathered]) -> WebGathered:
    """Several rounds as one, each page once."""
    all_rounds = list(rounds)
    pages = {page.url: page for one in all_rounds for page in one.pages}
    refused = {missed.url: missed for one in all_rounds for missed in one.refused}
    return WebGathered(
        searches=tuple(search for one in all_rounds for search in one.searches),
        pages=tuple(pages.values()),
        refused=tuple(refused.values()),
        left_out=sum(one.left_out for one in all_rounds),
    )
