"""How many independent voices agree: documents counted by origin, not by page.

Two documents have one origin when their addresses belong to one registrable domain, when one text is
(nearly) the other, or when one is a version of the other. Files on a disk are each an origin of their own,
wherever they lie, unless their texts say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from deepresearch.evidence.shingles import candidate_pairs, containment, resemblance, shingles
from deepresearch.model.documents import Document

COPY = 0.6
"""Least resemblance of two texts that count as one voice."""

PART = 0.8
"""Least shared part of the smaller text (a press release inside an article) that makes them one voice."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Documents by origin. `groups` hold SHA-256, in the order given.

    `of` maps each to the index of its group.
    """

    groups: tuple[tuple[str, ...], ...]
    of: Mapping[str, int]

    @property
    def count(self) -> int:
        """How many independent origins there are."""
        return len(self.groups)

    def among(self, documents: Iterable[str]) -> int:
        """How many independent origins speak among these documents (SHA-256)."""
        return len({self.of[sha256] for sha256 in documents if sha256 in self.of})


@lru_cache(maxsize=4096)
def registrable_domain(source: str) -> str | None:
    """The domain that a person or a body can register (``example.co.uk``); None for a file."""
    parts = urlsplit(source)
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host:
        return None
    from tld import get_fld  # reads its copy of the public suffix list on first use

    return get_fld(source, fail_silently=True) or host.lower()


def independent_origins(documents: Iterable[Document], superseded: Mapping[str, str] | None = None) -> Origins:
    """Documents by origin; `superseded` is the result of `find_superseded` when it is known."""
    known = {document.sha256: document for document in documents}
    parent = {key: key for key in known}

    def root(key: str) -> str:
        while parent[key] != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    def join(first: str, second: str) -> None:
        parent[root(second)] = root(first)

    by_domain: dict[str, str] = {}
    for key, document in known.items():
        domain = registrable_domain(document.source)
        if domain is not None:
            join(by_domain.setdefault(domain, key), key)
    texts = {key: shingles(document.text) for key, document in known.items()}
    for first, second in candidate_pairs(texts):
        smaller = min(len(texts[first]), len(texts[second]))
        if resemblance(texts[first], texts[second]) >= COPY or (
            smaller >= 30 and containment(texts[first], texts[second]) >= PART
        ):
            join(first, second)
    for old, new in (superseded or {}).items():
        if old in parent and new in parent:
            join(new, old)
    groups: dict[str, list[str]] = {}
    for key in known:
        groups.setdefault(root(key), []).append(key)
    ordered = tuple(tuple(group) for group in groups.values())
    return Origins(ordered, {key: index for index, group in enumerate(ordered) for key in group})
