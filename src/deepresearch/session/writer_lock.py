"""One writer at a time in a collection, on this machine and, over one Postgres, on all of them."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from deepresearch.model.errors import IndexingError
from deepresearch.session.file_lock import FileLock
from deepresearch.session.leases import advisory_key

_PAUSE = 0.1


class WriterLock:
    """Held while a process changes a collection. Use it as a context manager.

    Waits at most `wait` seconds for another writer, then raises `IndexingError` that says which process it is. Over
    Postgres it is an advisory lock of a connection of its own as well, which ends with this process.
    """

    def __init__(self, engine: sa.Engine, folder: Path, collection: str, wait: float) -> None:
        self._engine = engine
        self._file = FileLock(folder / f"collection-{collection}.lock")
        self._collection = collection
        self._wait = wait
        self._connection: sa.Connection | None = None

    def __enter__(self) -> Self:
        end = time.monotonic() + self._wait
        holder = self._file.acquire(self._wait)
        if holder is not None:
            raise self._busy(holder)
        try:
            if self._engine.dialect.name == "postgresql" and not self._take_everywhere(end):
                raise self._busy("a process on another machine")
        except BaseException:
            self._file.release()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._drop()
        self._file.release()

    def _take_everywhere(self, end: float) -> bool:
        self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        key = advisory_key(f"collection {self._collection}")
        try:
            while not self._connection.execute(sa.text("SELECT pg_try_advisory_lock(:key)"), {"key": key}).scalar():
                if time.monotonic() >= end:
                    self._drop()
                    return False
                time.sleep(_PAUSE)
        except BaseException:
            self._drop()
            raise
        return True

    def _drop(self) -> None:
        if self._connection is not None:
            # The lock belongs to the connection: it must end, not go back into the pool.
            connection, self._connection = self._connection, None
            connection.invalidate()
            connection.close()

    def _busy(self, holder: str) -> IndexingError:
        return IndexingError(
            f"The collection {self._collection} is being written by {holder}. "
            "Wait for it, or end that process and try again."
        )
