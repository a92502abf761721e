"""The indexes: one for each set of documents, made once and shared by all sessions that read that set, and one for each
named collection.

Sets are this machine's own and can be made again from the store at any time. Named collections live on a Qdrant server
when one is set, where every worker finds the same.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from functools import partial

from deepresearch.corpus import split
from deepresearch.model.documents import Document, Passage
from deepresearch.retrieval import Index
from deepresearch.session.index_places import FolderPlace, IndexPlace, ServerPlace
from deepresearch.settings import Settings

#: Part of every collection's name: another way to split or encode makes another collection.
FORM = "passages-1"

_NAMED = "named-"


def index_name(collection: str) -> str:
    """The name of a named collection's index."""
    return f"{_NAMED}{collection}"


class Library:
    """Indexes by name. An engine is open only while something uses it, so processes can take turns.

    `shared` is where named collections are kept; unless given, what the settings name.
    """

    def __init__(self, settings: Settings, shared: IndexPlace | None = None) -> None:
        self._own = FolderPlace(settings.home / "index")
        self._shared = shared or _shared_place(settings) or self._own
        self._open: dict[str, tuple[Index, int]] = {}
        self._lock = threading.Lock()

    def build(self, documents: Sequence[Document], on_progress: Callable[[int, int], None]) -> tuple[str, int]:
        """Index the documents' passages unless they are already; gives the collection's name and the passages in it.

        `on_progress` gets passages done and in all. Killed and started again, it completes what is missing.
        """
        name = self._name(documents)
        passages = [passage for document in documents for passage in split(document)]
        unique: dict[str, Passage] = {passage.id: passage for passage in passages}
        if not self._own.exists(name):
            self._own.need_room_for(sum(len(passage.text) for passage in unique.values()))
        with self.open(name) as index:
            self._own.note(name, sorted({document.sha256 for document in documents}))
            if index.count() != len(unique):
                index.upsert(
                    unique.values(), dates=dates_of(documents), progress=lambda done: on_progress(done, len(unique))
                )
        return name, len(unique)

    @contextmanager
    def open(self, name: str) -> Iterator[Index]:
        """The collection, open until the last user lets go of it. Raises `IndexingError` when it cannot be had."""
        index = self._take(name)
        try:
            yield index
        finally:
            self._give_back(name)

    def exists(self, name: str) -> bool:
        """Whether there is anything of this index."""
        return self._place(name).exists(name)

    def claim(self, name: str, owner: str) -> bool:
        """Whether the open index is this owner's, which it becomes when it is nobody's. Raises `IndexingError`."""
        return self._place(name).claim(name, owner)

    def remove(self, name: str) -> None:
        """Remove the collection's index; no error when there is none. Raises `IndexingError`, `StorageError`."""
        self._place(name).remove(name)

    def sets_with(self, sha256s: Iterable[str]) -> list[str]:
        """The sets of documents on this machine that hold one of these."""
        return self._own.noted_with(sha256s)

    def need_room_for(self, collection: str, characters: int) -> None:
        """Raise `StorageError` unless a named collection can grow by passages of so many characters."""
        self._place(index_name(collection)).need_room_for(characters)

    def close(self) -> None:
        """Close whatever is still open."""
        with self._lock:
            for index, _ in self._open.values():
                index.close()
            self._open.clear()
        self._own.close()
        self._shared.close()

    def _take(self, name: str) -> Index:
        with self._lock:
            index, users = self._open.get(name, (None, 0))
            if index is None:
                index = self._place(name).open(name)
            self._open[name] = (index, users + 1)
            return index

    def _give_back(self, name: str) -> None:
        with self._lock:
            if name not in self._open:
                return
            index, users = self._open[name]
            if users > 1:
                self._open[name] = (index, users - 1)
                return
            del self._open[name]
            index.close()

    def _place(self, name: str) -> IndexPlace:
        return self._shared if name.startswith(_NAMED) else self._own

    @staticmethod
    def _name(documents: Sequence[Document]) -> str:
        hashes = sorted({document.sha256 for document in documents})
        return "set-" + hashlib.sha256("\n".join([FORM, *hashes]).encode()).hexdigest()[:24]


def dates_of(documents: Iterable[Document]) -> dict[str, date]:
    """The dates that are known, by the SHA-256 of their documents, as `Index.upsert` takes them."""
    return {document.sha256: document.date for document in documents if document.date is not None}


def _shared_place(settings: Settings) -> IndexPlace | None:
    if settings.qdrant_url is None:
        return None
    from deepresearch.retrieval.server import connect

    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key is not None else None
    return ServerPlace(partial(connect, settings.qdrant_url, api_key=key), settings.qdrant_collection)
