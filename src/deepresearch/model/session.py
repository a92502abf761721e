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
    """What a session was asked to do. Paths are absolute; a later resume uses exactly these.

    Budgets are bounds, None for none: minutes of work (waiting does not count), tokens of language models together,
    their price in US dollars, their calls, and steps, where a step is one search with its reading, or one run in the sandbox.
    With `review` a person decides before the session ends.
    """

    question: str
    sources: tuple[str, ...] = ()
    collection: str | None = None
    team: str = "extractive"
    out: str | None = None
    budget_minutes: float | None = None
    budget_tokens: int | None = None
    budget_cost_usd: float | None = None
    budget_calls: int | None = None
    budget_steps: int | None = None
    review: bool = False
    web: bool = False


class SessionEvent(Value):
    """One thing that happened. `number` counts from 1 within the session without gaps; `at` is ISO 8601 UTC."""

    session_id: str
    number: int
    at: str
    kind: str
    data: dict[str, Any]


class Review(Value):
    """What a person is asked about a finished report, and what they decided; `decision` is None until then.

    `decision` is ``approved`` or ``rejected``. Times are ISO 8601 UTC.
    """

    reason: str
    asked_at: str
    decision: str | None = None
    reviewer: str | None = None
    note: str = ""
    decided_at: str | None = None


class AuditEntry(Value):
    """Who did what. `session_id` is None for what concerns no single session."""

    number: int
    at: str
    tenant: str
    actor: str
    action: str
    session_id: str | None
    detail: dict[str, Any]


class SessionRecord(Value):
    """A session as `sessions list` and `sessions show` tell it.

    `unattended` sessions came through the queue and are run by any worker; the others belong to the command that
    began them. `owner` is the process that runs it, None while none does. `worked_seconds` leaves out all waiting.
    """

    id: str
    state: SessionState
    options: SessionOptions
    created_at: str
    updated_at: str
    error: str | None = None
    tenant: str = "default"
    priority: int = 0
    unattended: bool = False
    owner: str | None = None
    worked_seconds: float = 0.0
    cancel_requested: bool = False
    review: Review | None = None
