"""Who is running a session: a lock on a file, which the kernel takes back the instant its process dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from deepresearch.model.errors import SessionBusyError, StorageError


class Ownership:
    """Held while a process runs a session. Use it as a context manager.

    Raises `SessionBusyError` at once when another living process holds it.
    """

    def __init__(self, folder: Path, session_id: str) -> None:
        self._path = folder / f"{session_id}.lock"
        self._session_id = session_id
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"The lock file {self._path} cannot be made: {error.strerror}.") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise SessionBusyError(
                f"Session {self._session_id} is being run by process {holder or 'unknown'}. "
                "Wait for it, or end that process and try again."
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def is_owned(folder: Path, session_id: str) -> bool:
    """Whether a living process is running the session."""
    try:
        with Ownership(folder, session_id):
            return False
    except SessionBusyError:
        return True
    except StorageError:
        return False
