"""Many files, in order, with the dangerous ones read by worker processes."""

from __future__ import annotations

import io
import os
import threading
import zipfile
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from deepresearch.corpus.isolation import Loaded, Worker, WorkerStopped
from deepresearch.corpus.limits import LoadLimits
from deepresearch.corpus.loading import DEFAULT_LIMITS, load
from deepresearch.corpus.reading import HEAD_BYTES
from deepresearch.corpus.sniffing import is_pdf, is_zip
from deepresearch.model.documents import RefusedSource
from deepresearch.model.errors import SourceError

Progress = Callable[[int, int, Path], None]

# Files that cannot do harm within these sizes are read at once: a process costs more than they do.
SMALL_TEXT_BYTES = 3_000_000
SMALL_UNPACKED_BYTES = 12_000_000
# From so many Office files on, two processes are faster than one.
MANY_OFFICE_FILES = 40
# How many documents may be ready before their turn; bounds memory.
AHEAD = 32
FILES_A_WORKER = 8


def load_many(
    paths: Sequence[str | Path],
    limits: LoadLimits = DEFAULT_LIMITS,
    on_progress: Progress | None = None,
    *,
    workers: int | None = None,
) -> Generator[Loaded, None, None]:
    """Read `paths` and yield a `Document` or a `RefusedSource` for each, in their order.

    PDFs, large files and large archives are read by at most `workers` processes (two, or one on one core) with
    bounded memory and time; small text and Office files here, meanwhile. A file whose reader hangs or dies is
    refused and the rest goes on. `on_progress` is called after each file with (done, total, path). Closing the
    iterator, or Ctrl-C, ends the processes at once.
    """
    files = [Path(path) for path in paths]
    count = workers if workers is not None else max(1, min(2, os.cpu_count() or 1))
    run = _Run(files, limits, count)
    try:
        for number, path in enumerate(files):
            yield run.take(number)
            if on_progress is not None:
                on_progress(number + 1, len(files), path)
    finally:
        run.stop()


class _Run:
    def __init__(self, files: list[Path], limits: LoadLimits, workers: int) -> None:
        self.files = files
        self.limits = limits
        self.changed = threading.Condition()
        self.ready: dict[int, Loaded | BaseException] = {}
        self.position = 0
        self.stopping = False
        needs = [_needs_worker(path) for path in files]
        office = sum(need == "office" for need in needs)
        isolated = [need == "worker" or (need == "office" and office >= MANY_OFFICE_FILES) for need in needs]
        self.here = [number for number, alone in enumerate(isolated) if not alone]
        self.there = [number for number, alone in enumerate(isolated) if alone]
        self.isolated = isolated
        self.next_here = self.next_there = 0
        # A second process is worth its start only when there is enough to read.
        enough = -(-len(self.there) // FILES_A_WORKER)
        self.workers = [Worker(limits) for _ in range(min(workers, enough))]
        self.threads = [threading.Thread(target=self._serve, args=(worker,), daemon=True) for worker in self.workers]
        for thread in self.threads:
            thread.start()

    def take(self, number: int) -> Loaded:
        """The result for one file; while it is awaited, files of this process are read ahead."""
        with self.changed:
            self.position = number
            self.changed.notify_all()
        while True:
            with self.changed:
                if number in self.ready:
                    result = self.ready.pop(number)
                    break
                ahead = self._next_here(number)
                if ahead is None:
                    # A bounded wait keeps Ctrl-C quick on every platform.
                    self.changed.wait(0.2)
                    continue
            loaded = _load_here(self.files[ahead], self.limits)
            if ahead == number:
                return loaded
            with self.changed:
                self.ready[ahead] = loaded
        if isinstance(result, BaseException):
            raise result
        return result

    def stop(self) -> None:
        """End the workers and their threads."""
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        for worker in self.workers:
            worker.stop()
        for thread in self.threads:
            thread.join()

    def _next_here(self, number: int) -> int | None:
        if self.next_here >= len(self.here):
            return None
        ahead = self.here[self.next_here]
        if ahead > number + AHEAD:
            return None
        self.next_here += 1
        return ahead

    def _serve(self, worker: Worker) -> None:
        """Give one worker file after file, never further ahead than memory allows."""
        try:
            while (number := self._next_there()) is not None:
                result: Loaded | BaseException
                try:
                    result = worker.load(self.files[number])
                except WorkerStopped:
                    return
                except OSError:
                    # No process can be started here: read it in this one.
                    result = _load_here(self.files[number], self.limits)
                except BaseException as error:
                    result = error
                with self.changed:
                    self.ready[number] = result
                    self.changed.notify_all()
        finally:
            worker.close()

    def _next_there(self) -> int | None:
        with self.changed:
            while not self.stopping and self.next_there < len(self.there):
                number = self.there[self.next_there]
                if number <= self.position + AHEAD:
                    self.next_there += 1
                    return number
                self.changed.wait()
        return None


def _load_here(path: Path, limits: LoadLimits) -> Loaded:
    try:
        return load(path, limits)
    except SourceError as error:
        return RefusedSource(source=error.path, kind=error.kind, reason=error.reason)


def _needs_worker(path: Path) -> str:
    """``worker`` for what may hang, crash or fill the memory, ``office`` for a small Office file, else ``here``."""
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD_BYTES)
            if is_pdf(head):
                return "worker"
            if is_zip(head):
                return "office" if size < SMALL_UNPACKED_BYTES and _unpacked(file) < SMALL_UNPACKED_BYTES else "worker"
            return "worker" if size > SMALL_TEXT_BYTES else "here"
    except (OSError, ValueError):
        return "here"  # where `load` says what is wrong with it


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def _unpacked(file: io.BufferedReader) -> int:
    try:
        with zipfile.ZipFile(file) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except Exception:
        # A damaged archive raises many things; `load` refuses it in words.
        return 0
