"""Which process runs which session. Every decision is one exclusive transaction, so no session is run twice at once.

A session belongs to the process named as its `owner`, and to nobody once that process is dead. Whatever a run stores
it stores only while it is still the owner (see `Store.append`): one that was taken over cannot write any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from deepresearch.model.errors import SessionBusyError, UnknownSessionError
from deepresearch.model.session import SessionState
from deepresearch.session.leases import in_words
from deepresearch.session.store import Store, now
from deepresearch.session.tables import sessions

#: A session whose process died so often without finishing one more stage is given up.
MOST_TAKEOVERS = 5

Alive = Callable[[Iterable[str]], set[str]]


class Claims:
    """Taking, keeping and giving back sessions. Methods may raise `sqlalchemy.exc.SQLAlchemyError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._engine = store.engine

    def claim(self, session_id: str, executor: str, alive: Alive) -> None:
        """Take this session, whatever its place in the queue.

        Raises `UnknownSessionError`, or `SessionBusyError` while another living process has it.
        """
        with self._store.exclusive() as connection:
            row = connection.execute(sa.select(sessions.c.owner).where(sessions.c.id == session_id)).first()
            if row is None:
                raise UnknownSessionError(f"There is no session {session_id!r} here.")
            if row.owner is not None and row.owner != executor and alive([row.owner]):
                raise SessionBusyError(
                    f"Session {session_id} is being run by {in_words(row.owner)}. "
                    "Wait for it, or end that process and try again."
                )
            self._take(connection, session_id, executor)

    def claim_next(self, executor: str, *, most: int = 0, most_per_tenant: int = 0) -> str | None:
        """Take the session whose turn it is; None when there is none or the bounds are reached (0 is no bound).

        Tenants take turns: first the one with the fewest sessions running, of those the one that waited longest since
        its last start. Within a tenant the highest priority goes first, then the oldest.
        """
        columns = sessions.c
        is_waiting = sa.and_(
            columns.state == SessionState.QUEUED,
            columns.unattended,
            sa.or_(columns.not_before.is_(None), columns.not_before <= now()),
        )
        busy = (
            sa.select(
                columns.tenant,
                sa.func.sum(sa.case((columns.state == SessionState.RUNNING, 1), else_=0)).label("running"),
                sa.func.coalesce(sa.func.max(columns.claimed_at), "").label("served"),
            )
            .where(columns.unattended)
            .group_by(columns.tenant)
            .subquery()
        )
        place = sa.func.row_number().over(
            partition_by=columns.tenant, order_by=(columns.priority.desc(), columns.created_at, columns.id)
        )
        waiting = sa.select(columns.id, columns.tenant, place.label("place")).where(is_waiting).subquery()
        query = (
            sa.select(waiting.c.id)
            .join(busy, busy.c.tenant == waiting.c.tenant)
            .where(waiting.c.place == 1)
            .order_by(busy.c.running, busy.c.served, waiting.c.tenant)
            .limit(1)
        )
        if most_per_tenant:
            query = query.where(busy.c.running < most_per_tenant)
        # A cheap look without the exclusive right first: an idle worker disturbs nobody.
        with self._engine.connect() as connection:
            if connection.execute(sa.select(columns.id).where(is_waiting).limit(1)).first() is None:
                return None
        with self._store.exclusive() as connection:
            if most and self._running(connection) >= most:
                return None
            session_id: str | None = connection.execute(query).scalar()
            if session_id is not None:
                self._take(connection, session_id, executor)
            return session_id

    def release(
        self,
        session_id: str,
        executor: str,
        state: SessionState,
        error: str | None = None,
        *,
        wait_seconds: float | None = None,
    ) -> bool:
        """Give a session back in this state; False when it is not ours any more.

        A queued one is not taken again before `wait_seconds` have passed.
        """
        with self._engine.begin() as connection:
            given = connection.execute(
                sa.update(sessions)
                .where(sessions.c.id == session_id, sessions.c.owner == executor)
                .values(state=state, error=error, owner=None, updated_at=now(), not_before=_in(wait_seconds))
            )
        return given.rowcount > 0

    def sweep(self, dead: Iterable[str]) -> tuple[list[str], list[str]]:
        """Queue the sessions of these dead executors again; gives those queued and those given up as failed."""
        gone = list(dead)
        queued: list[str] = []
        failed: list[str] = []
        if not gone:
            return queued, failed
        columns = sessions.c
        with self._store.exclusive() as connection:
            rows = connection.execute(
                sa.select(columns.id, columns.owner, columns.takeovers).where(
                    columns.owner.in_(gone), columns.unattended, columns.state == SessionState.RUNNING
                )
            ).all()
            for row in rows:
                hopeless = row.takeovers + 1 >= MOST_TAKEOVERS
                why = (
                    f"The process running this session died {row.takeovers + 1} times at the same stage. "
                    f"See the workers' logs, then try once more with: deepresearch sessions resume {row.id}"
                )
                self._store.append(
                    connection,
                    row.id,
                    "session.failed" if hopeless else "session.taken_over",
                    {"error": why} if hopeless else {"from": row.owner},
                )
                connection.execute(
                    sa.update(sessions)
                    .where(columns.id == row.id)
                    .values(
                        state=SessionState.FAILED if hopeless else SessionState.QUEUED,
                        error=why if hopeless else None,
                        owner=None,
                        takeovers=0 if hopeless else row.takeovers + 1,
                    )
                )
                (failed if hopeless else queued).append(row.id)
        return queued, failed

    def owners(self) -> set[str]:
        """All executors that are named as owners of running sessions from the queue."""
        query = sa.select(sessions.c.owner).where(sessions.c.owner.is_not(None), sessions.c.unattended).distinct()
        with self._engine.connect() as connection:
            return {owner for owner in connection.execute(query).scalars() if owner is not None}

    def mine(self, executor: str) -> dict[str, bool]:
        """The sessions this executor still owns, and for each whether it is to be cancelled."""
        query = sa.select(sessions.c.id, sessions.c.cancel_requested).where(sessions.c.owner == executor)
        with self._engine.connect() as connection:
            return {row.id: row.cancel_requested for row in connection.execute(query)}

    @staticmethod
    def _take(connection: sa.Connection, session_id: str, executor: str) -> None:
        connection.execute(
            sa.update(sessions)
            .where(sessions.c.id == session_id)
            .values(
                owner=executor,
                state=SessionState.RUNNING,
                error=None,
                claimed_at=now(),
                updated_at=now(),
                not_before=None,
            )
        )

    def waiting(self) -> int:
        """How many sessions wait for a worker."""
        query = sa.select(sa.func.count()).where(sessions.c.state == SessionState.QUEUED, sessions.c.unattended)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    @staticmethod
    def _running(connection: sa.Connection) -> int:
        query = sa.select(sa.func.count()).where(sessions.c.state == SessionState.RUNNING, sessions.c.unattended)
        return connection.execute(query).scalar_one()


def _in(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat(timespec="microseconds").replace("+00:00", "Z")
