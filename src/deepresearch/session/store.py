"""What a session keeps: its options, events, stage results, documents and artefacts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from deepresearch.model.documents import Document
from deepresearch.model.errors import UnknownSessionError
from deepresearch.model.mathematics import Artefact
from deepresearch.model.session import SessionEvent, SessionOptions, SessionRecord, SessionState
from deepresearch.session import tables
from deepresearch.session.blobs import BlobStore


def now() -> str:
    """The time as it is stored: ISO 8601, UTC, microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class Store:
    """Everything sessions keep, in one database and one folder. Methods are short transactions; all may raise
    `sqlalchemy.exc.SQLAlchemyError` when the database refuses.
    """

    def __init__(self, engine: sa.Engine, blobs: BlobStore) -> None:
        self._engine = engine
        self.blobs = blobs

    def close(self) -> None:
        """Give back the database connections."""
        self._engine.dispose()

    # Sessions

    def create_session(self, session_id: str, options: SessionOptions) -> None:
        """Record a new session in state queued. An id that exists with the same options is left as it is."""
        at = now()
        with self._engine.begin() as connection:
            connection.execute(
                self._insert_once(
                    tables.sessions,
                    id=session_id,
                    state=SessionState.QUEUED,
                    options=options.model_dump_json(),
                    created_at=at,
                    updated_at=at,
                )
            )

    def session(self, session_id: str) -> SessionRecord:
        """The session of this id. Raises `UnknownSessionError`."""
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(tables.sessions).where(tables.sessions.c.id == session_id)).first()
        if row is None:
            raise UnknownSessionError(
                f"There is no session {session_id!r} here. See them with: deepresearch sessions list"
            )
        return _record(row)

    def sessions(self) -> list[SessionRecord]:
        """All sessions, newest first."""
        query = sa.select(tables.sessions).order_by(tables.sessions.c.created_at.desc(), tables.sessions.c.id)
        with self._engine.connect() as connection:
            return [_record(row) for row in connection.execute(query)]

    def set_state(self, session_id: str, state: SessionState, error: str | None = None) -> None:
        """Change where the session stands."""
        with self._engine.begin() as connection:
            connection.execute(
                sa.update(tables.sessions)
                .where(tables.sessions.c.id == session_id)
                .values(state=state, error=error, updated_at=now())
            )

    # Events

    def add_event(self, session_id: str, kind: str, data: dict[str, Any]) -> SessionEvent:
        """Append an event; numbers count from 1 without gaps."""
        with self._engine.begin() as connection:
            return self._append(connection, session_id, kind, data)

    def events(self, session_id: str, after: int = 0) -> list[SessionEvent]:
        """Events with a number above `after`, in order."""
        query = (
            sa.select(tables.events)
            .where(tables.events.c.session_id == session_id, tables.events.c.number > after)
            .order_by(tables.events.c.number)
        )
        with self._engine.connect() as connection:
            return [
                SessionEvent(
                    session_id=row.session_id, number=row.number, at=row.at, kind=row.kind, data=json.loads(row.data)
                )
                for row in connection.execute(query)
            ]

    def _append(self, connection: sa.Connection, session_id: str, kind: str, data: dict[str, Any]) -> SessionEvent:
        # The session's row is the lock that keeps numbers gapless on both engines.
        connection.execute(
            sa.update(tables.sessions).where(tables.sessions.c.id == session_id).values(updated_at=now())
        )
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

    def finish(self, session_id: str, key: str, value: Any, data: dict[str, Any]) -> SessionEvent:
        """Store a stage's result and its event ``stage.finished`` in one transaction: both or neither."""
        with self._engine.begin() as connection:
            event = self._append(connection, session_id, "stage.finished", {"stage": key, **data})
            connection.execute(
                sa.insert(tables.results).values(
                    session_id=session_id, key=key, value=json.dumps(value, ensure_ascii=False), at=now()
                )
            )
            return event

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

    def add_document(self, document: Document, loader: str) -> None:
        """Keep a document by its hash; the same hash again changes nothing."""
        with self._engine.begin() as connection:
            connection.execute(
                self._insert_once(tables.documents, sha256=document.sha256, loader=loader, body=_to_json(document))
            )

    def link_document(self, session_id: str, source: str, sha256: str, loader: str) -> None:
        """Note that the session reads this document under this source."""
        with self._engine.begin() as connection:
            connection.execute(
                self._insert_once(
                    tables.session_documents,
                    session_id=session_id,
                    source=source,
                    sha256=sha256,
                    loader=loader,
                )
            )

    def documents(self, session_id: str) -> list[Document]:
        """The session's documents in the order of their sources, each under the source it was given as."""
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
            .order_by(tables.session_documents.c.source)
        )
        with self._engine.connect() as connection:
            return [
                Document.model_validate_json(row.body).model_copy(update={"source": row.source})
                for row in connection.execute(query)
            ]

    # Artefacts

    def add_artefacts(self, session_id: str, artefacts: Sequence[Artefact]) -> None:
        """Note that these stored bytes belong to the session."""
        with self._engine.begin() as connection:
            for artefact in artefacts:
                connection.execute(
                    self._insert_once(
                        tables.artefacts,
                        session_id=session_id,
                        sha256=artefact.sha256,
                        name=artefact.name,
                        media_type=artefact.media_type,
                        size=artefact.size,
                    )
                )

    def _insert_once(self, table: sa.Table, **values: Any) -> sa.Insert:
        insert = postgres_insert if self._engine.dialect.name == "postgresql" else sqlite_insert
        return insert(table).values(**values).on_conflict_do_nothing()


def _record(row: sa.Row[Any]) -> SessionRecord:
    return SessionRecord(
        id=row.id,
        state=SessionState(row.state),
        options=SessionOptions.model_validate_json(row.options),
        created_at=row.created_at,
        updated_at=row.updated_at,
        error=row.error,
    )


def _to_json(document: Document) -> str:
    return json.dumps(document.model_dump(mode="json"), ensure_ascii=True)
