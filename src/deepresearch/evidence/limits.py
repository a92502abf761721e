"""What is not known, and why: sentences for the report's limits.

Each sentence says one thing that a reader must know before trusting the report, in plain words, with what
was searched.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import PurePosixPath

from deepresearch.evidence.independence import Origins
from deepresearch.evidence.untrusted import addresses_a_model
from deepresearch.model.base import Value
from deepresearch.model.documents import Document, RefusedSource
from deepresearch.model.evidence import Claim, Support
from deepresearch.model.plan import SubQuestion

OLD_AFTER_YEARS = 5
"""A claim whose newest source is older than this is called old."""

_MOST_NAMED = 5


class Searched(Value):
    """What was searched for one part of the question: the queries, and how many passages they brought."""

    sub_question: str
    queries: tuple[str, ...]
    passages: int


def not_found(sub_question: SubQuestion, searched: Searched, documents: int) -> str:
    """Nothing in the sources answers this part."""
    queries = ", ".join(f"“{query}”" for query in searched.queries[:_MOST_NAMED]) or "no query"
    return (
        f"Not in these sources: {sub_question.text.rstrip('?.! ')}. "
        f"Searched {_count(documents, 'document')} for {queries}; "
        f"{_count(searched.passages, 'passage')} looked at, none that supports an answer."
    )


def unanswered(
    sub_questions: Iterable[SubQuestion], claims: Sequence[Claim], searched: Iterable[Searched], documents: int
) -> list[str]:
    """A sentence for each part of the question without a claim that is at least partly supported."""
    by_id = {entry.sub_question: entry for entry in searched}
    carried = {
        claim.sub_question for claim in claims if claim.support in (Support.SUPPORTED, Support.PARTIAL) or claim.run_id
    }
    return [
        not_found(part, by_id.get(part.id, Searched(sub_question=part.id, queries=part.queries, passages=0)), documents)
        for part in sub_questions
        if part.id not in carried
    ]


def single_origins(claims: Sequence[Claim], origins: Origins) -> list[str]:
    """One sentence that names the claims that rest on one independent source only."""
    single = [
        claim.id
        for claim in claims
        if claim.citations and origins.among(citation.sha256 for citation in claim.citations) == 1
    ]
    if not single:
        return []
    if len(single) == len(claims) and origins.count > 1:
        return ["Every claim rests on one independent source; none is confirmed by a second."]
    return [f"{_list(single)} {_verb(single, 'rests', 'rest')} on one independent source only."]


def old_sources(claims: Sequence[Claim], documents: Mapping[str, Document], today: date) -> list[str]:
    """A sentence that names claims whose newest dated source is old."""
    old: dict[int, list[str]] = {}
    for claim in claims:
        dates = [
            document.date
            for citation in claim.citations
            if (document := documents.get(citation.sha256)) is not None and document.date is not None
        ]
        if dates and (today - max(dates)).days > OLD_AFTER_YEARS * 365.25:
            old.setdefault(max(dates).year, []).append(claim.id)
    return [
        f"The newest source of {_list(ids)} is from {year}; the state of things may have changed since."
        for year, ids in sorted(old.items())
    ]


def superseded_sources(
    claims: Sequence[Claim], documents: Mapping[str, Document], superseded: Mapping[str, str]
) -> list[str]:
    """A sentence for each overtaken document that a claim still cites."""
    sentences = []
    for old, new in superseded.items():
        users = [claim.id for claim in claims if any(citation.sha256 == old for citation in claim.citations)]
        if users and old in documents:
            later = f" by {_name(documents[new].source)}" if new in documents else ""
            sentences.append(
                f"{_list(users)} {_verb(users, 'cites', 'cite')} {_name(documents[old].source)}, which is "
                f"superseded{later}."
            )
    return sentences


def set_aside(documents: Mapping[str, Document], superseded: Mapping[str, str]) -> list[str]:
    """A sentence that names the overtaken documents, whose figures are not presented as current."""
    pairs = [
        f"{_name(documents[old].source)} (newer: {_name(documents[new].source)})"
        for old, new in superseded.items()
        if old in documents and new in documents
    ]
    return [f"Superseded and not used as current: {_list(pairs)}."] if pairs else []


def weak_claims(claims: Sequence[Claim]) -> list[str]:
    """Sentences that name claims which their sources carry only in part, or for which this could not be decided."""
    sentences = []
    for support, words in (
        (Support.PARTIAL, "supported only in part by what is cited"),
        (Support.UNDECIDED, "cited, but whether the sources carry the whole claim could not be decided"),
        (Support.UNSUPPORTED, "not supported by what is cited"),
    ):
        ids = [claim.id for claim in claims if claim.support is support and not claim.run_id]
        if ids:
            sentences.append(f"{_list(ids)}: {words}.")
    return sentences


def refused(sources: Sequence[RefusedSource]) -> list[str]:
    """A sentence for each file that could not be read, the first few by name."""
    sentences = [f"Not read: {_name(entry.source)} ({entry.reason.rstrip('.')})." for entry in sources[:20]]
    if len(sources) > 20:
        sentences.append(f"Not read: {len(sources) - 20} more files.")
    return sentences


def budget(spent: str, left_out: Sequence[str]) -> list[str]:
    """A sentence that says which budget ran out and what was left undone because of it."""
    undone = f"; left out: {_list(list(left_out))}" if left_out else ""
    return [f"The budget of {spent} ran out before the work was done{undone}."] if spent else []


def untrusted_text(documents: Iterable[Document]) -> list[str]:
    """A sentence for each document that addresses a language model, with its words; nothing in it was followed."""
    sentences = []
    for document in documents:
        found = addresses_a_model(document.text)
        if found:
            words = " ".join(found[0].text.split())
            shown = words if len(words) <= 120 else words[:117].rstrip() + "…"
            more = f" and {len(found) - 1} more" if len(found) > 1 else ""
            sentences.append(
                f"{_name(document.source)} holds text that addresses a language model ({found[0].reason}): "
                f"“{shown}”{more}. It was treated as data and not followed."
            )
    return sentences


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _verb(ids: Sequence[str], one: str, many: str) -> str:
    return one if len(ids) == 1 else many


def _list(items: Sequence[str]) -> str:
    shown = list(items[:12]) + ([f"{len(items) - 12} more"] if len(items) > 12 else [])
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def _name(source: str) -> str:
    if source.startswith(("http://", "https://")):
        return source
    return PurePosixPath(source).name or source
