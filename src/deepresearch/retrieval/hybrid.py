"""The index itself: encodes, stores, searches both legs and fuses them, on whichever engine it is given."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError, UsageError
from deepresearch.model.retrieval import Hit, LegScore
from deepresearch.retrieval.dense import Encoder, Entry
from deepresearch.retrieval.fusion import fuse
from deepresearch.retrieval.index import Filters, Index
from deepresearch.retrieval.sparse import BM25
from deepresearch.retrieval.store import (
    DENSE_NAMES,
    SPARSE,
    Point,
    PointStore,
    point_id,
    to_passage,
    to_payload,
)

FORMAT = 1
_BATCH = 1_000
_CANDIDATES = 100
_WEIGHTS = {"sparse": 0.7, "dense": 0.3}
_COLLECTION = "collection.json"
_REBUILD = "make it again with `deepresearch index rebuild`"


@dataclass
class Collection:
    """What is written down about a collection. `dense` is the name of the dense vector in use."""

    encoder: str
    encoder_version: int
    dimension: int
    average_length: float | None = None
    languages: list[str] = field(default_factory=list)
    dense: str = DENSE_NAMES[0]
    encoder_note: str | None = None
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """As JSON."""
        return json.dumps(vars(self), indent=1, sort_keys=True).encode()


class HybridIndex(Index):
    """Passages under BM25 and one dense encoder in one store. See `Index` for the contract."""

    def __init__(self, store: PointStore, encoder: Encoder, place: str) -> None:
        self._store = store
        self._encoder = encoder
        self._place = place
        self._lock = threading.RLock()
        self._closed = False
        self._collection = self._read_collection()

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
            with self._lock:
                self._check_open()
                self._write(batch, tags, days)
            stored += len(batch)
            if progress is not None:
                progress(stored)
        return stored

    def _write(self, batch: list[Passage], tags: Sequence[str], days: Mapping[str, int]) -> None:
        sparse = self._sparse()
        encoded = [sparse.encode_document(passage) for passage in batch]
        spoken = sorted({language for _, language in encoded if language} - set(self._collection.languages))
        if spoken:
            self._collection.languages.extend(spoken)
            self._save_collection()
        rows: list[list[float] | None] = [None] * len(batch)
        if self._encoder.is_fitted:
            entries = [Entry(passage.text, terms) for passage, (terms, _) in zip(batch, encoded, strict=True)]
            rows = _rows(self._encoder.encode_documents(entries))
        points = [
            Point(point_id(passage.id), to_payload(passage, tags, days.get(passage.sha256)), terms, row)
            for passage, (terms, _), row in zip(batch, encoded, rows, strict=True)
        ]
        self._store.write(points, self._collection.dense)

    def delete(self, sha256s: Iterable[str]) -> None:
        """See `Index.delete`."""
        with self._lock:
            self._check_open()
            wanted = list(dict.fromkeys(sha256s))
            if wanted:
                self._store.delete(wanted)

    # -- reading ---------------------------------------------------------------------------------

    def search(self, text: str, limit: int = 10, filters: Filters | None = None) -> list[Hit]:
        """See `Index.search`."""
        if not text.strip():
            raise UsageError("The search text is empty: give at least one word to look for.")
        if limit < 1:
            raise UsageError(f"The limit {limit} is below 1: ask for at least one passage.")
        self._check_open()
        self.refresh()
        terms = self._sparse().encode_query(text, self._collection.languages)
        if not terms:
            return []
        queries: list[tuple[str, Any]] = [(SPARSE, terms)]
        if self._encoder.is_fitted:
            row = self._encoder.encode_query(Entry(text, terms))
            if row is not None:
                queries.append((self._collection.dense, row.tolist()))
        found = self._store.search(queries, max(_CANDIDATES, limit), filters)
        legs = {name: dict(results) for name, results in zip(("sparse", "dense"), found, strict=False)}
        ranks = {name: {key: place for place, key in enumerate(scores, 1)} for name, scores in legs.items()}
        best = fuse(legs, _WEIGHTS)[:limit]
        payloads = self._store.payloads([candidate.key for candidate in best])
        return [
            Hit(
                passage=to_passage(payloads[candidate.key]),
                score=candidate.score,
                legs={
                    name: LegScore(
                        rank=ranks[name].get(candidate.key),
                        score=legs[name].get(candidate.key, 0.0),
                        contribution=candidate.contributions.get(name, 0.0),
                    )
                    for name in legs
                },
            )
            for candidate in best
            if candidate.key in payloads
        ]

    def documents(self) -> set[str]:
        """See `Index.documents`."""
        self._check_open()
        return self._store.documents()

    def count(self) -> int:
        """See `Index.count`."""
        self._check_open()
        return self._store.count()

    # -- upkeep ----------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Fits the encoder when it asks for it, and encodes every passage anew.

        The new vectors go beside the old ones under the other name; one written note then changes over,
        so whatever dies in between leaves the old ones in use.
        """
        if not self._encoder.wants_fit(self._store.count()):
            return
        with self._lock:
            if not self._encoder.wants_fit(self._store.count()):
                return
            stored = list(self._store.scan())
            self._encoder.fit((point.entry for point in stored), len(stored))
            before = self._collection.dense
            name = next(other for other in DENSE_NAMES if other != before)
            self._store.drop_dense(name)
            for start in range(0, len(stored), _BATCH):
                chunk = stored[start : start + _BATCH]
                rows = _rows(self._encoder.encode_documents([point.entry for point in chunk]))
                self._store.write_dense(
                    name, {point.id: row for point, row in zip(chunk, rows, strict=True) if row is not None}
                )
            note, old = f"encoder-{name}", self._collection.encoder_note
            self._store.write_note(note, self._encoder.to_bytes())
            self._collection.dense, self._collection.encoder_note = name, note
            self._save_collection()
            self._store.drop_dense(before)
            if old is not None:
                self._store.remove_note(old)

    def optimize(self) -> None:
        """See `Index.optimize`."""
        self._check_open()
        self.refresh()
        self._store.optimize()

    def close(self) -> None:
        """See `Index.close`."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._store.close()

    # -- the collection's notes ------------------------------------------------------------------

    def _sparse(self) -> BM25:
        return BM25()

    def _save_collection(self) -> None:
        self._store.write_note(_COLLECTION, self._collection.to_bytes())

    def _read_collection(self) -> Collection:
        written = self._store.read_note(_COLLECTION)
        mine = Collection(self._encoder.name, self._encoder.version, self._encoder.dimension)
        if written is None:
            self._store.write_note(_COLLECTION, mine.to_bytes())
            return mine
        try:
            found = Collection(**json.loads(written))
        except (ValueError, TypeError) as error:
            raise IndexingError(f"The index in {self._place} was written by an unknown version; {_REBUILD}.") from error
        if (found.encoder, found.encoder_version, found.dimension) != (
            mine.encoder,
            mine.encoder_version,
            mine.dimension,
        ):
            raise IndexingError(
                f"The index in {self._place} was made with the encoder {found.encoder} "
                f"(version {found.encoder_version}, {found.dimension} dimensions), not {mine.encoder} "
                f"(version {mine.encoder_version}, {mine.dimension}); {_REBUILD}, or set the former encoder."
            )
        if found.encoder_note is not None:
            state = self._store.read_note(found.encoder_note)
            if state is None:
                raise IndexingError(f"The index in {self._place} has lost its encoder; {_REBUILD}.")
            self._encoder.from_bytes(state)
        return found

    def _check_open(self) -> None:
        if self._closed:
            raise IndexingError(f"The index in {self._place} is closed; open it again to use it.")


def _rows(matrix: Any) -> list[list[float] | None]:
    """Rows as lists; None for a row of zeros, which has no direction."""
    return [row if any(row) else None for row in matrix.tolist()]
