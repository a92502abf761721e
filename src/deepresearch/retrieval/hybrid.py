"""The index itself: encodes, stores, searches in two rounds and fuses, on whichever engine it is given."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError, UsageError
from deepresearch.model.retrieval import Hit, LegScore
from deepresearch.retrieval.collection import State, read_state, write_collection, write_fit
from deepresearch.retrieval.dense import Encoder, Entry
from deepresearch.retrieval.feedback import FEEDBACK_PASSAGES, approach, widen
from deepresearch.retrieval.fusion import (
    DENSE_LEG,
    FEEDBACK_LEG,
    FULL_TRUST,
    SPARSE_LEG,
    Fused,
    Fusion,
    Ranking,
    fuse,
)
from deepresearch.retrieval.index import Filters, Index
from deepresearch.retrieval.statistics import TermStatistics
from deepresearch.retrieval.store import (
    DENSE_NAMES,
    SPARSE,
    Point,
    PointStore,
    VectorQuery,
    point_id,
    to_passage,
    to_payload,
)
from deepresearch.telemetry.retrieval import searching

_BATCH = 1_000
_CANDIDATES = 100
_LONGEST_QUESTION = 20_000
_SAMPLE = 20_000  # passages a fit looks at
_GROWTH = 2.0  # by which factor a collection grows before the next fit ...
_LATE_GROWTH = 4.0  # ... and once the fit was on a full sample
_FIT_WHILE_WRITING = 5_000  # from this size on, writing pays for the fit; below, the next search does


class HybridIndex(Index):
    """Passages under BM25 and one dense encoder in one store. See `Index` for the contract.

    `make_encoder` gives a fresh encoder of the same kind each time; `place` names the store in messages.
    """

    def __init__(
        self, store: PointStore, make_encoder: Callable[[], Encoder], place: str, fusion: Fusion | None = None
    ) -> None:
        self._store = store
        self._make_encoder = make_encoder
        self._place = place
        self._fusion = fusion or (Fusion() if make_encoder().is_learned else FULL_TRUST)
        self._closed = False
        self._known: State | None = None
        with self._session():
            pass

    # -- writing ---------------------------------------------------------------------------------

    def upsert(
        self,
        passages: Iterable[Passage],
        *,
        tags: Sequence[str] = (),
        dates: Mapping[str, datetime.date] | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> int:
        """See `Index.upsert`."""
        days = {sha256: date.toordinal() for sha256, date in (dates or {}).items()}
        stored = 0
        source = iter(passages)
        while batch := list(islice(source, _BATCH)):
            with self._session() as state:
                state = self._write(state, batch, tags, days)
                size = self._store.count()
                if size >= _FIT_WHILE_WRITING and _wants_fit(state, size):
                    self._fit(state, size)
            stored += len(batch)
            if progress is not None:
                progress(stored)
        if stored:
            with self._session():
                self._store.optimize(wait=False)
        return stored

    def _write(self, state: State, batch: list[Passage], tags: Sequence[str], days: Mapping[str, int]) -> State:
        encoded = [state.sparse.encode_document(passage) for passage in batch]
        spoken = {language for _, language in encoded if language}
        if not spoken <= set(state.collection.languages):
            state = self._learn_languages(spoken)
        while True:
            rows: list[list[float] | None] = [None] * len(batch)
            if state.encoder.is_fitted:
                entries = [Entry(passage.text, terms) for passage, (terms, _) in zip(batch, encoded, strict=True)]
                rows = _rows(state.encoder.encode_documents(entries))
            points = [
                Point(point_id(passage.id), to_payload(passage, tags, days.get(passage.sha256)), terms, row)
                for passage, (terms, _), row in zip(batch, encoded, rows, strict=True)
            ]
            dense = state.collection.dense
            self._store.write(points, dense)
            self._store.look()
            state = self._current()
            if state.collection.dense == dense:
                return state
            # Another process has changed over to new vectors meanwhile, and these passages need theirs.

    def _learn_languages(self, spoken: Iterable[str]) -> State:
        with self._store.alone(wait=True):
            self._store.look()
            state = self._current()
            languages = state.collection.languages
            if new := sorted(set(spoken) - set(languages)):
                collection = replace(state.collection, languages=[*languages, *new])
                write_collection(self._store, collection)
                state = self._known = replace(state, version=self._store.version, collection=collection)
            return state

    def delete(self, sha256s: Iterable[str]) -> None:
        """See `Index.delete`."""
        wanted = list(dict.fromkeys(sha256s))
        with self._session():
            if wanted:
                self._store.delete(wanted)

    # -- reading ---------------------------------------------------------------------------------

    def search(self, text: str, limit: int = 10, filters: Filters | None = None) -> list[Hit]:
        """See `Index.search`."""
        if not text.strip():
            raise UsageError("The search text is empty: give at least one word to look for.")
        if len(text) > _LONGEST_QUESTION:
            raise UsageError(f"The search text has {len(text)} characters: shorten it to at most {_LONGEST_QUESTION}.")
        if limit < 1:
            raise UsageError(f"The limit {limit} is below 1: ask for at least one passage.")
        with searching("hybrid") as told, self._session() as state:
            size = self._store.size()
            if size and _wants_fit(state, size):
                state = self._fit(state, size)
            legs, weights = self._ask(state, text, max(_CANDIDATES, limit), filters)
            heard = {name: ranking for name, ranking in legs.items() if weights[name] > 0.0}
            best = fuse(heard, weights, limit)
            payloads = self._store.payloads([candidate.key for candidate in best])
            told.found = len(best)
        return _hits(best, legs, payloads)

    def _ask(
        self, state: State, text: str, depth: int, filters: Filters | None
    ) -> tuple[dict[str, Ranking], dict[str, float]]:
        """Both rounds: each leg's ranking, and what it weighs."""
        question = state.sparse.encode_query(text, state.collection.languages)
        if not question or state.statistics is None:
            return {}, {}
        row = state.encoder.encode_query(Entry(text, question))
        queries: list[VectorQuery] = [(SPARSE, question)]
        if row is not None:
            queries.append((state.collection.dense, row.tolist()))
        sparse, dense = self._round(queries, depth, filters)
        trust = self._fusion.trust(sparse, dense)
        weights = self._fusion.weights(trust)
        seed = fuse({SPARSE_LEG: sparse, DENSE_LEG: dense}, {SPARSE_LEG: 1.0, DENSE_LEG: trust}, FEEDBACK_PASSAGES)
        vectors = self._store.vectors([candidate.key for candidate in seed], state.collection.dense)
        seen = [(vectors[candidate.key], candidate.score) for candidate in seed if candidate.key in vectors]
        if not seen:
            return {SPARSE_LEG: sparse}, weights
        widened = widen(question, [one.sparse for one, _ in seen], [weight for _, weight in seen], state.statistics)
        queries = [(SPARSE, widened)]
        if row is not None and trust > 0.0:
            placed = [(one.dense, weight) for one, weight in seen if one.dense is not None]
            moved = approach(row, [place for place, _ in placed], [weight for _, weight in placed])
            queries.append((state.collection.dense, moved.tolist()))
        feedback, nearer = self._round(queries, depth, filters)
        legs: dict[str, Ranking] = {SPARSE_LEG: sparse, FEEDBACK_LEG: feedback}
        if row is not None:
            legs[DENSE_LEG] = nearer or dense
        return legs, weights

    def _round(self, queries: Sequence[VectorQuery], depth: int, filters: Filters | None) -> list[Ranking]:
        """The candidates of one or two queries, without those that have nothing in common with them."""
        found = self._store.search(queries, depth, filters)
        likely: list[Ranking] = [[(key, score) for key, score in ranking if score > 0.0] for ranking in found]
        return [*likely, []][:2]

    def documents(self) -> set[str]:
        """See `Index.documents`."""
        with self._session():
            return self._store.documents()

    def count(self) -> int:
        """See `Index.count`."""
        with self._session():
            return self._store.count()

    # -- upkeep ----------------------------------------------------------------------------------

    def _fit(self, state: State, size: int) -> State:
        """A new fit, unless another process is at it and there is one to go on with."""
        with self._store.alone(wait=state.statistics is None) as mine:
            if not mine:
                return state
            self._store.look()
            state = self._current()
            return self._fit_alone(state, size) if _wants_fit(state, size) else state

    def _fit_alone(self, state: State, size: int) -> State:
        """Counts the terms, fits the encoder and encodes every passage anew.

        The new vectors go beside the old ones under the other name; one written note then changes over,
        so whatever dies in between leaves the old ones in use. Point ids are hashes, so the first of
        them are a fair sample.
        """
        encoder = self._make_encoder()
        sample: list[Entry] = []
        for batch in self._store.scan(_BATCH, with_text=encoder.reads_text):
            sample.extend(entry for _, entry in batch)
            if len(sample) >= _SAMPLE:
                break
        statistics = TermStatistics.of([entry.terms for entry in sample], size)
        encoder.fit(sample, statistics)
        del sample
        before = state.collection.dense
        if not encoder.is_learned and state.encoder.is_fitted:
            self._known = write_fit(self._store, state, encoder, statistics, before)
            return self._known
        name = next(other for other in DENSE_NAMES if other != before)
        self._store.drop_dense(name)
        self._encode(encoder, name, self._store.scan(_BATCH, with_text=encoder.reads_text))
        self._known = write_fit(self._store, state, encoder, statistics, name)
        self._encode(encoder, name, self._store.latecomers(name, _BATCH, with_text=encoder.reads_text))
        self._store.drop_dense(before)
        return self._known

    def _encode(self, encoder: Encoder, name: str, points: Iterable[list[tuple[int, Entry]]]) -> None:
        for batch in points:
            rows = _rows(encoder.encode_documents([entry for _, entry in batch])) if batch else []
            self._store.write_dense(
                name, {key: row for (key, _), row in zip(batch, rows, strict=True) if row is not None}
            )

    def optimize(self) -> None:
        """See `Index.optimize`."""
        with self._session() as state:
            size = self._store.count()
            if size and _wants_fit(state, size):
                self._fit(state, size)
        self._store.optimize(wait=True)

    def close(self) -> None:
        """See `Index.close`."""
        if not self._closed:
            self._closed = True
            self._store.close()

    @contextmanager
    def _session(self) -> Iterator[State]:
        """The store for this thread alone, and the collection as it is now."""
        if self._closed:
            raise IndexingError(f"The index in {self._place} is closed; open it again to use it.")
        with self._store.session():
            yield self._current()

    def _current(self) -> State:
        """The collection as the store knows it now."""
        if self._known is None or self._known.version != self._store.version:
            self._known = read_state(self._store, self._make_encoder, self._place)
        return self._known


def _wants_fit(state: State, size: int) -> bool:
    fitted_on = state.collection.fitted_on
    return size >= fitted_on * (_GROWTH if fitted_on < _SAMPLE else _LATE_GROWTH)


def _hits(best: Sequence[Fused], legs: Mapping[str, Ranking], payloads: Mapping[int, Mapping[str, Any]]) -> list[Hit]:
    places = {
        name: {key: (rank, score) for rank, (key, score) in enumerate(ranking, 1)} for name, ranking in legs.items()
    }
    hits = []
    for candidate in best:
        if candidate.key not in payloads:
            continue
        explained = {}
        for name, ranked in places.items():
            rank, score = ranked.get(candidate.key, (None, 0.0))
            contribution = candidate.contributions.get(name, 0.0)
            explained[name] = LegScore(rank=rank, score=score, contribution=contribution)
        hits.append(Hit(passage=to_passage(payloads[candidate.key]), score=candidate.score, legs=explained))
    return hits


def _rows(matrix: Any) -> list[list[float] | None]:
    """Rows as lists; None for a row of zeros, which has no direction."""
    return [row if any(row) else None for row in matrix.tolist()]
