"""One worker process that reads files for this one, and is ended when it hangs."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from deepresearch.corpus.file_names import source_name
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.worker import READY, REPLY, REQUEST
from deepresearch.model.documents import Document, RefusedSource

Loaded = Document | RefusedSource
START_SECONDS = 30.0
READ_BYTES = 1 << 20


class WorkerStopped(Exception):
    """The worker was stopped on purpose while a file was read."""


class Worker:
    """Starts a worker process at the first file and again after each that took it down."""

    def __init__(self, limits: LoadLimits) -> None:
        self.limits = limits
        self.process: subprocess.Popen[bytes] | None = None
        self.stopped = False

    def load(self, path: Path) -> Loaded:
        """Read one file. A worker that hangs, crashes or runs out of memory refuses this file.

        Raises `WorkerStopped` after `stop`, `OSError` when no process can be started.
        """
        return self._load(path, os.fsencode(path))

    def load_page(self, path: Path, address: str, media_type: str, charset: str | None) -> Loaded:
        """Read a page of the web whose bytes were put at `path`, under its address. Otherwise as `load`."""
        described = (address, media_type, charset or "")
        return self._load(path, b"\0".join([os.fsencode(path), *(part.encode("utf-8") for part in described)]))

    def _load(self, path: Path, request: bytes) -> Loaded:
        process = self._running()
        try:
            kind, body = self._exchange(process, REQUEST.pack(len(request)) + request)
        except TimeoutError:
            self._end()
            seconds = self.limits.seconds
            return _refused(path, "broken", f"reading it did not end within {seconds:g} seconds; it may be damaged")
        except (EOFError, BrokenPipeError, ConnectionError):
            code = self._end()
            if self.stopped:
                raise WorkerStopped from None
            if code == -signal.SIGKILL:
                return _refused(
                    path, "too_large", "reading it was stopped by the system, most likely for memory; split it"
                )
            return _refused(path, "broken", f"its content brings the reader down (exit {code}); it may be damaged")
        if kind == b"D":
            return Document.model_validate_json(body)
        return RefusedSource.model_validate_json(body)

    def stop(self) -> None:
        """End the process at once. Safe from any thread, more than once."""
        self.stopped = True
        process = self.process
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Stop, and wait until the process is gone."""
        self.stop()
        self._end()

    def _running(self) -> subprocess.Popen[bytes]:
        if self.stopped:
            raise WorkerStopped
        if self.process is None:
            # The package may be on the path only because the caller put it there.
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deepresearch.corpus.worker", self.limits.model_dump_json()],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                env=environment,
                start_new_session=True,
            )
            assert self.process.stdout is not None
            try:
                _read(self.process.stdout.fileno(), len(READY), time.monotonic() + START_SECONDS)
            except (EOFError, TimeoutError):
                self._end()
                if self.stopped:
                    raise WorkerStopped from None
                raise OSError("no worker process could be started") from None
        return self.process

    def _exchange(self, process: subprocess.Popen[bytes], request: bytes) -> tuple[bytes, bytes]:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(request)
        deadline = time.monotonic() + self.limits.seconds
        output = process.stdout.fileno()
        kind, size = REPLY.unpack(_read(output, REPLY.size, deadline))
        return kind, _read(output, size, deadline)

    def _end(self) -> int:
        process, self.process = self.process, None
        if process is None:
            return 0
        if process.poll() is None:
            try:
                # A process that is about to die of its own says more by its own exit code.
                process.wait(0 if self.stopped else 0.2)
            except subprocess.TimeoutExpired:
                process.kill()
        code = process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        return code


def _read(descriptor: int, size: int, deadline: float) -> bytes:
    parts: list[bytes] = []
    missing = size
    while missing:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise TimeoutError
        part = os.read(descriptor, min(missing, READ_BYTES))
        if not part:
            raise EOFError
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def _refused(path: Path, kind: str, reason: str) -> RefusedSource:
    return RefusedSource(source=source_name(path), kind=kind, reason=reason)
