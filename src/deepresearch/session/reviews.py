"""When a person has to look at a report before it counts, and what becomes of it then."""

from __future__ import annotations

import math
from collections.abc import Sequence

import sqlalchemy as sa

from deepresearch.model.evidence import Claim
from deepresearch.model.mathematics import MathSummary
from deepresearch.model.session import Review, SessionOptions
from deepresearch.session.store import Store, now
from deepresearch.session.tables import reviews
from deepresearch.settings import Settings


def review_reason(
    options: SessionOptions, settings: Settings, claims: Sequence[Claim], summary: MathSummary
) -> str | None:
    """Why this report needs a review, in a sentence; None when it needs none."""
    if options.review:
        return "A review was asked for."
    if settings.review_when_degraded and summary.alert_required:
        return f"A computation is missing: {summary.degradation_note}"
    if claims and settings.review_below_confidence > 0:
        mean = math.fsum(claim.confidence for claim in claims) / len(claims)
        if mean < settings.review_below_confidence:
            return (
                f"The mean confidence of the claims is {mean:.2f}, below the {settings.review_below_confidence:g} "
                "from which a report counts without a review."
            )
    return None


def ask(store: Store, session_id: str, reason: str) -> None:
    """Note that a person has to decide; asking again changes nothing."""
    with store.engine.begin() as connection:
        connection.execute(store.insert_once(reviews, session_id=session_id, reason=reason, asked_at=now()))


def is_asked(store: Store, session_id: str) -> bool:
    """Whether a review was asked for."""
    query = sa.select(reviews.c.session_id).where(reviews.c.session_id == session_id)
    with store.engine.connect() as connection:
        return connection.execute(query).first() is not None


def sentence(review: Review) -> str:
    """What the report's limits say of the decision."""
    note = f": {review.note.strip()}" if review.note.strip() else ""
    return f"A person ({review.reviewer}) {review.decision} this report on {(review.decided_at or '')[:10]}{note}"
