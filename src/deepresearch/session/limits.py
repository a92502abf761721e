"""What the report has to admit, the gravest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from deepresearch.evidence import Origins, limits
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim
from deepresearch.model.mathematics import MathSummary
from deepresearch.model.plan import Plan
from deepresearch.report.names import last_name
from deepresearch.session.loading import Loaded
from deepresearch.session.web_limits import web_limits
from deepresearch.session.web_records import WebGathered
from deepresearch.team.protocol import Reading


def limits_of(
    *,
    plan: Plan,
    searched: Sequence[limits.Searched],
    readings: Sequence[Reading],
    claims: Sequence[Claim],
    documents: Sequence[Document],
    in_all: int,
    superseded: Mapping[str, str],
    origins: Origins,
    loaded: Loaded,
    math: MathSummary,
    today: date,
    web: WebGathered | None = None,
) -> tuple[str, ...]:
    """Sentences of the limits section. `documents` are those that were looked at, of `in_all` that were searched."""
    by_hash = {document.sha256: document for document in documents}
    said = [
        *limits.unanswered(plan.sub_questions, claims, searched, in_all),
        *([math.degradation_note] if math.degradation_note else []),
        *limits.weak_claims(claims),
        *limits.single_origins([claim for claim in claims if claim.run_id is None], origins),
        *limits.superseded_sources(claims, by_hash, superseded),
        *limits.set_aside(by_hash, superseded),
        *limits.old_sources(claims, by_hash, today),
        *limits.refused(loaded.refused),
        *(web_limits(web) if web is not None else []),
        *_steering(readings, by_hash),
        *_unseen(len(documents), in_all),
    ]
    return tuple(dict.fromkeys(said))


def _unseen(looked_at: int, in_all: int) -> list[str]:
    """That a search of many documents brings only some of them before the reader."""
    if looked_at >= in_all:
        return []
    return [
        f"All {in_all} documents were searched. Series, newer versions and contradictions were looked for in the "
        f"{looked_at} that the searches brought up and their namesakes."
    ]


def _steering(readings: Sequence[Reading], documents: Mapping[str, Document]) -> list[str]:
    """The documents whose sentences were left out because they address a language model."""
    names = sorted(
        {
            last_name(documents[quote.sha256].source)
            for reading in readings
            for quote in reading.instructions
            if quote.sha256 in documents
        }
    )
    return [
        f"{name} holds text that addresses a language model. It was treated as data and left out." for name in names
    ]
