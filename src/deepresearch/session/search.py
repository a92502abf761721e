"""Several queries as one search: the best rank of a passage over all of them counts."""

from __future__ import annotations

from collections.abc import Sequence

from deepresearch.model.retrieval import Hit
from deepresearch.retrieval import Index

#: Passages looked at for each query, and in all for one sub-question.
_EACH = 24
_IN_ALL = 40


def search_all(index: Index, queries: Sequence[str]) -> list[Hit]:
    """The hits of all queries, each passage once, by its best rank and then its score; best first."""
    best: dict[str, tuple[int, float, Hit]] = {}
    for query in queries:
        for rank, hit in enumerate(index.search(query, limit=_EACH)):
            known = best.get(hit.passage.id)
            if known is None or (rank, -hit.score) < (known[0], -known[1]):
                best[hit.passage.id] = (rank, hit.score, hit)
    ordered = sorted(best.values(), key=lambda entry: (entry[0], -entry[1], entry[2].passage.id))
    return [hit for _, _, hit in ordered[:_IN_ALL]]
