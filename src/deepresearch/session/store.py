"""What a session keeps: its options, events, stage results, documents and artefacts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from deepresearch.model.documents import Document
from deepresearch.model.errors import SessionLostError, UnknownSessionError
from deepresearch.model.mathematics import Artefact
from deepresearch.model.session import Review, SessionEvent, SessionOptions, SessionRecord, SessionState
from deepresearch.session import tables
from deepresearch.session.blobs import Blobs

#: A number of our own for Postgres' advisory lock: "dr-queue" in ASCII.
_QUEUE_LOCK = 0x64722D7175657565


def now() -> str:
    """The time as it is stored: ISO 8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Store:
    """Everything sessions keep, in one database, and large bytes. Methods are short transactions; all may raise
    `sqlalchemy.exc.SQLAlchemyError` when the database refuses.
    """

    def __init__(self, engine: sa.Engine, blobs: Blobs) -> None:
        self._engine = engine
        self.blobs = blobs

    @property
    def engine(self) -> sa.Engine:
        """The database, for what keeps tables of its own beside these."""
        return self._engine

    def close(self) -> None:
        """Give back the database connections."""
        self._engine.dispose()

    # Sessions

    def create_session(
        self,
        session_id: str,
        options: SessionOptions,
        *,
        tenant: str = "default",
        priority: int = 0,
        unattended: bool = False,
        connection: sa.Connection | None = None,
    ) -> bool:
        """Record a new session in state queued; False when the id exists, which is left as it is.

        With a `connection` it becomes part of the caller's transaction.
        """
        if connection is None:
            with self._engine.begin() as own:
                return self.create_session(
                    session_id, options, tenant=tenant, priority=priority, unattended=unattended, connection=own
                )
        at = now()
        inserted = connection.execute(
            self.insert_once(
                tables.sessions,
                id=session_id,
                state=SessionState.QUEUED,
                options=options.model_dump_json(),
                created_at=at,
                updated_at=at,
                tenant=tenant,
                priority=priority,
                unattended=unattended,
            ).returning(tables.sessions.c.id)
        )
        return inserted.first() is not None

    def session(self, session_id: str, tenant: str | None = None) -> SessionRecord:
        """The session of this id, and of this tenant when one is given. Raises `UnknownSessionError`."""
        query = _RECORDS.where(tables.sessions.c.id == session_id)
        if tenant is not None:
            query = query.where(tables.sessions.c.tenant == tenant)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise UnknownSessionError(
                f"There is no session {session_id!r} here. See them with: deepresearch sessions list"
            )
        return _record(row)

    def sessions(
        self, tenant: str | None = None, *, limit: int | None = None, before: str | None = None
    ) -> list[SessionRecord]:
        """Sessions, newest first: of one tenant or of all, at most `limit`, older than the session `before`."""
        columns = tables.sessions.c
        query = _RECORDS.order_by(columns.created_at.desc(), columns.id.desc()).limit(limit)
        if tenant is not None:
            query = query.where(columns.tenant == tenant)
        if before is not None:
            edge = self.session(before, tenant)
            older = sa.and_(columns.created_at == edge.created_at, columns.id < edge.id)
            query = query.where(sa.or_(columns.created_at < edge.created_at, older))
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    # Events

    def add_event(self, session_id: str, kind: str, data: dict[str, Any], *, owner: str | None = None) -> SessionEvent:
        """Append an event; numbers count from 1 without gaps.

        With an `owner` only while that process has the session: raises `SessionLostError` otherwise.
        """
        with self._engine.begin() as connection:
            return self.append(connection, session_id, kind, data, owner=owner)

    def events(self, session_id: str, after: int = 0, limit: int | None = None) -> list[SessionEvent]:
        """Events with a number above `after`, in order, at most `limit`."""
        query = (
            sa.select(tables.events)
            .where(tables.events.c.session_id == session_id, tables.events.c.number > after)
            .order_by(tables.events.c.number)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [
                SessionEvent(
                    session_id=row.session_id, number=row.number, at=row.at, kind=row.kind, data=json.loads(row.data)
                )
                for row in connection.execute(query)
            ]

    def append(
        self,
        connection: sa.Connection,
        session_id: str,
        kind: str,
        data: dict[str, Any],
        *,
        owner: str | None = None,
        worked: float | None = None,
    ) -> SessionEvent:
        """`add_event` within a transaction of the caller; `worked` are the seconds of work in all so far."""
        # The session's row is the lock that keeps numbers gapless on both engines, and tells whose session it is.
        columns = tables.sessions.c
        touched = sa.update(tables.sessions).where(columns.id == session_id).values(updated_at=now())
        if worked is not None:
            touched = touched.values(worked_seconds=worked, takeovers=0)
        if owner is not None:
            touched = touched.where(columns.owner == owner)
        if connection.execute(touched).rowcount == 0 and owner is not None:
            raise SessionLostError(f"Session {session_id} has been taken over by another process.")
        last = connection.execute(
            sa.select(sa.func.max(tables.events.c.number)).where(tables.events.c.session_id == session_id)
        ).scalar()
        event = SessionEvent(session_id=session_id, number=(last or 0) + 1, at=now(), kind=kind, data=data)
        connection.execute(
            sa.insert(tables.events).values(
                session_id=session_id,
                number=event.number,
                at=event.at,
                kind=kind,
                data=json.dumps(data, ensure_ascii=False, default=str),
            )
        )
        return event

    # Stage results

    def result(self, session_id: str, key: str) -> Any | None:
        """The stored result of a stage as JSON, or None when that stage has not finished."""
        with self._engine.connect() as connection:
            value = connection.execute(
                sa.select(tables.results.c.value).where(
                    tables.results.c.session_id == session_id, tables.results.c.key == key
                )
            ).scalar()
        return None if value is None else json.loads(value)

    def finish(
        self,
        session_id: str,
        key: str,
        value: Any,
        data: dict[str, Any],
        *,
        kind: str = "stage.finished",
        owner: str | None = None,
        worked: float | None = None,
    ) -> SessionEvent:
        """Store a result and its event in one transaction: both or neither.

        Done again, as after a connection that broke while it was committed, it gives the event of the first time.
        With an `owner` as in `add_event`; `worked` are the seconds of work the session has had in all.
        """
        data = {"stage": key, **data}
        with self._engine.begin() as connection:
            event = self.append(connection, session_id, kind, data, owner=owner, worked=worked)
            inserted = connection.execute(
                self.insert_once(
                    tables.results,
                    session_id=session_id,
                    key=key,
                    value=json.dumps(value, ensure_ascii=False),
                    at=now(),
                ).returning(tables.results.c.key)
            )
            if inserted.first() is not None:
                return event
            connection.rollback()
        for event in reversed(self.events(session_id)):
            if event.kind == kind and event.data.get("stage") == key:
                return event
        raise AssertionError(f"the result {key} is stored without its event")

    def keep_result(self, session_id: str, key: str, value: Any) -> None:
        """Store a part of a stage's result without an event, so that the stage begun again need not do it again."""
        with self._engine.begin() as connection:
            connection.execute(
                self.insert_once(
                    tables.results,
                    session_id=session_id,
                    key=key,
                    value=json.dumps(value, ensure_ascii=False),
                    at=now(),
                )
            )

    def recent_result(self, session_id: str, key: str, since: str) -> Any | None:
        """What any session of the same tenant stored last under this key since a time in the form of `now`."""
        tenant = sa.select(tables.sessions.c.tenant).where(tables.sessions.c.id == session_id).scalar_subquery()
        query = (
            sa.select(tables.results.c.value)
            .join(tables.sessions, tables.sessions.c.id == tables.results.c.session_id)
            .where(tables.results.c.key == key, tables.results.c.at >= since, tables.sessions.c.tenant == tenant)
            .order_by(tables.results.c.at.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            value = connection.execute(query).scalar()
        return None if value is None else json.loads(value)

    # Documents

    def known_documents(self, hashes: Iterable[str], loader: str) -> set[str]:
        """Which of these SHA-256 have been read already by this version of the loaders."""
        wanted = list(hashes)
        found: set[str] = set()
        with self._engine.connect() as connection:
            for at in range(0, len(wanted), 500):
                query = sa.select(tables.documents.c.sha256).where(
                    tables.documents.c.loader == loader, tables.documents.c.sha256.in_(wanted[at : at + 500])
                )
                found.update(connection.execute(query).scalars())
        return found

    def add_document(self, session_id: str, document: Document, loader: str) -> None:
        """Keep a document by its hash and note that the session reads it; the same again changes nothing."""
        with self._engine.begin() as connection:
            self.insert_documents(connection, [document], loader)
            self._link(connection, session_id, document.source, document.sha256, loader)

    def insert_documents(self, connection: sa.Connection, documents: Sequence[Document], loader: str) -> None:
        """Keep documents by their hashes within a transaction of the caller."""
        values = [{"sha256": document.sha256, "loader": loader, "body": _to_json(document)} for document in documents]
        if values:
            connection.execute(self.insert(tables.documents).on_conflict_do_nothing(), values)

    def link_document(self, session_id: str, source: str, sha256: str, loader: str) -> bool:
        """Note that the session reads this document under this source; False when it is not stored (any more)."""
        with self._engine.connect() as connection:
            # The link is written first: from then on nobody removes the text as unneeded.
            self._link(connection, session_id, source, sha256, loader)
            there = connection.execute(
                sa.select(tables.documents.c.sha256).where(
                    tables.documents.c.sha256 == sha256, tables.documents.c.loader == loader
                )
            ).first()
            if there is None:
                connection.rollback()
            else:
                connection.commit()
        return there is not None

    def _link(self, connection: sa.Connection, session_id: str, source: str, sha256: str, loader: str) -> None:
        connection.execute(
            self.insert_once(
                tables.session_documents, session_id=session_id, source=source, sha256=sha256, loader=loader
            )
        )

    def documents(self, session_id: str, hashes: Iterable[str] | None = None) -> list[Document]:
        """The session's documents in the order of their sources, each under the source it was given as.

        With `hashes` only those with one of these SHA-256.
        """
        query = (
            sa.select(tables.session_documents.c.source, tables.documents.c.body)
            .join(
                tables.documents,
                sa.and_(
                    tables.documents.c.sha256 == tables.session_documents.c.sha256,
                    tables.documents.c.loader == tables.session_documents.c.loader,
                ),
            )
            .where(tables.session_documents.c.session_id == session_id)
        )
        found: list[Document] = []
        with self._engine.connect() as connection:
            for narrowed in _narrowed(query, tables.session_documents.c.sha256, hashes):
                found.extend(
                    Document.model_validate_json(row.body).model_copy(update={"source": row.source})
                    for row in connection.execute(narrowed)
                )
        return sorted(found, key=lambda document: document.source)

    def count_documents(self, session_id: str) -> int:
        """How many documents the session reads."""
        query = sa.select(sa.func.count()).where(tables.session_documents.c.session_id == session_id)
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def hash_of(self, session_id: str, source: str) -> str | None:
        """The SHA-256 of what the session reads under this source, if anything."""
        query = sa.select(tables.session_documents.c.sha256).where(
            tables.session_documents.c.session_id == session_id, tables.session_documents.c.source == source
        )
        with self._engine.connect() as connection:
            found: str | None = connection.execute(query).scalar()
        return found

    def hashes(self, session_id: str) -> set[str]:
        """The SHA-256 of the session's documents."""
        query = sa.select(tables.session_documents.c.sha256).where(tables.session_documents.c.session_id == session_id)
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def stored_documents(self, hashes: Iterable[str], loader: str) -> list[Document]:
        """The documents of these SHA-256 as they were first read, in the order of their hashes."""
        with self._engine.connect() as connection:
            return self.stored(connection, hashes, loader)

    @staticmethod
    def stored(connection: sa.Connection, hashes: Iterable[str], loader: str) -> list[Document]:
        """`stored_documents` within a transaction of the caller."""
        query = sa.select(tables.documents.c.body).where(tables.documents.c.loader == loader)
        found = [
            Document.model_validate_json(body)
            for narrowed in _narrowed(query, tables.documents.c.sha256, hashes)
            for body in connection.execute(narrowed).scalars()
        ]
        return sorted(found, key=lambda document: document.sha256)

    # Artefacts

    def add_artefacts(self, session_id: str, artefacts: Sequence[Artefact]) -> None:
        """Note that these stored bytes belong to the session."""
        with self._engine.begin() as connection:
            for artefact in artefacts:
                connection.execute(
                    self.insert_once(
                        tables.artefacts,
                        session_id=session_id,
                        sha256=artefact.sha256,
                        name=artefact.name,
                        media_type=artefact.media_type,
                        size=artefact.size,
                    )
                )

    @contextmanager
    def exclusive(self) -> Iterator[sa.Connection]:
        """A transaction during which no other process is in one of these: who runs what is decided in them."""
        with self._engine.begin() as connection:
            if self._engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _QUEUE_LOCK})
            yield connection

    def insert(self, table: sa.Table) -> Any:
        """An insert of this engine's dialect, which knows ``ON CONFLICT``."""
        return postgres_insert(table) if self._engine.dialect.name == "postgresql" else sqlite_insert(table)

    def insert_once(self, table: sa.Table, **values: Any) -> sa.Insert:
        """An insert that leaves a row of the same key as it is."""
        statement: sa.Insert = self.insert(table).values(**values).on_conflict_do_nothing()
        return statement


def _narrowed(
    query: sa.Select[Any], column: sa.ColumnElement[str], values: Iterable[str] | None
) -> Iterator[sa.Select[Any]]:
    """The query for these values of a column, in parts that a database takes."""
    if values is None:
        yield query
        return
    wanted = sorted(set(values))
    for at in range(0, len(wanted), 500):
        yield query.where(column.in_(wanted[at : at + 500]))


_RECORDS = sa.select(
    tables.sessions,
    *(column.label(f"review_{column.name}") for column in tables.reviews.c if column.name != "session_id"),
).outerjoin(tables.reviews, tables.reviews.c.session_id == tables.sessions.c.id)


def _record(row: sa.Row[Any]) -> SessionRecord:
    review = None
    if row.review_asked_at is not None:
        review = Review(
            reason=row.review_reason,
            asked_at=row.review_asked_at,
            decision=row.review_decision,
            reviewer=row.review_reviewer,
            note=row.review_note,
            decided_at=row.review_decided_at,
        )
    return SessionRecord(
        id=row.id,
        state=SessionState(row.state),
        options=SessionOptions.model_validate_json(row.options),
        created_at=row.created_at,
        updated_at=row.updated_at,
        error=row.error,
        tenant=row.tenant,
        priority=row.priority,
        unattended=row.unattended,
        owner=row.owner,
        worked_seconds=row.worked_seconds,
        cancel_requested=row.cancel_requested,
        review=review,
    )


def _to_json(document: Document) -> str:
    return json.dumps(document.model_dump(mode="json"), ensure_ascii=True)
