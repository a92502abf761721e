"""Claims and what holds them up."""

from __future__ import annotations

from enum import StrEnum

from deepresearch.model.base import Value


class Support(StrEnum):
    """How far its evidence carries a claim."""

    SUPPORTED = "supported"
    PARTIAL = "partial"
    UNSUPPORTED = "unsupported"
    UNDECIDED = "undecided"


class Quote(Value):
    """Exact words of a document: `text[start:end] == quote` always holds. `page` is None without pages."""

    source: str
    sha256: str
    page: int | None
    start: int
    end: int
    quote: str


class SupportCheck(Value):
    """A verdict with its reasons.

    `score` is the estimated probability (0 to 1) that the evidence supports the claim. `features` are the
    measured values behind it; `missing` the words and numbers of the claim that the evidence lacks.
    """

    support: Support
    score: float
    features: dict[str, float]
    missing: tuple[str, ...] = ()


class Claim(Value):
    """One checked sentence of the report.

    A claim rests on quotes, or on a computation (`run_id`), or on both. `confidence` is between 0 and 1.
    """

    id: str
    text: str
    sub_question: str
    support: Support
    confidence: float
    citations: tuple[Quote, ...]
    run_id: str | None = None
    check: SupportCheck | None = None


class Conflict(Value):
    """Claims that cannot all be right. `kind` is ``number`` or ``date``; `note` says it in a sentence."""

    claims: tuple[str, ...]
    kind: str
    note: str
