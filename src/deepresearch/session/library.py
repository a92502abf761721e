"""The indexes of sessions: one for each set of documents, made once and shared by all sessions that read that set."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepresearch.corpus import split
from deepresearch.model.documents import Document, Passage
from deepresearch.retrieval import EmbeddedIndex, Index, remove_index
from deepresearch.session.space import MEGABYTE, need_room
from deepresearch.settings import Settings

#: Part of every collection's name: another way to split or encode makes another collection.
FORM = "passages-1"

#: Bytes an engine takes for itself, and for each character of the passages, measured generously.
_EMPTY_COLLECTION = 40 * MEGABYTE
_TIMES_THE_TEXT = 12

#: Seconds to wait for another process that is using the same collection.
_PATIENCE = 120.0


class Library:
    """Collections in the data folder. An engine is open only while something uses it, so processes can take turns."""

    def __init__(self, settings: Settings) -> None:
        self._folder: Path = settings.home / "index"
        self._open: dict[str, tuple[Index, int]] = {}
        self._lock = threading.Lock()

    def build(self, documents: Sequence[Document], on_progress: Callable[[int, int], None]) -> tuple[str, int]:
        """Index the documents' passages unless they are already; gives the collection's name and the passages in it.

        `on_progress` gets passages done and in all. Killed and started again, it completes what is missing.
        """
        name = self._name(documents)
        passages = [passage for document in documents for passage in split(document)]
        unique: dict[str, Passage] = {passage.id: passage for passage in passages}
        if not (self._folder / name).exists():
            self.need_room_for(sum(len(passage.text) for passage in unique.values()))
        with self.open(name) as index:
            if index.count() != len(unique):
                dates = {document.sha256: document.date for document in documents if document.date is not None}
                index.upsert(unique.values(), dates=dates, progress=lambda done: on_progress(done, len(unique)))
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
        """Whether there is anything of this collection on the disk."""
        return (self._folder / name / "collection.json").exists()

    def remove(self, name: str, *, for_good: bool = False) -> None:
        """Remove the collection's index, with its folder when it is `for_good`; no error when there is none.

        Raises `IndexingError`, `StorageError`.
        """
        remove_index(self._folder / name, wait=_PATIENCE, for_good=for_good)

    def need_room_for(self, characters: int) -> None:
        """Raise `StorageError` unless the disk has room to index passages of so many characters more."""
        need_room(self._folder, _EMPTY_COLLECTION + _TIMES_THE_TEXT * characters, "the index of these documents")

    def close(self) -> None:
        """Close whatever is still open."""
        with self._lock:
            for index, _ in self._open.values():
                index.close()
            self._open.clear()

    def _take(self, name: str) -> Index:
        with self._lock:
            index, users = self._open.get(name, (None, 0))
            if index is None:
                index = EmbeddedIndex(self._folder / name, wait=_PATIENCE)
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

    @staticmethod
    def _name(documents: Sequence[Document]) -> str:
        hashes = sorted({document.sha256 for document in documents})
        return "set-" + hashlib.sha256("\n".join([FORM, *hashes]).encode()).hexdigest()[:24]
