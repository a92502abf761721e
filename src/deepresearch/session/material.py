"""What a session has before it: which index answers its searches, and which documents a stage has to look at.

Few documents are looked at all together. Of a large collection only those that the plan's searches bring up are, with
their namesakes (their other versions), so that the memory a session takes does not grow with the collection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from deepresearch.model.base import Value
from deepresearch.model.documents import Document
from deepresearch.model.errors import NoReadableSourceError
from deepresearch.model.plan import Plan
from deepresearch.model.retrieval import Hit
from deepresearch.model.session import SessionOptions
from deepresearch.retrieval import Filters, Index
from deepresearch.session.collections import Collections
from deepresearch.session.library import Library
from deepresearch.session.loading import Loaded, load_sources
from deepresearch.session.search import Search, search_all, sifted
from deepresearch.session.sources import superseded_among_equals
from deepresearch.session.store import Store

#: Up to so many documents of a session are looked at all together.
_FEW = 300

#: Passages that bring a document of a large collection to attention, for each query; tables have a search of their own.
_EACH = 24
_EACH_TABLE = 12

#: Documents of one name, but for version and date, that are taken for versions; more are a series.
_VERSIONS = 40


class Indexed(Value):
    """The result of the index stage.

    `collection` is the index of the session's own documents, `named` the collection that is searched as it is; one of
    them may be None. `superseded` maps replaced documents to their newest version. `chosen` are the documents to look
    at, None for all. `more` are indexes of documents that came later.
    """

    collection: str | None
    passages: int
    superseded: dict[str, str]
    named: str | None = None
    chosen: tuple[str, ...] | None = None
    more: tuple[str, ...] = ()


class Material:
    """The documents and indexes of one session."""

    def __init__(self, session_id: str, store: Store, library: Library, collections: Collections) -> None:
        self._id = session_id
        self._store = store
        self._library = library
        self._collections = collections
        self._all: list[Document] | None = None
        self._some: dict[str, list[Document]] = {}

    def load(self, options: SessionOptions, on_progress: Callable[[int, int, str], None]) -> Loaded:
        """Read the sources and link the documents of the collection. Raises as `load_sources` does."""
        loaded = Loaded(documents=0, known=0, refused=())
        if options.sources:
            loaded = load_sources(self._store, self._id, options.sources, on_progress)
        if options.collection is not None:
            with self._collections.open(options.collection):
                documents = self._collections.holdings.link(self._id, options.collection)
            if not documents:
                raise NoReadableSourceError(
                    f"The collection {options.collection} holds no document that could be searched. "
                    f"Add some with: deepresearch ingest PATH --collection {options.collection}"
                )
            loaded = loaded.model_copy(update={"documents": documents})
        return loaded

    def index(self, options: SessionOptions, plan: Plan, on_progress: Callable[[int, int], None]) -> Indexed:
        """Make everything searchable that is not yet, and find out which documents are replaced by a newer version."""
        named = options.collection
        if named is not None and self._collections.holdings.form(named) is None:
            named = None  # deleted since its documents were linked: they are still the session's
        chosen = None if named is None or self._store.count_documents(self._id) <= _FEW else self._choose(named, plan)
        documents = self.documents(chosen)
        replaced = superseded_among_equals(options.question, documents)
        # What the named index does not hold, or no longer holds, gets an index of its own.
        own = None if named is None else set(self._collections.holdings.not_in(self._id, named))
        current = [
            document
            for document in documents
            if document.sha256 not in replaced and (own is None or document.sha256 in own)
        ]
        collection, passages = None, 0
        if named is None or current:
            collection, passages = self._library.build(current, on_progress)
        if named is not None:
            passages += self._collections.record(named).passages
        return Indexed(
            collection=collection,
            passages=passages,
            superseded=replaced,
            named=named,
            chosen=None if chosen is None else tuple(sorted(chosen)),
        )

    def add(self, indexed: Indexed, hashes: Iterable[str]) -> Indexed:
        """Make documents searchable that came after `index`, and look at them too."""
        wanted = set(hashes)
        self._all = None
        collection, passages = self._library.build(self.documents(wanted), lambda _done, _total: None)
        return indexed.model_copy(update={"more": (*indexed.more, collection), "passages": indexed.passages + passages})

    def search(self, indexed: Indexed, queries: Sequence[str]) -> list[Hit]:
        """The best passages of the session's current documents for these queries, from all its indexes."""
        with self._searches(indexed) as searches:
            return search_all(searches, queries)

    def documents(self, hashes: Iterable[str] | None) -> list[Document]:
        """The session's documents with these SHA-256, or all, in the order of their sources."""
        if hashes is None:
            if self._all is None:
                self._all = self._store.documents(self._id)
            return self._all
        wanted = set(hashes)
        if self._all is not None:
            return [document for document in self._all if document.sha256 in wanted]
        for document in self._store.documents(self._id, wanted - set(self._some)):
            self._some.setdefault(document.sha256, []).append(document)
        found = [document for sha256 in wanted for document in self._some.get(sha256, [])]
        return sorted(found, key=lambda document: document.source)

    @contextmanager
    def _searches(self, indexed: Indexed) -> Iterator[list[Search]]:
        searches: list[Search] = []
        with ExitStack() as stack:
            if indexed.named is not None:
                # The collection may have changed since: only what this session reads counts.
                current = self._store.hashes(self._id) - set(indexed.superseded)
                index = stack.enter_context(self._collections.open(indexed.named))
                searches.append(_sifting(index, current))
            for collection in self._own(indexed):
                searches.append(_plain(stack.enter_context(self._library.open(collection))))
            yield searches

    def _own(self, indexed: Indexed) -> list[str]:
        """The indexes of the session's own documents, made again in one when the session began on another machine."""
        names = [name for name in (indexed.collection, *indexed.more) if name is not None]
        if all(self._library.exists(name) for name in names):
            return names
        own = None if indexed.named is None else set(self._collections.holdings.not_in(self._id, indexed.named))
        documents = [
            document
            for document in self._store.documents(self._id)
            if document.sha256 not in indexed.superseded and (own is None or document.sha256 in own)
        ]
        return [self._library.build(documents, lambda _done, _total: None)[0]]

    def _choose(self, named: str, plan: Plan) -> set[str]:
        """The documents of a large collection that the plan's searches bring up, their namesakes, and all others."""
        mine = self._store.hashes(self._id)
        found: set[str] = set()
        queries = [query for sub in plan.sub_questions for query in sub.queries]
        with self._collections.open(named) as index:
            for query in queries:
                for filters, limit in ((None, _EACH), (Filters(kinds=("table",)), _EACH_TABLE)):
                    hits = sifted(index, query, limit, mine.__contains__, filters)
                    found.update(hit.passage.sha256 for hit in hits)
        holdings = self._collections.holdings
        found |= holdings.relatives(named, found, _VERSIONS) & mine
        return found | set(holdings.not_in(self._id, named))


def _sifting(index: Index, current: set[str]) -> Search:
    return lambda text, limit: sifted(index, text, limit, current.__contains__)


def _plain(index: Index) -> Search:
    return lambda text, limit: index.search(text, limit=limit)
