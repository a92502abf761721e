"""Sessions to look at, without starting anything that could run one."""

from __future__ import annotations

from typing import Any

from deepresearch.model.documents import Document
from deepresearch.model.errors import UnknownSessionError
from deepresearch.model.report import Report
from deepresearch.model.session import SessionEvent, SessionRecord, SessionState
from deepresearch.session.blobs import BlobStore
from deepresearch.session.database import open_database
from deepresearch.session.ownership import is_owned
from deepresearch.session.space import MEGABYTE, need_room
from deepresearch.session.store import Store
from deepresearch.settings import Settings


class Archive:
    """What is stored about sessions. Opening it creates or migrates the database; raises `StorageError`."""

    def __init__(self, settings: Settings) -> None:
        need_room(settings.home, 8 * MEGABYTE, "the record of sessions")
        self.locks = settings.home / "locks"
        self.store = Store(open_database(settings), BlobStore(settings.home / "artefacts"))

    def close(self) -> None:
        """Give back the database connections."""
        self.store.close()

    def sessions(self) -> list[SessionRecord]:
        """All sessions, newest first; one that was running when its process died is shown as interrupted."""
        return [self._seen(record) for record in self.store.sessions()]

    def session(self, session_id: str) -> SessionRecord:
        """One session. Raises `UnknownSessionError`."""
        return self._seen(self.store.session(session_id))

    def events(self, session_id: str, after: int = 0) -> list[SessionEvent]:
        """Its events with a number above `after`."""
        return self.store.events(session_id, after)

    def report(self, session_id: str) -> Report | None:
        """Its report, or None while there is none."""
        stored: Any = self.store.result(session_id, "report")
        return None if stored is None else Report.model_validate(stored)

    def documents(self, session_id: str) -> list[Document]:
        """The documents it reads, with their stored text."""
        return self.store.documents(session_id)

    def text(self, session_id: str, sha256: str) -> str:
        """The stored text of one of its documents. Raises `UnknownSessionError` when it has no such document."""
        for document in self.store.documents(session_id, [sha256]):
            return document.text
        raise UnknownSessionError(f"Session {session_id} has no document with SHA-256 {sha256}.")

    def _seen(self, record: SessionRecord) -> SessionRecord:
        if record.state in (SessionState.RUNNING, SessionState.QUEUED) and not is_owned(self.locks, record.id):
            return record.model_copy(update={"state": SessionState.INTERRUPTED})
        return record
