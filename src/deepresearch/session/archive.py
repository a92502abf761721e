"""Sessions to look at, without starting anything that could run one."""

from __future__ import annotations

from typing import Any

from deepresearch.model.documents import Document
from deepresearch.model.errors import UnknownSessionError
from deepresearch.model.report import Report
from deepresearch.model.session import SessionEvent, SessionRecord, SessionState
from deepresearch.session.blobs import BlobStore, DatabaseBlobs
from deepresearch.session.database import open_database
from deepresearch.session.leases import new_executor, open_lease
from deepresearch.session.space import MEGABYTE, need_room
from deepresearch.session.store import Store
from deepresearch.settings import Settings


class Archive:
    """What is stored about sessions. Opening it creates or migrates the database; raises `StorageError`."""

    def __init__(self, settings: Settings) -> None:
        need_room(settings.home, 8 * MEGABYTE, "the record of sessions")
        self.locks = settings.home / "locks"
        engine = open_database(settings)
        on_server = engine.dialect.name == "postgresql"
        self.store = Store(engine, DatabaseBlobs(engine) if on_server else BlobStore(settings.home / "artefacts"))
        #: Tells which processes live; whoever runs sessions holds it too.
        self.lease = open_lease(engine, self.locks, new_executor())

    def close(self) -> None:
        """Give back the database connections."""
        self.lease.close()
        self.store.close()

    def sessions(
        self, tenant: str | None = None, *, limit: int | None = None, before: str | None = None
    ) -> list[SessionRecord]:
        """Sessions, newest first, as `Store.sessions` gives them; see `session`."""
        return self._seen(self.store.sessions(tenant, limit=limit, before=before))

    def session(self, session_id: str, tenant: str | None = None) -> SessionRecord:
        """One session; one whose process died is shown as interrupted. Raises `UnknownSessionError`."""
        return self._seen([self.store.session(session_id, tenant)])[0]

    def events(self, session_id: str, after: int = 0) -> list[SessionEvent]:
        """Its events with a number above `after`."""
        return self.store.events(session_id, after)

    def report(self, session_id: str) -> Report | None:
        """Its report, or None while there is none."""
        for key in ("reviewed", "report"):
            stored: Any = self.store.result(session_id, key)
            if stored is not None:
                return Report.model_validate(stored)
        return None

    def documents(self, session_id: str) -> list[Document]:
        """The documents it reads, with their stored text."""
        return self.store.documents(session_id)

    def count_documents(self, session_id: str) -> int:
        """How many documents it reads."""
        return self.store.count_documents(session_id)

    def text(self, session_id: str, sha256: str) -> str:
        """The stored text of one of its documents. Raises `UnknownSessionError` when it has no such document."""
        for document in self.store.documents(session_id, [sha256]):
            return document.text
        raise UnknownSessionError(f"Session {session_id} has no document with SHA-256 {sha256}.")

    def _seen(self, records: list[SessionRecord]) -> list[SessionRecord]:
        owners = {record.owner for record in records if record.owner is not None}
        alive = self.lease.alive(owners) if owners else set()
        return [
            record.model_copy(update={"state": SessionState.INTERRUPTED}) if _is_left(record, alive) else record
            for record in records
        ]


def _is_left(record: SessionRecord, alive: set[str]) -> bool:
    """Whether nobody runs it although somebody began to, or nobody will although it was asked for."""
    if record.state is SessionState.RUNNING:
        return record.owner not in alive
    return record.state is SessionState.QUEUED and not record.unattended and not record.cancel_requested
