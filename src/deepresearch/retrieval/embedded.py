"""The index in a folder of this machine, on Qdrant's own engine inside the process.

The folder holds

    lock            who uses it at the moment (`deepresearch.retrieval.folder_lock`)
    current         the name of the shard in use
    shard-N         the engine's files
    collection.json, terms-N, encoder-N     the notes
    building, changes                       a faster shard in the making, and what has changed meanwhile

The engine lets one process at a time open a shard. A process therefore opens it on first use and closes
it when another asks, so that several may read and write in turns; within one process, everybody shares
it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from deepresearch.model.errors import IndexingError, StorageError
from deepresearch.retrieval.dense import Encoder, Entry
from deepresearch.retrieval.folder_lock import FolderLock
from deepresearch.retrieval.fusion import Fusion
from deepresearch.retrieval.hybrid import HybridIndex
from deepresearch.retrieval.index import Filters
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.shard import Shard
from deepresearch.retrieval.store import Point, VectorQuery, Vectors

CURRENT, BUILDING, CHANGES = "current", "building", "changes"
_WORTH_BUILDING = 40_000  # dense vectors without a graph; fewer are searched one by one in about 2 ms
_SHORTEST_TURN = 0.25  # seconds a process keeps the shard before it lets another have it
_LOOK_AROUND = 0.05  # seconds between two looks whether somebody waits


class EmbeddedIndex(HybridIndex):
    """An index in `folder`, made there when it does not exist.

    `make_encoder` gives the dense encoder (latent semantic analysis unless set). `wait` is how many
    seconds to wait for another process to let go of the folder before `IndexingError` says who holds it.
    `background` allows a child process to build search structures when the collection has grown a lot.
    """

    def __init__(
        self,
        folder: Path,
        make_encoder: Callable[[], Encoder] = LatentSemanticEncoder,
        *,
        wait: float = 10.0,
        background: bool = True,
        fusion: Fusion | None = None,
    ) -> None:
        store = EmbeddedStore.of(folder, make_encoder().dimension, wait, background=background)
        try:
            super().__init__(store, make_encoder, str(folder), fusion)
        except BaseException:
            store.close()
            raise


class EmbeddedStore:
    """A `PointStore` in a folder, shared by all of a process that use the folder."""

    _shared: dict[tuple[int, str], EmbeddedStore] = {}  # noqa: RUF012
    _sharing = threading.Lock()

    def __init__(self, folder: Path, dimension: int, wait: float, *, background: bool) -> None:
        self._folder = folder
        self._dimension = dimension
        self._wait = wait
        self._background = background
        self._users = 0
        self._mutex = threading.RLock()
        self._depth = 0
        self._lock = FolderLock(folder)
        self._open: Shard | None = None
        self._opened_at = 0.0
        self._version = 0
        self._watcher: threading.Thread | None = None
        self._size: int | None = None  # counting takes a millisecond

    @classmethod
    def of(cls, folder: Path, dimension: int, wait: float, *, background: bool) -> EmbeddedStore:
        """The store of this folder. Raises `StorageError` when the folder cannot be made."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            key = (os.getpid(), str(folder.resolve(strict=True)))
        except OSError as error:
            raise StorageError(f"The index folder {folder} cannot be made: {error.strerror}.") from error
        with cls._sharing:
            store = cls._shared.get(key)
            if store is None:
                store = cls._shared[key] = cls(folder, dimension, wait, background=background)
            store._users += 1
            return store

    @property
    def version(self) -> int:
        """Changes with every note that is written here and every time another process had the folder."""
        return self._version

    @contextmanager
    def session(self) -> Iterator[None]:
        """The shard, open, for this thread alone."""
        with self._mutex:
            if self._open is None:
                self._take()
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if self._depth == 0:
                    self._make_room()

    def look(self) -> None:
        """Nothing to see: nobody else writes while this process has the folder."""

    def alone(self, *, wait: bool) -> AbstractContextManager[bool]:
        """Always: this process has the folder."""
        return nullcontext(True)

    def _take(self) -> None:
        self._lock.acquire(self._wait)
        try:
            self._open = Shard(current_shard(self._folder), self._dimension)
        except BaseException:
            self._lock.release()
            raise
        self._version += 1
        self._size = None
        self._opened_at = time.monotonic()
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="index-turns", daemon=True)
            self._watcher.start()

    def _make_room(self) -> None:
        """Lets another process have the folder, if one waits and this one had its turn."""
        if self._open is not None and time.monotonic() - self._opened_at >= _SHORTEST_TURN and self._lock.is_wanted():
            self._let_go()
            self._lock.give_way()

    def _watch(self) -> None:
        while True:
            time.sleep(_LOOK_AROUND)
            with self._mutex:
                if self._open is None:
                    self._watcher = None
                    return
                if self._depth == 0:
                    self._make_room()

    def _let_go(self) -> None:
        shard, self._open = self._open, None
        try:
            if shard is not None:
                shard.close()
        finally:
            self._lock.release()

    @property
    def _shard(self) -> Shard:
        if self._open is None:
            raise IndexingError(f"The index {self._folder} is not open.")
        return self._open

    # -- points ----------------------------------------------------------------------------------

    def write(self, points: Sequence[Point], dense_name: str) -> None:
        """Stores points, replacing those of the same id; durable on return."""
        self._size = None
        self._note_changes([point.id for point in points])
        self._shard.write(points, dense_name)

    def write_dense(self, dense_name: str, vectors: Mapping[int, list[float]]) -> None:
        """Sets one dense vector of existing points."""
        self._abandon_building()
        self._shard.write_dense(dense_name, vectors)

    def drop_dense(self, dense_name: str) -> None:
        """Removes one dense vector from all points."""
        self._abandon_building()
        self._shard.drop_dense(dense_name)

    def search(
        self, queries: Sequence[VectorQuery], limit: int, filters: Filters | None
    ) -> list[list[tuple[int, float]]]:
        """For each query: the best points as (id, score), best first."""
        return self._shard.search(queries, limit, filters)

    def payloads(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The payloads of these points."""
        return self._shard.payloads(ids)

    def vectors(self, ids: Sequence[int], dense_name: str) -> dict[int, Vectors]:
        """The vectors of these points."""
        return self._shard.vectors(ids, dense_name)

    def scan(self, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """Every point with its terms, by batches in the order of their ids."""
        return self._shard.scan(batch, with_text=with_text)

    def latecomers(self, dense_name: str, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """None: nobody else writes while this process has the folder."""
        return iter(())

    def delete(self, sha256s: Sequence[str]) -> None:
        """Removes the points of these documents; durable on return."""
        self._size = None
        if (self._folder / BUILDING).exists():
            self._note_changes(self._shard.ids_of(sha256s))
        self._shard.delete(sha256s)

    def documents(self) -> set[str]:
        """Every value of the field ``sha256``."""
        return self._shard.documents()

    def count(self) -> int:
        """The number of points."""
        if self._size is None:
            self._size = self._shard.count()
        return self._size

    def size(self) -> int:
        """The number of points."""
        return self.count()

    # -- notes -----------------------------------------------------------------------------------

    def read_note(self, name: str) -> bytes | None:
        """What `write_note` stored under this name."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def write_note(self, name: str, content: bytes) -> None:
        """Stores bytes under a name: all of them or, when the process dies, none."""
        replace_file(self._folder / name, content)
        self._version += 1

    def remove_note(self, name: str) -> None:
        """Forgets a note."""
        (self._folder / name).unlink(missing_ok=True)

    # -- building beside -------------------------------------------------------------------------

    def _note_changes(self, ids: Sequence[int]) -> None:
        if ids and (self._folder / BUILDING).exists():
            with (self._folder / CHANGES).open("a", encoding="ascii") as file:
                file.writelines(f"{key}\n" for key in ids)

    def _abandon_building(self) -> None:
        """The dense vectors change altogether: a shard being built with the old ones is of no use."""
        if (self._folder / BUILDING).exists():
            shutil.rmtree(self._folder / BUILDING, ignore_errors=True)

    def optimize(self, *, wait: bool) -> None:
        """Has a child process build the graph over the dense vectors, if there are many without one."""
        with self.session():
            wanted = self._shard.unindexed() >= _WORTH_BUILDING
        if not wanted or not (wait or self._background):
            return
        from deepresearch.retrieval.builder import start_builder

        child = start_builder(self._folder)
        if wait:
            _finish(child, self._folder)

    def close(self) -> None:
        """Releases the shard when its last user in this process closes."""
        with self._sharing:
            self._users -= 1
            if self._users > 0:
                return
            for key in [key for key, store in self._shared.items() if store is self]:
                del self._shared[key]
        with self._mutex:
            self._let_go()


def remove_index(folder: Path, wait: float = 10.0) -> None:
    """Removes an index with its folder, so that it can be made again; no error when there is none.

    Raises `IndexingError` when another process keeps it for longer than `wait` seconds.
    """
    if not folder.exists():
        return
    lock = FolderLock(folder)
    lock.acquire(wait)
    try:
        for entry in folder.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            elif not entry.name.startswith("lock"):
                entry.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(f"The index {folder} cannot be removed: {error.strerror}.") from error
    else:
        lock.remove_folder()
    finally:
        lock.release()


def current_shard(folder: Path) -> Path:
    """The shard in use."""
    note = folder / CURRENT
    return folder / (note.read_text("ascii").strip() if note.exists() else "shard-1")


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all. Raises `StorageError` when the disk refuses."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        with fresh.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}.") from error


def _finish(child: subprocess.Popen[bytes], folder: Path) -> None:
    _, complaint = child.communicate()
    if child.returncode != 0:
        reason = complaint.decode("utf-8", "replace").strip().rsplit("\n", 1)[-1]
        raise IndexingError(f"The index {folder} could not be optimised: {reason or child.returncode}.")
