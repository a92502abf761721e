"""One process at a time in a folder, with good manners: the holder can be asked to let go.

The lock is the kernel's (flock), so it ends with its process however that ends. Whoever waits leaves a file
``wanted`` behind; the holder looks for it and lets go as soon as it is between two operations. The file
``lock`` tells who holds it, for people and for error messages.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from deepresearch.model.errors import IndexingError, StorageError

_PAUSE = 0.02


class FolderLock:
    """The lock of one folder for this process. Not reentrant, not for several threads: its user sees to
    that.
    """

    def __init__(self, folder: Path, name: str = "lock") -> None:
        self._path = folder / name
        self._wanted = folder / f"{name}.wanted"
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process has it."""
        return self._descriptor is not None

    def acquire(self, wait: float) -> None:
        """Takes the lock, waiting at most `wait` seconds. Raises `IndexingError` naming the holder.

        Raises `StorageError` when the lock file cannot be made.
        """
        deadline = time.monotonic() + wait
        asked = False
        descriptor = self._open()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_the_file(descriptor):
                    break
                # Whoever had it has removed the folder meanwhile: the lock is another file by now.
                os.close(descriptor)
                descriptor = self._open()
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 4096, 0).decode("utf-8", "replace").strip()
                    os.close(descriptor)
                    raise IndexingError(
                        f"The index {self._path.parent} is in use by another process "
                        f"({holder or 'unknown'}); wait for it to finish or end it."
                    ) from error
                if not asked or not self._wanted.exists():
                    self._ask()
                    asked = True
                time.sleep(_PAUSE)
        if asked:
            self._wanted.unlink(missing_ok=True)
        command = " ".join(sys.argv)[:500].replace("\n", " ")
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}, {command}".encode("utf-8", "replace"), 0)
        self._descriptor = descriptor

    def remove_folder(self) -> None:
        """Removes the folder, which holds nothing but the lock, and lets go. To be called by the holder only."""
        self._wanted.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        try:
            self._path.parent.rmdir()
        except OSError:
            pass  # somebody has begun to use it again, or keeps something of their own in it
        self.release()

    def _open(self) -> int:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            folder = self._path.parent
            raise StorageError(f"The index folder {folder} cannot be used: {error.strerror}.") from error

    def _is_the_file(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(descriptor))
        except FileNotFoundError:
            return False

    def _ask(self) -> None:
        try:
            self._wanted.touch()
        except FileNotFoundError:
            pass  # the folder has just been removed; the next look finds that out

    def release(self) -> None:
        """Lets go; safe to call without holding it. Leaves whoever asked for it time to take it."""
        if self._descriptor is None:
            return
        os.ftruncate(self._descriptor, 0)
        os.close(self._descriptor)
        self._descriptor = None

    def is_wanted(self) -> bool:
        """Whether another process waits for it."""
        return self._wanted.exists()

    def give_way(self) -> None:
        """After a release: waits a moment until the one who asked has it (or died meanwhile)."""
        deadline = time.monotonic() + 5 * _PAUSE
        while self._wanted.exists() and time.monotonic() < deadline:
            time.sleep(_PAUSE / 4)
        if time.monotonic() >= deadline:
            self._wanted.unlink(missing_ok=True)
