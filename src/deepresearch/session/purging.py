"""Removing a session without a trace: rows, texts, vectors, artefacts, report folders and log lines."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deepresearch.model.base import Value
from deepresearch.model.errors import SessionStateError
from deepresearch.model.session import SessionRecord, SessionState
from deepresearch.session import audit
from deepresearch.session.holdings import remove_unneeded
from deepresearch.session.library import Library
from deepresearch.session.run_journal import RunJournal
from deepresearch.session.store import Store
from deepresearch.session.tables import artefacts, results, session_documents, sessions
from deepresearch.settings import Settings


class Purged(Value):
    """What was removed of a session: stored texts, artefacts and files that nothing else uses, and log lines."""

    session_id: str
    artefacts: int
    files: int
    log_lines: int


class Purging:
    """Purges sessions of one store. What other sessions or collections use as well stays for them."""

    def __init__(self, settings: Settings, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._library = Library(settings)

    def purge(self, record: SessionRecord, *, actor: str) -> Purged:
        """Remove everything of this session. Raises `SessionStateError` while it runs.

        Files go first and the rows last, so that a purge that was killed can be done again.
        """
        if record.state is SessionState.RUNNING:
            raise SessionStateError(
                f"Session {record.id} is running. Cancel it first: deepresearch sessions cancel {record.id}"
            )
        files = self._remove_reports(record)
        RunJournal(self._settings.home / "runs").forget_session(record.id)
        self._remove_index(record.id)
        lines = remove_log_lines(self._settings.log_dir, record.id)
        with self._store.exclusive() as connection:
            running = connection.execute(
                sa.select(sessions.c.state).where(sessions.c.id == record.id, sessions.c.owner.is_not(None))
            ).scalar()
            if running == SessionState.RUNNING and record.owner is None:
                raise SessionStateError(f"Session {record.id} has just begun to run. Cancel it first.")
            hashes = set(
                connection.execute(
                    sa.select(session_documents.c.sha256).where(session_documents.c.session_id == record.id)
                ).scalars()
            )
            blobs = self._own_artefacts(connection, record.id)
            connection.execute(sa.delete(sessions).where(sessions.c.id == record.id))
            remove_unneeded(connection, hashes)
            for sha256 in blobs:
                self._store.blobs.remove(sha256)
            audit.note(connection, "session.purge", actor=actor, tenant=record.tenant, session_id=record.id)
        self._remove_vectors(hashes)
        return Purged(session_id=record.id, artefacts=len(blobs), files=files, log_lines=lines)

    def older_than(self, days: float, *, actor: str, tenant: str | None = None) -> list[Purged]:
        """Purge all sessions that ended so many days ago, of a tenant or of all."""
        edge = datetime.now(UTC) - timedelta(days=days)
        before = edge.isoformat(timespec="microseconds").replace("+00:00", "Z")
        old = [record for record in self._store.sessions(tenant) if _is_over(record) and record.updated_at < before]
        return [self.purge(record, actor=actor) for record in old]

    def _own_artefacts(self, connection: sa.Connection, session_id: str) -> list[str]:
        """The SHA-256 of artefacts that no other session has."""
        others = sa.select(artefacts.c.sha256).where(artefacts.c.session_id != session_id)
        query = (
            sa.select(artefacts.c.sha256)
            .where(artefacts.c.session_id == session_id, artefacts.c.sha256.not_in(others))
            .distinct()
        )
        return list(connection.execute(query).scalars())

    def _remove_index(self, session_id: str) -> None:
        """Remove the indexes of the session's own documents unless another session searches them."""
        query = sa.select(results.c.value).where(
            results.c.session_id == session_id, sa.or_(results.c.key == "index", results.c.key.startswith("read:"))
        )
        with self._store.engine.connect() as connection:
            stored = [json.loads(value) for value in connection.execute(query).scalars()]
        names = {one.get("collection") for one in stored} | {name for one in stored for name in one.get("indexes", ())}
        for name in sorted(names - {None}):
            self._remove_one_index(session_id, name)

    def _remove_one_index(self, session_id: str, name: str) -> None:
        query = sa.select(results.c.session_id).where(
            sa.or_(results.c.key == "index", results.c.key.startswith("read:")),
            results.c.session_id != session_id,
            results.c.value.contains(name, autoescape=True),
        )
        with self._store.engine.connect() as connection:
            shared = connection.execute(query.limit(1)).first() is not None
        if not shared and self._library.exists(name):
            self._library.remove(name)

    def _remove_vectors(self, hashes: set[str]) -> None:
        """Remove the indexes of this machine that hold a document which nothing refers to any more.

        A stage that was killed or cancelled may have made one without storing its name.
        """
        query = sa.select(session_documents.c.sha256).distinct()
        with self._store.engine.connect() as connection:
            needed = {sha256 for sha256 in connection.execute(query).scalars() if sha256 in hashes}
        for name in self._library.sets_with(hashes - needed):
            self._library.remove(name)

    def _remove_reports(self, record: SessionRecord) -> int:
        own = self._settings.home / "reports" / record.id
        files = sum(1 for path in own.rglob("*") if path.is_file()) if own.is_dir() else 0
        shutil.rmtree(own, ignore_errors=True)
        # Documents that came with a request over the API.
        shutil.rmtree(self._settings.home / "uploads" / "sessions" / record.id, ignore_errors=True)
        if record.options.out is None:
            return files
        return files + sum(_remove_file(path) for path in self._written(record.id, Path(record.options.out)))

    def _written(self, session_id: str, folder: Path) -> Iterator[Path]:
        """The files that the session wrote into a folder of the person's own."""
        for key in ("report", "reviewed"):
            report: Any = self._store.result(session_id, key)
            if report is None:
                continue
            yield from (Path(path) for path in report["paths"].values())
            yield from (folder / figure["path"] for figure in report["figures"])


def remove_log_lines(folder: Path | None, session_id: str) -> int:
    """Take every line that names the session out of the JSON log files in `folder`; gives how many.

    A file is replaced in one step. Handlers that watch their file (as ours do) open the new one; a line written in
    the same moment by another process may still reach the old one and is then lost with it.
    """
    if folder is None or not folder.is_dir():
        return 0
    removed = 0
    needle = session_id.encode()
    for path in sorted(folder.glob("deepresearch.jsonl*")):
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if needle not in line]
        if len(kept) == len(lines):
            continue
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(b"".join(kept))
        shutil.copymode(path, fresh)
        fresh.replace(path)
        removed += len(lines) - len(kept)
    return removed


def _is_over(record: SessionRecord) -> bool:
    return record.state in (SessionState.COMPLETED, SessionState.FAILED, SessionState.CANCELLED)


def _remove_file(path: Path) -> int:
    """Remove a file, and its folder if that was the last one in it."""
    try:
        path.unlink()
    except OSError:
        return 0
    for folder in _up(path.parent):
        try:
            folder.rmdir()
        except OSError:
            break
    return 1


def _up(folder: Path) -> Sequence[Path]:
    return (folder, folder.parent) if folder.name == "figures" else (folder,)
