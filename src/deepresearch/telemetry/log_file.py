"""The log file that several processes append to, rotated from outside, and that may fill its disk.

In-process rotation loses lines as soon as two workers share a file, so logrotate (or the container runtime) rotates and
`remove_expired` only deletes what has become too old.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

#: The file in the log folder; rotated ones carry a suffix.
LOG_FILE = "deepresearch.jsonl"

#: After a refusal the file is left alone for so long, then tried again.
RETRY_SECONDS = 30.0

_DAY_SECONDS = 86_400


class LineFileHandler(logging.Handler):
    """Appends each record as one write, so that lines of several processes never mix.

    A file that was moved or removed is made again. When a write is refused (disk full, rights taken away) the program
    goes on: lines are dropped and counted, `on_trouble` is told once, and the file is tried again every
    `RETRY_SECONDS`; when it takes lines again `on_trouble` is told how many are missing.
    """

    def __init__(
        self,
        path: Path,
        on_trouble: Callable[[str], None] = lambda _message: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._path = path
        self._on_trouble = on_trouble
        self._clock = clock
        self._dropped = 0
        self._resume_at = 0.0
        self._descriptor = self._open()

    def _open(self) -> int:
        # Readable for the group: the collector runs as another user.
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; never raises."""
        try:
            line = self.format(record) + "\n"
        except Exception:
            self.handleError(record)
            return
        if self._dropped and self._clock() < self._resume_at:
            self._dropped += 1
            return
        try:
            self._follow()
            data = line.encode("utf-8", "replace")
            written = os.write(self._descriptor, data)
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as refused:
            first = not self._dropped
            self._dropped += 1
            self._resume_at = self._clock() + RETRY_SECONDS
            if first:
                self._on_trouble(
                    f"log file {self._path} takes no more lines ({refused.strerror}); logging goes on without it"
                )
            return
        if self._dropped:
            missing, self._dropped = self._dropped, 0
            self._on_trouble(f"log file {self._path} takes lines again; {missing} are missing from it")

    def _follow(self) -> None:
        """Open the file again when somebody moved or removed it."""
        held = os.fstat(self._descriptor)
        try:
            there = self._path.stat()
        except FileNotFoundError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (held.st_dev, held.st_ino):
            opened = self._open()
            os.close(self._descriptor)
            self._descriptor = opened

    def close(self) -> None:
        """Close the file."""
        self.acquire()
        try:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1
        finally:
            self.release()
        super().close()


def remove_expired(folder: Path, days: int, now: float | None = None) -> list[Path]:
    """Delete rotated log files that were last written more than `days` days ago; gives their paths.

    Only files named like the log file with a suffix are touched (``deepresearch.jsonl-20261128.gz``,
    ``deepresearch.jsonl.1``), never the one being written, never a link. 0 days or fewer keeps everything. What cannot
    be deleted stays for the next time.
    """
    if days <= 0:
        return []
    limit = (time.time() if now is None else now) - days * _DAY_SECONDS
    removed = []
    try:
        rotated = [entry for entry in folder.iterdir() if entry.name.startswith((f"{LOG_FILE}-", f"{LOG_FILE}."))]
    except OSError:
        return []
    for entry in rotated:
        try:
            if not entry.is_symlink() and entry.is_file() and entry.stat().st_mtime < limit:
                entry.unlink()
                removed.append(entry)
        except OSError:
            continue
    return removed
