"""The table of sources, and which of them have been replaced by a newer version."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepresearch.evidence import Origins, find_superseded, independent_origins
from deepresearch.evidence.independence import registrable_domain
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim
from deepresearch.model.report import SourceEntry

_ASKS_FOR_OLD = re.compile(
    r"\b(?:superseded|previous|earlier|former|original|outdated|old(?:er)?)\s+(?:version|edition|draft|policy|target|plan|"
    r"document)|\bversion\s+\d|\bv\d|\bversions\b|\bdraft\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Superseded:
    """SHA-256 of replaced documents to that of their newest version."""

    replaced: dict[str, str]


def superseded_documents(question: str, documents: Sequence[Document]) -> Superseded:
    """Documents that a newer version replaces. None when the question asks for an earlier version by name."""
    if _ASKS_FOR_OLD.search(question):
        return Superseded({})
    return Superseded(dict(find_superseded(documents)))


def superseded_among_equals(question: str, documents: Sequence[Document]) -> dict[str, str]:
    """Replaced documents to their newest version, where only a document's own origin replaces it.

    A page of the web is replaced by pages of its own registrable domain, a file by files: otherwise any page could
    set a person's document aside by calling itself its next version.
    """
    by_origin: dict[str | None, list[Document]] = {}
    for document in documents:
        by_origin.setdefault(registrable_domain(document.source), []).append(document)
    replaced: dict[str, str] = {}
    for origin in sorted(by_origin, key=lambda name: (name is not None, name or "")):
        replaced.update(superseded_documents(question, by_origin[origin]).replaced)
    return replaced


def origins_of(claims: Sequence[Claim], documents: Sequence[Document]) -> Origins:
    """The cited documents by independent origin."""
    cited = {quote.sha256 for claim in claims for quote in claim.citations}
    return independent_origins(document for document in documents if document.sha256 in cited)


def source_table(
    documents: Sequence[Document],
    claims: Sequence[Claim],
    superseded: Mapping[str, str],
    retrieved: Mapping[str, str] | None = None,
) -> tuple[SourceEntry, ...]:
    """One entry a document, the cited ones first, then by source. `retrieved` is when pages of the web were fetched."""
    cited = Counter(quote.sha256 for claim in claims for quote in claim.citations)
    names = {document.sha256: document.source for document in documents}
    entries = [
        SourceEntry(
            source=document.source,
            sha256=document.sha256,
            title=document.title,
            media_type=document.media_type,
            date=document.date.isoformat() if document.date else None,
            version=document.version,
            citations=cited[document.sha256],
            superseded_by=names.get(superseded.get(document.sha256, "")),
            retrieved=(retrieved or {}).get(document.source),
        )
        for document in documents
    ]
    return tuple(sorted(entries, key=lambda entry: (-entry.citations, entry.source)))
