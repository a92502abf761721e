"""Sessions from a process that runs none: hand them in, look at them, cancel, review and purge them.

This is what the HTTP API works with. The sessions themselves are run by workers (`deepresearch worker`), which share
the database with it: Postgres on any number of machines, or SQLite in one data folder.
"""

from __future__ import annotations

import math
from datetime import datetime

import sqlalchemy as sa

from deepresearch.model.errors import QueueFullError, SessionStateError, UsageError
from deepresearch.model.session import AuditEntry, SessionEvent, SessionOptions, SessionRecord, SessionState
from deepresearch.session import audit
from deepresearch.session.archive import Archive
from deepresearch.session.purging import Purged, Purging
from deepresearch.session.requests import checked_id, checked_question, new_session_id
from deepresearch.session.store import now
from deepresearch.session.tables import results, reviews, sessions
from deepresearch.settings import Settings

#: States in which nothing more happens to a session by itself.
ENDED = frozenset({SessionState.COMPLETED, SessionState.FAILED, SessionState.CANCELLED})


class SessionQueue:
    """The queue and the record of sessions; methods are short and may be called from any thread.

        queue = SessionQueue(settings)
        record = queue.submit(SessionOptions(question="How did emissions develop?", collection="reports"))
        for event in queue.events(record.id): ...

    `archive` gives reports, documents and stored texts of a session after `record` has said whose it is. Opening it
    creates or migrates the database; raises `StorageError`. Methods raise `sqlalchemy.exc.SQLAlchemyError` when the
    database is away.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.archive = Archive(settings)
        self._store = self.archive.store
        self._purging = Purging(settings, self._store)

    def close(self) -> None:
        """Give back the database connections."""
        self.archive.close()

    def submit(
        self,
        options: SessionOptions,
        *,
        tenant: str = "default",
        priority: int = 0,
        session_id: str | None = None,
        actor: str = "",
    ) -> SessionRecord:
        """Queue a session for the workers; the highest `priority` of a tenant goes first.

        With an id of one's own it may be called again: the same question gives the same session. Raises
        `QueueFullError` when as many sessions wait as may, `UsageError` for options or an id that cannot be used.
        """
        options = options.model_copy(update={"question": checked_question(options.question)})
        if not options.sources and options.collection is None and not options.web:
            raise UsageError("There is nothing to search: name sources, a collection, or the web.")
        session_id = checked_id(session_id) if session_id else new_session_id()
        with self._store.exclusive() as connection:
            known = connection.execute(
                sa.select(sessions.c.tenant, sessions.c.options).where(sessions.c.id == session_id)
            ).first()
            if known is not None:
                if known.tenant != tenant or SessionOptions.model_validate_json(known.options) != options:
                    raise UsageError(f"The session id {session_id} is taken. Leave it out, or choose another.")
            else:
                self._check_room(connection, tenant)
                self._store.create_session(
                    session_id, options, tenant=tenant, priority=priority, unattended=True, connection=connection
                )
                self._store.append(connection, session_id, "session.queued", {"priority": priority})
                audit.note(connection, "session.submit", actor=actor or tenant, tenant=tenant, session_id=session_id)
        return self.record(session_id)

    def record(self, session_id: str, tenant: str | None = None) -> SessionRecord:
        """The session. Raises `UnknownSessionError` when there is none of this id, or it is another tenant's."""
        return self.archive.session(session_id, tenant)

    def sessions(
        self, tenant: str | None = None, limit: int | None = None, before: str | None = None
    ) -> list[SessionRecord]:
        """Sessions of a tenant (of all for None), newest first, at most `limit`, older than the session `before`."""
        return self.archive.sessions(tenant, limit=limit, before=before)

    def events(self, session_id: str, after: int = 0, limit: int | None = None) -> list[SessionEvent]:
        """Its events with a number above `after`, in order, at most `limit`. Empty for an unknown id."""
        return self._store.events(session_id, after, limit)

    def cancel(self, session_id: str, *, actor: str = "") -> SessionRecord:
        """Stop a session. A running one ends within a second or so, with what was found; an ended one stays as it is.

        Raises `UnknownSessionError`.
        """
        record = self.record(session_id)
        columns = sessions.c
        with self._store.exclusive() as connection:
            now_is = connection.execute(sa.select(columns.state, columns.owner).where(columns.id == session_id)).one()
            if SessionState(now_is.state) in ENDED or record.cancel_requested:
                return self.record(session_id)
            audit.note(
                connection,
                "session.cancel",
                actor=actor or record.tenant,
                tenant=record.tenant,
                session_id=session_id,
            )
            keys = set(connection.execute(sa.select(results.c.key).where(results.c.session_id == session_id)).scalars())
            runs = now_is.owner is not None and bool(self.archive.lease.alive([now_is.owner]))
            # What was begun is ended by a worker, with a report of what was found; the rest at once.
            if runs or (record.unattended and keys and "report" not in keys):
                connection.execute(
                    sa.update(sessions).where(columns.id == session_id).values(cancel_requested=True, not_before=None)
                )
            else:
                self._store.append(connection, session_id, "session.cancelled", {})
                connection.execute(
                    sa.update(sessions)
                    .where(columns.id == session_id)
                    .values(state=SessionState.CANCELLED, cancel_requested=True, owner=None)
                )
        return self.record(session_id)

    def review(self, session_id: str, *, approve: bool, note: str = "", reviewer: str = "") -> SessionRecord:
        """Decide on a session that needs review; a worker then ends it. Raises `UnknownSessionError`, and
        `SessionStateError` when no review is asked for or it was given already.
        """
        record = self.record(session_id)
        decision = "approved" if approve else "rejected"
        reviewer = reviewer or record.tenant
        with self._store.exclusive() as connection:
            row = connection.execute(sa.select(reviews).where(reviews.c.session_id == session_id)).first()
            if row is not None and row.decision is not None:
                raise SessionStateError(
                    f"Session {session_id} was {row.decision} by {row.reviewer} at {row.decided_at[:19]}Z already; "
                    "a review is given once."
                )
            if row is None or record.state is not SessionState.NEEDS_REVIEW:
                raise SessionStateError(
                    f"Session {session_id} is {record.state.replace('_', ' ')} and asks for no review."
                )
            connection.execute(
                sa.update(reviews)
                .where(reviews.c.session_id == session_id)
                .values(decision=decision, reviewer=reviewer, note=note, decided_at=now())
            )
            self._store.append(
                connection, session_id, "review.given", {"decision": decision, "reviewer": reviewer, "note": note}
            )
            connection.execute(
                sa.update(sessions).where(sessions.c.id == session_id).values(state=SessionState.QUEUED, owner=None)
            )
            audit.note(
                connection,
                "session.review",
                actor=reviewer,
                tenant=record.tenant,
                session_id=session_id,
                detail={"decision": decision},
            )
        return self.record(session_id)

    def purge(self, session_id: str, *, actor: str = "") -> Purged:
        """Remove everything of a session. Raises `UnknownSessionError`, `SessionStateError` while it runs."""
        record = self.record(session_id)
        return self._purging.purge(record, actor=actor or record.tenant)

    def purge_older_than(self, days: float, *, actor: str, tenant: str | None = None) -> list[Purged]:
        """Purge the sessions that ended so many days ago: of a tenant or of all."""
        return self._purging.older_than(days, actor=actor, tenant=tenant)

    def audit(
        self, *, tenant: str | None = None, session_id: str | None = None, after: int = 0, limit: int | None = None
    ) -> list[AuditEntry]:
        """The log of who did what, in order of time; see `AuditEntry`."""
        return audit.entries(self._store.engine, tenant=tenant, session_id=session_id, after=after, limit=limit)

    def waiting(self, tenant: str | None = None) -> int:
        """How many sessions wait for a worker: of a tenant or of all."""
        with self._store.engine.connect() as connection:
            return self._waiting(connection, tenant)

    def _check_room(self, connection: sa.Connection, tenant: str) -> None:
        for whose, most, what in (
            (tenant, self._settings.max_waiting_per_tenant, "of this tenant "),
            (None, self._settings.max_waiting_sessions, ""),
        ):
            waiting = self._waiting(connection, whose)
            if waiting >= most:
                seconds = self._seconds_a_session(connection)
                raise QueueFullError(
                    f"{waiting} sessions {what}wait already, as many as may. Try again in {seconds} seconds.", seconds
                )

    @staticmethod
    def _waiting(connection: sa.Connection, tenant: str | None) -> int:
        query = sa.select(sa.func.count()).where(sessions.c.state == SessionState.QUEUED, sessions.c.unattended)
        if tenant is not None:
            query = query.where(sessions.c.tenant == tenant)
        return connection.execute(query).scalar_one()

    @staticmethod
    def _seconds_a_session(connection: sa.Connection) -> int:
        """How long the last sessions took, which is about when a place becomes free: 5 to 300 seconds."""
        query = (
            sa.select(sessions.c.claimed_at, sessions.c.updated_at)
            .where(sessions.c.state == SessionState.COMPLETED, sessions.c.claimed_at.is_not(None))
            .order_by(sessions.c.updated_at.desc())
            .limit(20)
        )
        took = [
            (datetime.fromisoformat(row.updated_at) - datetime.fromisoformat(row.claimed_at)).total_seconds()
            for row in connection.execute(query)
        ]
        return min(300, max(5, math.ceil(math.fsum(took) / len(took)))) if took else 30
