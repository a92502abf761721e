"""Several queries in several indexes as one search: the best rank of a passage over all of them counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from deepresearch.model.retrieval import Hit
from deepresearch.retrieval import Filters, Index

#: Passages looked at for each query, and in all for one sub-question.
_EACH = 24
_IN_ALL = 40

#: The hits for a text, best first, at most so many.
Search: TypeAlias = Callable[[str, int], list[Hit]]


def search_all(searches: Sequence[Search], queries: Sequence[str]) -> list[Hit]:
    """The hits of all queries, each passage once, by its best rank and then its score; best first."""
    best: dict[str, tuple[int, float, Hit]] = {}
    for query in queries:
        for search in searches:
            for rank, hit in enumerate(search(query, _EACH)):
                known = best.get(hit.passage.id)
                if known is None or (rank, -hit.score) < (known[0], -known[1]):
                    best[hit.passage.id] = (rank, hit.score, hit)
    ordered = sorted(best.values(), key=lambda entry: (entry[0], -entry[1], entry[2].passage.id))
    return [hit for _, _, hit in ordered[:_IN_ALL]]


def sifted(
    index: Index, text: str, limit: int, keep: Callable[[str], bool], filters: Filters | None = None
) -> list[Hit]:
    """The best `limit` hits among the documents (by SHA-256) that `keep` accepts."""
    asked = limit
    while True:
        hits = index.search(text, limit=asked, filters=filters)
        kept = [hit for hit in hits if keep(hit.passage.sha256)]
        if len(kept) >= limit or len(hits) < asked:
            return kept[:limit]
        asked *= 4
