"""A research session seen from outside."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from deepresearch.model.base import Value


class SessionState(StrEnum):
    """Where a session stands."""

    QUEUED = "queued"
    RUNNING = "running"
    INTERRUPTED = "interrupted"
    COMPLETED = "completed"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SessionOptions(Value):
    """What a session was asked to do. Paths are absolute; a later resume uses exactly these."""

    question: str
    sources: tuple[str, ...] = ()
    collection: str | None = None
    team: str = "extractive"
    out: str | None = None
    budget_minutes: float | None = None
    budget_tokens: int | None = None
    review: bool = False
    web: bool = False


class SessionEvent(Value):
    """One thing that happened. `number` counts from 1 within the session without gaps; `at` is ISO 8601 UTC."""

    session_id: str
    number: int
    at: str
    kind: str
    data: dict[str, Any]


class SessionRecord(Value):
    """A session as `sessions list` and `sessions show` tell it."""

    id: str
    state: SessionState
    options: SessionOptions
    created_at: str
    updated_at: str
    error: str | None = None
