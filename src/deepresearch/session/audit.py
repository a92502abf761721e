"""Who did what: a log that outlives the sessions it speaks of, so it holds none of their words."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from deepresearch.model.session import AuditEntry
from deepresearch.session import tables
from deepresearch.session.store import now


def note(
    connection: sa.Connection,
    action: str,
    *,
    actor: str,
    tenant: str = "default",
    session_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Write an entry within the transaction that does what it tells: both happen or neither.

    `action` is a word with a dot, such as ``session.cancel``. `detail` is small and holds no text of a session.
    """
    connection.execute(
        sa.insert(tables.audit).values(
            at=now(),
            tenant=tenant,
            actor=actor,
            action=action,
            session_id=session_id,
            detail=json.dumps(detail or {}, ensure_ascii=False),
        )
    )


def entries(
    engine: sa.Engine,
    *,
    tenant: str | None = None,
    session_id: str | None = None,
    after: int = 0,
    limit: int | None = None,
) -> list[AuditEntry]:
    """The log in order of time: of one tenant or all, of one session or all, with a number above `after`."""
    columns = tables.audit.c
    query = sa.select(tables.audit).where(columns.number > after).order_by(columns.number).limit(limit)
    if tenant is not None:
        query = query.where(columns.tenant == tenant)
    if session_id is not None:
        query = query.where(columns.session_id == session_id)
    with engine.connect() as connection:
        return [
            AuditEntry(
                number=row.number,
                at=row.at,
                tenant=row.tenant,
                actor=row.actor,
                action=row.action,
                session_id=row.session_id,
                detail=json.loads(row.detail),
            )
            for row in connection.execute(query)
        ]
