"""One writer at a time in a collection; the kernel takes the lock back the instant its process dies."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from deepresearch.model.errors import IndexingError, StorageError

_PAUSE = 0.05


class WriterLock:
    """Held while a process changes a collection. Use it as a context manager.

    Waits at most `wait` seconds for another writer, then raises `IndexingError` that says which process it is.
    """

    def __init__(self, folder: Path, collection: str, wait: float) -> None:
        self._path = folder / f"collection-{collection}.lock"
        self._collection = collection
        self._wait = wait
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"The lock file {self._path} cannot be made: {error.strerror}.") from error
        deadline = time.monotonic() + self._wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 4096, 0).decode("utf-8", "replace").strip()
                    os.close(descriptor)
                    raise IndexingError(
                        f"The collection {self._collection} is being written by {holder or 'another process'}. "
                        "Wait for it, or end that process and try again."
                    ) from None
                time.sleep(_PAUSE)
        command = " ".join(sys.argv)[:200].replace("\n", " ")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} ({command})".encode("utf-8", "replace"), 0)
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
