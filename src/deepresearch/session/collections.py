"""Named collections: take in, search, look at, delete, make the index again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deepresearch.corpus import discover, nothing_readable, source_name
from deepresearch.corpus.file_names import absolute
from deepresearch.model.base import Value
from deepresearch.model.errors import IndexingError, NoReadableSourceError, UsageError
from deepresearch.retrieval import Filters, Index
from deepresearch.session.found import Found, SearchResult, check_search, fits, none_named, why_nothing
from deepresearch.session.holdings import CollectionRecord, Holding, Holdings
from deepresearch.session.ingesting import Ingest, Ingested
from deepresearch.session.library import FORM, Library, index_name
from deepresearch.session.names import checked_name
from deepresearch.session.progress import Step
from deepresearch.session.search import sifted
from deepresearch.session.store import Store
from deepresearch.session.writer_lock import WriterLock

#: Seconds to wait for another process that writes the same collection.
PATIENCE = 60.0

#: Named sources become a filter of the engine up to this many documents; beyond, hits are sifted afterwards.
_FILTERED = 2_000


class Rebuilt(Value):
    """An index made again from the store."""

    collection: str
    documents: int
    passages: int


def _ignore(_step: Step) -> None:
    """Progress that nobody watches."""


class Collections:
    """The named collections of one data folder.

    Every method but `ingest` raises `UsageError` for a collection that does not exist, naming those that do.
    """

    def __init__(self, store: Store, library: Library, locks: Path) -> None:
        self._store = store
        self._library = library
        self._locks = locks
        self.holdings = Holdings(store)

    def records(self) -> list[CollectionRecord]:
        """All collections by name."""
        return self.holdings.records()

    def record(self, name: str) -> CollectionRecord:
        """One collection."""
        self.check(name)
        return self.holdings.records(name)[0]

    def documents(self, name: str) -> Iterator[Holding]:
        """The files of a collection by source."""
        self.check(name)
        return self.holdings.holdings(name)

    def ingest(
        self,
        name: str,
        paths: Sequence[str | Path],
        *,
        prune: bool = False,
        wait: float = PATIENCE,
        on_progress: Callable[[Step], None] = _ignore,
        stop: threading.Event | None = None,
    ) -> Ingested:
        """Take the files under `paths` into a collection, which is made when it does not exist.

        Running it again takes in what is new or changed; with `prune` documents under `paths` whose file is gone are
        removed. Interrupted in any way, the next run completes it.

        Raises `UsageError` for a path or a name that cannot be used, `NoReadableSourceError` when no file could be
        read, `IndexingError` when another process goes on writing the collection for `wait` seconds, `StorageError`,
        and `Stopped` once `stop` is set.
        """
        checked_name(name)
        with WriterLock(self._store.engine, self._locks, name, wait):
            is_new = self.holdings.form(name) is None
            if is_new:
                # A path that is not there leaves no empty collection behind.
                discover(paths)
            self.holdings.create(name, FORM)
            self._renew_if_made_otherwise(name)
            with self._open(name) as index:
                run = Ingest(name, self._store, self._library, index, on_progress, stop)
                ingested = run.run(paths, prune=prune)
            if ingested.files == len(ingested.refused):
                if is_new:
                    self._library.remove(index_name(name))
                    self.holdings.delete(name)
                raise NoReadableSourceError(nothing_readable(ingested.refused))
            return ingested

    def search(
        self, name: str, text: str, *, limit: int = 10, kinds: Sequence[str] = (), sources: Sequence[str] = ()
    ) -> SearchResult:
        """The passages of a collection that fit the text best.

        `kinds` are ``prose`` or ``table``; `sources` are globs, matched with the whole path or, without a slash,
        with the file name. Raises `UsageError` for an empty text, an unknown kind or a limit below 1.
        """
        record = self.record(name)
        check_search(text, kinds)
        chosen = self._matching(name, sources)
        if chosen is not None and not chosen:
            return SearchResult(collection=name, query=text, hits=(), note=none_named(f"document of {name}", sources))
        filters = Filters(
            kinds=tuple(kinds) or None,
            sha256s=tuple(sorted(chosen)) if chosen is not None and len(chosen) <= _FILTERED else None,
        )
        with self.open(name) as index:
            found = self._current_hits(name, index, text, limit, filters, chosen)
        return SearchResult(collection=name, query=text, hits=found, note=_note(record, text, found))

    def forget(self, name: str, sources: Sequence[str], *, wait: float = PATIENCE) -> int:
        """Delete documents of a collection by their source; gives how many. Raises `UsageError` for an unknown one."""
        self.check(name)
        with WriterLock(self._store.engine, self._locks, name, wait):
            held = {holding.source for holding in self.holdings.holdings(name)}
            wanted = [source if source in held else source_name(absolute(source)) for source in sources]
            if unknown := [given for given, source in zip(sources, wanted, strict=True) if source not in held]:
                raise UsageError(
                    f"{name} has no document {unknown[0]}. See them with: deepresearch collections show {name}"
                )
            self._renew_if_made_otherwise(name)
            with self._open(name) as index:
                Ingest(name, self._store, self._library, index, _ignore).forget(wanted)
        return len(set(wanted))

    def delete(self, name: str, *, wait: float = PATIENCE) -> None:
        """Delete a collection: its index, its documents, and the texts that nothing else needs."""
        self.check(name)
        with WriterLock(self._store.engine, self._locks, name, wait):
            if not self._library.exists(index_name(name)) or self._is_ours(name):
                self._library.remove(index_name(name))
            self.holdings.delete(name)

    def rebuild(
        self,
        name: str,
        *,
        wait: float = PATIENCE,
        on_progress: Callable[[Step], None] = _ignore,
        stop: threading.Event | None = None,
    ) -> Rebuilt:
        """Make the index of a collection again from the stored documents, whatever became of the old one."""
        self.check(name)
        with WriterLock(self._store.engine, self._locks, name, wait):
            self._start_anew(name)
            with self._open(name) as index:
                Ingest(name, self._store, self._library, index, on_progress, stop).catch_up()
        record = self.record(name)
        return Rebuilt(collection=name, documents=record.documents, passages=record.passages)

    @contextmanager
    def open(self, name: str) -> Iterator[Index]:
        """The collection's index for reading; made again from the store when its folder is gone or empty."""
        record = self.record(name)
        if record.form == FORM and self._library.exists(index_name(name)):
            with self._open(name) as index:
                if not record.passages or index.count() > 0:
                    yield index
                    return
        if record.documents:
            self.rebuild(name)
        with self._open(name) as index:
            yield index

    def check(self, name: str) -> None:
        """Raise `UsageError` unless there is such a collection."""
        if self.holdings.form(name) is None:
            names = self.holdings.names()
            there = f"There are: {', '.join(names)}." if names else "There is none yet."
            raise UsageError(
                f"There is no collection {name!r}. {there} Make one with: deepresearch ingest PATH --collection NAME"
            )

    @contextmanager
    def _open(self, name: str) -> Iterator[Index]:
        try:
            with self._library.open(index_name(name)) as index:
                if not self._is_ours(name):
                    raise IndexingError(
                        f"The index of {name} belongs to another database, which keeps a collection of that name on "
                        "the same Qdrant server. Set DEEPRESEARCH_QDRANT_COLLECTION to another name here, share one "
                        f"DEEPRESEARCH_DATABASE_URL, or take it over with `deepresearch index rebuild {name}`."
                    )
                yield index
        except IndexingError as error:
            # The index itself does not know what people call it.
            raise IndexingError(str(error).replace("index rebuild`", f"index rebuild {name}`")) from error

    def _is_ours(self, name: str) -> bool:
        """Whether this database's collection made the index: two that share one would delete each other's passages."""
        return self._library.claim(index_name(name), self.holdings.created_at(name) or "")

    def _renew_if_made_otherwise(self, name: str) -> None:
        if self.holdings.form(name) != FORM:
            self._start_anew(name)

    def _start_anew(self, name: str) -> None:
        """Nothing is indexed, then nothing is in the folder: in this order a kill in between loses nothing."""
        self.holdings.mark_pending(name, form=FORM)
        self._library.remove(index_name(name))

    def _matching(self, name: str, globs: Sequence[str]) -> set[str] | None:
        """The documents whose source fits one of the globs; None without globs."""
        if not globs:
            return None
        return {holding.sha256 for holding in self.holdings.holdings(name) if fits(holding.source, globs)}

    def _current_hits(
        self, name: str, index: Index, text: str, limit: int, filters: Filters, chosen: set[str] | None
    ) -> tuple[Found, ...]:
        """The best `limit` hits among what the database says is in the collection: it is the truth."""
        current: dict[str, list[str]] = {}

        def keep(sha256: str) -> bool:
            if sha256 not in current:
                current.update(self.holdings.sources_of(name, [sha256]) or {sha256: []})
            return bool(current[sha256]) and (chosen is None or sha256 in chosen)

        hits = sifted(index, text, limit, keep, filters)
        return tuple(Found.of(hit, current[hit.passage.sha256]) for hit in hits)


def _note(record: CollectionRecord, text: str, found: Sequence[Found]) -> str:
    said = []
    if not found:
        empty = f"The collection {record.name} holds no passage yet."
        said.append(why_nothing(text) if record.passages else empty)
    if record.pending:
        said.append(
            f"{record.pending} documents are not indexed yet: an ingest was interrupted or is under way. "
            "Run it again to complete it."
        )
    return " ".join(said)
