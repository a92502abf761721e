"""Conflicts between sources, each shown with both sides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepresearch.evidence import Statement, find_conflicts
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Quote
from deepresearch.team.protocol import Draft, DraftClaim, Finding, Reading


@dataclass(frozen=True)
class Disagreement:
    """Positions of the claims that cannot all be right, and the sentence that says so."""

    positions: tuple[int, ...]
    kind: str
    note: str


def with_other_sides(
    draft: Draft, readings: Sequence[Reading], documents: Mapping[str, Document]
) -> tuple[Draft, list[Disagreement]]:
    """The draft with every statement that contradicts one of its claims added, and the conflicts among them.

    What was found nearby but not chosen counts only where it contradicts a claim: a conflict between two
    sentences that nobody asked about is not this report's.
    """
    claims = list(draft.claims)
    drafted = {f"d{position}": claim for position, claim in enumerate(claims)}
    chosen = {claim.text for claim in claims}
    nearby = {
        f"n{number}": finding
        for number, finding in enumerate(finding for reading in readings for finding in reading.nearby)
        if finding.text not in chosen
    }
    statements = [
        *(_statement(name, claim.text, claim.citations, documents) for name, claim in drafted.items()),
        *(_statement(name, finding.text, finding.quotes, documents) for name, finding in nearby.items()),
    ]
    positions = {name: position for position, name in enumerate(drafted)}
    found: list[Disagreement] = []
    for conflict in find_conflicts(statement for statement in statements if statement is not None):
        if not any(name in drafted for name in conflict.claims):
            continue
        for name in conflict.claims:
            if name not in positions:
                positions[name] = len(claims)
                claims.append(_as_claim(nearby[name]))
        found.append(Disagreement(tuple(positions[name] for name in conflict.claims), conflict.kind, conflict.note))
    return draft.model_copy(update={"claims": tuple(claims)}), found


def _statement(name: str, text: str, quotes: Sequence[Quote], documents: Mapping[str, Document]) -> Statement | None:
    """The sentence with the headings it stands under; None for one without a quote."""
    if not quotes or quotes[0].sha256 not in documents:
        return None
    document = documents[quotes[0].sha256]
    return Statement(
        id=name,
        text=text,
        sha256=document.sha256,
        source=document.source,
        title=document.title,
        context=_headings(document, quotes[0].start),
        date=document.date,
    )


def _headings(document: Document, place: int) -> tuple[str, ...]:
    """The titles of the headings above a place, outermost first."""
    path: list[tuple[int, str]] = []
    for heading in document.headings:
        if heading.start > place:
            break
        path = [entry for entry in path if entry[0] < heading.level]
        path.append((heading.level, heading.title))
    return tuple(title for _, title in path)


def _as_claim(finding: Finding) -> DraftClaim:
    return DraftClaim(
        text=finding.text, sub_question=finding.sub_question, citations=finding.quotes, relevance=finding.relevance
    )
