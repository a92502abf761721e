"""One writer at a time in a collection."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Self

from deepresearch.model.errors import IndexingError
from deepresearch.session.file_lock import FileLock


class WriterLock:
    """Held while a process changes a collection. Use it as a context manager.

    Waits at most `wait` seconds for another writer, then raises `IndexingError` that says which process it is.
    """

    def __init__(self, folder: Path, collection: str, wait: float) -> None:
        self._lock = FileLock(folder / f"collection-{collection}.lock")
        self._collection = collection
        self._wait = wait

    def __enter__(self) -> Self:
        holder = self._lock.acquire(self._wait)
        if holder is not None:
            raise IndexingError(
                f"The collection {self._collection} is being written by {holder}. "
                "Wait for it, or end that process and try again."
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._lock.release()
