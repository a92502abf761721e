"""Where indexes are kept: in folders of this machine, or on a Qdrant server that many workers share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval import EmbeddedIndex, Index, remove_index
from deepresearch.session.space import MEGABYTE, need_room

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

#: Bytes an engine takes for itself, and for each character of the passages, measured generously.
_EMPTY_COLLECTION = 40 * MEGABYTE
_TIMES_THE_TEXT = 12

#: The file that names an index's documents by their SHA-256.
_DOCUMENTS = "documents.txt"

#: Seconds to wait for another process that is using the same collection.
PATIENCE = 120.0


class IndexPlace(Protocol):
    """Indexes by name. Methods raise `IndexingError` when the place cannot be used."""

    def open(self, name: str) -> Index:
        """The index of this name, made when it does not exist."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is anything of this index."""
        ...

    def claim(self, name: str, owner: str) -> bool:
        """Whether the open index is this owner's, which it becomes when it is nobody's."""
        ...

    def remove(self, name: str) -> None:
        """Remove the index; no error when there is none."""
        ...

    def need_room_for(self, characters: int) -> None:
        """Raise `StorageError` unless there is room to index passages of so many characters more."""
        ...

    def close(self) -> None:
        """Give back connections; the indexes are closed before."""
        ...


class FolderPlace:
    """Each index in a folder of its own. See `IndexPlace`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def open(self, name: str) -> Index:
        """See `IndexPlace`. Processes take turns; waits for another at most `PATIENCE` seconds."""
        return EmbeddedIndex(self._folder / name, wait=PATIENCE)

    def exists(self, name: str) -> bool:
        """See `IndexPlace`."""
        return (self._folder / name / "collection.json").exists()

    def claim(self, name: str, owner: str) -> bool:
        """See `IndexPlace`. A data folder goes with one database."""
        return True

    def remove(self, name: str) -> None:
        """See `IndexPlace`. Raises `StorageError` too."""
        remove_index(self._folder / name, wait=PATIENCE)

    def note(self, name: str, sha256s: Sequence[str]) -> None:
        """Write beside the index which documents it holds, so that it can be found by them."""
        note = self._folder / name / _DOCUMENTS
        if not note.exists():
            note.write_text("\n".join(sha256s))

    def noted_with(self, sha256s: Iterable[str]) -> list[str]:
        """The indexes noted to hold one of these documents."""
        wanted = set(sha256s)
        notes = sorted(self._folder.glob(f"*/{_DOCUMENTS}")) if wanted else []
        return [note.parent.name for note in notes if wanted & set(note.read_text().split())]

    def need_room_for(self, characters: int) -> None:
        """See `IndexPlace`."""
        need_room(self._folder, _EMPTY_COLLECTION + _TIMES_THE_TEXT * characters, "the index of these documents")

    def close(self) -> None:
        """See `IndexPlace`."""


class ServerPlace:
    """Each index as a collection of a Qdrant server, named `prefix` and its own name. See `IndexPlace`.

    `connect` makes the client on first use, so that a command that searches nothing needs no server.
    """

    def __init__(self, connect: Callable[[], QdrantClient], prefix: str) -> None:
        self._connect = connect
        self._prefix = prefix
        self._connected: QdrantClient | None = None
        self._lock = threading.Lock()

    def open(self, name: str) -> Index:
        """See `IndexPlace`."""
        from deepresearch.retrieval.server import ServerIndex

        return ServerIndex(self._client(), self._name(name))

    def exists(self, name: str) -> bool:
        """See `IndexPlace`."""
        from deepresearch.retrieval.server import collection_exists

        return collection_exists(self._client(), self._name(name))

    def claim(self, name: str, owner: str) -> bool:
        """See `IndexPlace`."""
        from deepresearch.retrieval.server import belongs_to

        return belongs_to(self._client(), self._name(name), owner)

    def remove(self, name: str) -> None:
        """See `IndexPlace`."""
        from deepresearch.retrieval.server import remove_collection

        remove_collection(self._client(), self._name(name))

    def need_room_for(self, characters: int) -> None:
        """See `IndexPlace`. The server looks after its own disk, and says so when it is full."""

    def close(self) -> None:
        """See `IndexPlace`."""
        with self._lock:
            if self._connected is not None:
                self._connected.close()
                self._connected = None

    def _client(self) -> QdrantClient:
        with self._lock:
            if self._connected is None:
                self._connected = self._connect()
            return self._connected

    def _name(self, name: str) -> str:
        if "/" in name:
            raise IndexingError(f"{name!r} cannot name a collection of a Qdrant server.")
        return f"{self._prefix}-{name}"
