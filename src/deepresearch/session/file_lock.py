"""A lock on a file, which the kernel takes back the instant its process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from deepresearch.model.errors import StorageError

_PAUSE = 0.05


class FileLock:
    """The lock of one file for this process. Not reentrant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, wait: float = 0.0) -> str | None:
        """Take it, waiting at most `wait` seconds. None when it is ours, else who holds it in words.

        Raises `StorageError` when the file cannot be made.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(
                f"The lock file {self._path} cannot be made: {error.strerror}. "
                "Set DEEPRESEARCH_HOME to a folder you may write."
            ) from error
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 4096, 0).decode("utf-8", "replace").strip()
                    os.close(descriptor)
                    return holder or "another process"
                time.sleep(_PAUSE)
        command = " ".join(sys.argv)[:200].replace("\n", " ")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} ({command})".encode("utf-8", "replace"), 0)
        self._descriptor = descriptor
        return None

    def release(self, *, remove: bool = False) -> None:
        """Let go; safe to call without holding it. With `remove` the file goes too: only for names used once."""
        if self._descriptor is None:
            return
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = None


def is_locked(path: Path) -> bool:
    """Whether a living process holds the lock of this file. For locks that are taken once, right after they are named."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
