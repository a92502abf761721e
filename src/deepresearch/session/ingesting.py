"""Files into a collection: what is unchanged costs its hash, and a kill at any instant costs one batch at most.

For each batch the documents are stored and linked as pending in one transaction, then their passages go into the
index, then they are marked as indexed, then what they replaced leaves the index. Whatever dies in between is found
and completed by `catch_up` when the next one begins.
"""

from __future__ import annotations

import fnmatch
import glob
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from deepresearch.corpus import LoadLimits, discover, load_many, source_name, source_path, split
from deepresearch.model.base import Value
from deepresearch.model.documents import Document, Passage, RefusedSource
from deepresearch.retrieval import Index
from deepresearch.session.holdings import Holding, Holdings, Read, State
from deepresearch.session.library import Library, dates_of
from deepresearch.session.loading import LOADER_VERSION, file_hash
from deepresearch.session.progress import Step
from deepresearch.session.store import Store

#: A batch ends at whichever comes first: it bounds memory, and what a kill costs.
_DOCUMENTS = 250
_CHARACTERS = 1_000_000

#: Stored documents fetched at once.
_FETCHED = 50


class Ingested(Value):
    """What an ingest did. `documents` and `passages` are those of the whole collection afterwards.

    `added`, `changed`, `unchanged` and `refused` count the files that were looked at; `removed` those whose file
    is gone (only when asked to prune). A file that was read before and is refused now stays as it was.
    """

    collection: str
    files: int
    added: int
    changed: int
    unchanged: int
    removed: int
    completed: int
    documents: int
    passages: int
    refused: tuple[RefusedSource, ...]
    seconds: float


class Stopped(Exception):
    """The ingest was told to stop; what is done is kept."""


