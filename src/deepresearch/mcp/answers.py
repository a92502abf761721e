"""What the tools answer, small enough for an assistant to read. Places count code points: ``text[start:end] == quote``."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from deepresearch.model.base import Value
from deepresearch.model.documents import RefusedSource
from deepresearch.model.evidence import Claim, Conflict, Quote, Support
from deepresearch.model.report import Report, ReportStatus
from deepresearch.model.session import SessionRecord, SessionState
from deepresearch.session.explaining import ExplainedClaim
from deepresearch.session.found import Found, SearchResult
from deepresearch.session.holdings import CollectionRecord


class Passage(Value):
    """A passage that was found, best first."""

    source: str
    sha256: str = Field(description="Names the document: give it to source_text.")
    page: int | None
    heading_path: tuple[str, ...]
    kind: str
    start: int
    end: int
    text: str
    score: float

    @classmethod
    def of(cls, found: Found) -> Self:
        """What an assistant needs of it."""
        return cls(**found.model_dump(include=set(cls.model_fields)))


class Searched(Value):
    """What a search found. `note` says what has to be known, mostly why nothing; `refused` are files not readable."""

    query: str
    passages: tuple[Passage, ...]
    note: str
    refused: tuple[RefusedSource, ...] = ()

    @classmethod
    def of(cls, result: SearchResult, refused: tuple[RefusedSource, ...] = ()) -> Self:
        """A search of a collection, or of files of which some were refused."""
        passages = tuple(Passage.of(found) for found in result.hits)
        return cls(query=result.query, passages=passages, note=result.note, refused=refused)


class CheckedClaim(Value):
    """A checked sentence: how far its citations carry it, and the run that computed its numbers, if one did."""

    id: str
    text: str
    support: Support
    confidence: float
    citations: tuple[Quote, ...]
    run_id: str | None

    @classmethod
    def of(cls, claim: Claim) -> Self:
        """The claim without the measurements behind its verdict; `explain` gives those."""
        return cls(**claim.model_dump(include=set(cls.model_fields)))


class Answered(Value):
    """How a session ended: its answer, what each sentence rests on, and what it could not find out."""

    session_id: str
    status: ReportStatus
    question: str
    answer: str
    claims: tuple[CheckedClaim, ...]
    conflicts: tuple[Conflict, ...]
    limits: tuple[str, ...] = Field(description="What the sources do not tell, and what went wrong.")
    figures: int = Field(description="Pictures in the report.")
    degradation_note: str = Field(description="What is missing because a computation failed; empty when none did.")
    report: str = Field(description="The address of the resource that is the whole report.")

    @classmethod
    def of(cls, report: Report, address: str) -> Self:
        """What an assistant needs of a report."""
        return cls(
            session_id=report.session_id,
            status=report.status,
            question=report.question,
            answer=report.answer,
            claims=tuple(CheckedClaim.of(claim) for claim in report.claims),
            conflicts=report.conflicts,
            limits=report.limits,
            figures=len(report.figures),
            degradation_note=report.math.degradation_note,
            report=address,
        )


class ReportText(Value):
    """A whole report as text."""

    session_id: str
    status: ReportStatus
    format: str
    text: str


class Explained(Value):
    """Why claims got their verdicts."""

    session_id: str
    claims: tuple[ExplainedClaim, ...]


class SourceText(Value):
    """A piece of a stored text: ``text == whole[start:end]``, and how long the whole is."""

    sha256: str
    start: int
    end: int
    characters: int
    text: str


class CollectionList(Value):
    """The collections there are, by name."""

    collections: tuple[CollectionRecord, ...]


class SessionLine(Value):
    """A session in a list."""

    session_id: str
    state: SessionState
    question: str
    collection: str | None
    sources: tuple[str, ...]
    created_at: str
    error: str | None

    @classmethod
    def of(cls, record: SessionRecord) -> Self:
        """What an assistant needs of it."""
        return cls(
            session_id=record.id,
            state=record.state,
            question=record.options.question,
            collection=record.options.collection,
            sources=record.options.sources,
            created_at=record.created_at,
            error=record.error,
        )


class SessionList(Value):
    """Sessions, newest first."""

    sessions: tuple[SessionLine, ...]
