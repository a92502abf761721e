"""What the report has to admit, the gravest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import PurePath

from deepresearch.evidence import Origins, limits
from deepresearch.model.documents import Document
from deepresearch.model.evidence import Claim
from deepresearch.model.mathematics import MathSummary
from deepresearch.model.plan import Plan
from deepresearch.session.loading import Loaded
from deepresearch.team.protocol import Reading


def limits_of(
    *,
    plan: Plan,
    searched: Sequence[limits.Searched],
    readings: Sequence[Reading],
    claims: Sequence[Claim],
    documents: Sequence[Document],
    superseded: Mapping[str, str],
    origins: Origins,
    loaded: Loaded,
    math: MathSummary,
    today: date,
) -> tuple[str, ...]:
    """Sentences of the limits section."""
    by_hash = {document.sha256: document for document in documents}
    said = [
        *limits.unanswered(plan.sub_questions, claims, searched, len(documents)),
        *([math.degradation_note] if math.degradation_note else []),
        *limits.weak_claims(claims),
        *limits.single_origins([claim for claim in claims if claim.run_id is None], origins),
        *limits.superseded_sources(claims, by_hash, superseded),
        *limits.set_aside(by_hash, superseded),
        *limits.old_sources(claims, by_hash, today),
        *limits.refused(loaded.refused),
        *_steering(readings, by_hash),
    ]
    return tuple(dict.fromkeys(said))


def _steering(readings: Sequence[Reading], documents: Mapping[str, Document]) -> list[str]:
    """The documents whose sentences were left out because they address a language model."""
    names = sorted(
        {
            PurePath(documents[quote.sha256].source).name
            for reading in readings
            for quote in reading.instructions
            if quote.sha256 in documents
        }
    )
    return [
        f"{name} holds text that addresses a language model. It was treated as data and left out." for name in names
    ]