class Ingest:
    """One run over one collection. The caller holds the collection's writer lock and its open index."""

    def __init__(
        self,
        name: str,
        store: Store,
        library: Library,
        index: Index,
        on_progress: Callable[[Step], None],
        stop: threading.Event | None = None,
    ) -> None:
        self._name = name
        self._store = store
        self._holdings = Holdings(store)
        self._library = library
        self._index = index
        self._on_progress = on_progress
        self._stop = stop or threading.Event()
        self._passages = 0

    def catch_up(self) -> int:
        """Bring the index to what the database says; gives how many documents had to be indexed."""
        present = self._index.documents()
        missing: set[str] = set()
        known: set[str] = set()
        for holding in self._holdings.holdings(self._name):
            known.add(holding.sha256)
            if holding.state is State.INDEXED and holding.passages and holding.sha256 not in present:
                missing.add(holding.sha256)
        if missing:
            self._holdings.mark_pending(self._name, missing)
        self._index.delete(present - known)
        by_loader: dict[str, list[str]] = {}
        for holding in self._holdings.holdings(self._name, State.PENDING):
            by_loader.setdefault(holding.loader, []).append(holding.sha256)
        total = sum(len(set(hashes)) for hashes in by_loader.values())
        done = 0
        for loader, hashes in by_loader.items():
            wanted = sorted(set(hashes))
            # What is there may be a part only, or of another form.
            self._index.delete([sha256 for sha256 in wanted if sha256 in present])
            for batch in _by_size(self._stored(wanted, loader)):
                self._index_documents(batch, loader)
                done += len(batch)
                self._tell(Step("catch up", done, total, self._passages))
        return done

    def run(self, paths: Sequence[str | Path], *, prune: bool) -> Ingested:
        """Take in every file under `paths`. Raises `UsageError` for a path that is not there or an empty folder."""
        begun = time.monotonic()
        files = discover(paths)
        completed = self.catch_up()
        held = {holding.source: holding for holding in self._holdings.holdings(self._name)}
        todo = self._hash(files, held)
        unchanged = len(files) - len(todo)
        added = changed = 0
        refused: list[RefusedSource] = []
        done = unchanged
        self._tell(Step("index", done, len(files), self._passages))
        for batch in _batches(self._read(todo)):
            reads = [one for one in batch if isinstance(one, Read)]
            refused.extend(one for one in batch if isinstance(one, RefusedSource))
            self._take_in(reads, held)
            changed += sum(read.source in held for read in reads)
            added += sum(read.source not in held for read in reads)
            done += len(batch)
            label = batch[-1].source
            self._tell(Step("index", done, len(files), self._passages, label))
        removed = self._prune(paths, files, held) if prune else []
        record = self._holdings.records(self._name)[0]
        return Ingested(
            collection=self._name,
            files=len(files),
            added=added,
            changed=changed,
            unchanged=unchanged,
            removed=len(removed),
            completed=completed,
            documents=record.documents,
            passages=record.passages,
            refused=tuple(refused),
            seconds=round(time.monotonic() - begun, 3),
        )

    def forget(self, sources: Sequence[str]) -> None:
        """Delete documents: passages first, so that a kill in between leaves no text that nobody knows of."""
        wanted = set(sources)
        leaving = {holding.sha256 for holding in self._holdings.holdings(self._name) if holding.source in wanted}
        staying = {
            sha256
            for sha256, others in self._holdings.sources_of(self._name, leaving).items()
            if not set(others) <= wanted
        }
        self._holdings.mark_pending(self._name, leaving - staying)
        self._index.delete(leaving - staying)
        self._holdings.remove(self._name, sources)

    def _hash(self, files: Sequence[Path], held: dict[str, Holding]) -> list[tuple[Path, str | None]]:
        """The files that are new or changed, with the SHA-256 of those that can be read."""
        limits = LoadLimits()
        todo = []
        for number, file in enumerate(files, 1):
            sha256 = file_hash(file, limits)
            holding = held.get(source_name(file))
            if holding is None or holding.sha256 != sha256 or holding.loader != LOADER_VERSION:
                todo.append((file, sha256))
            if number % 50 == 0 or number == len(files):
                self._tell(Step("hash", number, len(files), self._passages, str(file)))
        return todo

    def _read(self, todo: Sequence[tuple[Path, str | None]]) -> Iterator[Read | RefusedSource]:
        """Each file once, those whose text is stored already first."""
        hashes = {sha256 for _, sha256 in todo if sha256 is not None}
        known = self._store.known_documents(hashes, LOADER_VERSION)
        for file, sha256 in todo:
            if sha256 is not None and sha256 in known:
                yield Read(source=source_name(file), sha256=sha256)
        fresh = [file for file, sha256 in todo if sha256 not in known]
        loading = load_many(fresh)
        try:
            for loaded in loading:
                self._tell(None)
                if isinstance(loaded, RefusedSource):
                    yield loaded
                elif loaded.sha256 in known:
                    # The same bytes under another name: what was stored first counts.
                    yield Read(source=loaded.source, sha256=loaded.sha256)
                else:
                    known.add(loaded.sha256)
                    yield Read(source=loaded.source, sha256=loaded.sha256, document=loaded)
        finally:
            loading.close()

    def _take_in(self, reads: Sequence[Read], held: dict[str, Holding]) -> None:
        renewed = {
            read.sha256
            for read in reads
            if (holding := held.get(read.source)) is not None and holding.sha256 == read.sha256
        }
        replaced = self._holdings.record_batch(self._name, reads, LOADER_VERSION)
        hashes = {read.sha256 for read in reads}
        pending = self._holdings.pending_among(self._name, hashes)
        self._index.delete(renewed & pending)
        fresh = {read.sha256: read.document for read in reads if read.document is not None and read.sha256 in pending}
        self._index_documents(list(fresh.values()), LOADER_VERSION)
        for batch in _by_size(self._stored(sorted(pending - set(fresh)), LOADER_VERSION)):
            self._index_documents(batch, LOADER_VERSION)
        gone = self._holdings.unreferenced(self._name, replaced)
        self._index.delete(gone)
        self._holdings.remove_unneeded(gone)

    def _stored(self, hashes: Sequence[str], loader: str) -> Iterator[Document]:
        """Stored documents, a few in memory at a time."""
        for at in range(0, len(hashes), _FETCHED):
            yield from self._store.stored_documents(hashes[at : at + _FETCHED], loader)

    def _index_documents(self, documents: Sequence[Document], loader: str) -> None:
        if not documents:
            return
        passages: list[Passage] = []
        counts: dict[str, int] = {}
        for document in documents:
            parts = split(document)
            counts[document.sha256] = len({passage.id for passage in parts})
            passages.extend(parts)
        self._library.need_room_for(self._name, sum(len(passage.text) for passage in passages))
        self._index.upsert(passages, dates=dates_of(documents))
        self._holdings.mark_indexed(self._name, counts, loader)
        self._passages += len(passages)

    def _prune(self, paths: Sequence[str | Path], files: Sequence[Path], held: dict[str, Holding]) -> list[str]:
        found = {source_name(file) for file in files}
        gone = [
            source
            for source in held
            if source not in found and any(_is_under(source, path) for path in paths) and _is_gone(source)
        ]
        if gone:
            self.forget(gone)
        return gone

    def _tell(self, step: Step | None) -> None:
        if self._stop.is_set():
            raise Stopped
        if step is not None:
            self._on_progress(step)


def _batches(items: Iterator[Read | RefusedSource]) -> Iterator[list[Read | RefusedSource]]:
    batch: list[Read | RefusedSource] = []
    characters = 0
    for item in items:
        batch.append(item)
        if isinstance(item, Read) and item.document is not None:
            characters += len(item.document.text)
        if len(batch) >= _DOCUMENTS or characters >= _CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _by_size(documents: Iterable[Document]) -> Iterator[list[Document]]:
    batch: list[Document] = []
    characters = 0
    for document in documents:
        batch.append(document)
        characters += len(document.text)
        if len(batch) >= _DOCUMENTS or characters >= _CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _is_under(source: str, given: str | Path) -> bool:
    """Whether a source is the path a person gave, lies in that folder, or fits that glob."""
    path = source_name(os.path.abspath(Path(given).expanduser()))  # noqa: PTH100 - links stay as they are
    if source == path or source.startswith(path.rstrip("/") + "/"):
        return True
    return glob.has_magic(path) and fnmatch.fnmatchcase(source, path)


def _is_gone(source: str) -> bool:
    """Whether the file is certainly no longer there; a folder that may not be looked into proves nothing."""
    try:
        source_path(source).lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False
