"""The finished answer, in the form that other programs rely on."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from deepresearch.model.base import Value
from deepresearch.model.evidence import Claim, Conflict
from deepresearch.model.mathematics import Figure, MathSummary, Series
from deepresearch.model.plan import SubQuestion


class ReportStatus(StrEnum):
    """How a session ended."""

    COMPLETED = "completed"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Usage(Value):
    """What a session cost. `cost_usd` is None where the price is unknown, 0 without a model."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0


class SourceEntry(Value):
    """One document of the table of sources. `superseded_by` is the source of its newer version.

    `retrieved` is when a page of the web was fetched (ISO 8601, UTC), None for a file.
    """

    source: str
    sha256: str
    title: str
    media_type: str
    date: str | None
    version: str | None
    citations: int
    superseded_by: str | None = None
    retrieved: str | None = None


class ScriptRecord(Value):
    """A script that was run for the report, kept so that it can be read and run again.

    `series` is the data it worked on, each value with the words it was read from; `values` are the numbers
    it printed, by name.
    """

    run_id: str
    title: str
    script: str
    files: dict[str, str]
    series: tuple[Series, ...] = ()
    values: dict[str, float | str] = Field(default_factory=dict)


class Report(Value):
    """A report. Field names and meanings are a contract; `start` and `end` count code points."""

    session_id: str
    question: str
    status: ReportStatus
    team: str
    answer: str
    claims: tuple[Claim, ...]
    conflicts: tuple[Conflict, ...]
    limits: tuple[str, ...]
    figures: tuple[Figure, ...]
    math: MathSummary
    usage: Usage
    paths: dict[str, str]
    created_at: str
    sub_questions: tuple[SubQuestion, ...] = ()
    sources: tuple[SourceEntry, ...] = ()
    scripts: tuple[ScriptRecord, ...] = ()
