"""Points in a collection of a Qdrant server, and the notes about it in a second one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.dense import Entry
from deepresearch.retrieval.index import Filters
from deepresearch.retrieval.server_notes import SUFFIX, ServerNotes, make_collection
from deepresearch.retrieval.server_requests import PATIENCE, RequestTooLarge, ask, status_of
from deepresearch.retrieval.server_turns import Turns
from deepresearch.retrieval.sparse import TermVector
from deepresearch.retrieval.store import (
    DENSE_NAMES,
    INTEGER_FIELDS,
    KEYWORD_FIELDS,
    SPARSE,
    Point,
    VectorQuery,
    Vectors,
)

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

_Result = TypeVar("_Result")
_Item = TypeVar("_Item")
_LOOK_AGAIN = 1.0  # seconds for which the notes are taken to be unchanged
_COUNT_AGAIN = 10.0  # seconds for which the number of points is taken to be about the same
_LARGEST_REQUEST = 16_000_000  # bytes; a server takes 32 MiB unless told otherwise
_NUMBER = 24  # bytes of a number in JSON, with its comma
_DOCUMENTS = 50_000  # named in one request


class ServerStore:
    """A `PointStore` on a server. Every request may be made twice without harm.

    `patience` is how many seconds a server that does not answer may take to come back.
    """

    def __init__(self, client: QdrantClient, collection: str, dimension: int, *, patience: float = PATIENCE) -> None:
        from qdrant_client import models

        self._client = client
        self._models = models
        self._collection = collection
        self._patience = patience
        self._mutex = threading.RLock()
        self._notes = ServerNotes(client, f"{collection}{SUFFIX}", self._call)
        self._turns = Turns(self._notes)
        self._version = 1
        self._looked_at = float("-inf")
        self._counted = 0
        self._counted_at = float("-inf")
        self._make(dimension)

    def _make(self, dimension: int) -> None:
        """Makes what is missing; whoever made it may have died half way."""
        models = self._models
        self._notes.make()
        if not self._call(lambda: self._client.collection_exists(self._collection)):
            dense = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
            sparse = models.SparseVectorParams(modifier=models.Modifier.IDF)
            make_collection(
                self._client,
                self._collection,
                self._call,
                vectors_config=dict.fromkeys(DENSE_NAMES, dense),
                sparse_vectors_config={SPARSE: sparse},
            )
        if _is_local(self._client):
            return  # without a server there is nothing to index
        kinds = {
            **dict.fromkeys(KEYWORD_FIELDS, models.PayloadSchemaType.KEYWORD),
            **dict.fromkeys(INTEGER_FIELDS, models.PayloadSchemaType.INTEGER),
        }
        indexed = self._call(lambda: self._client.get_collection(self._collection)).payload_schema
        for name, kind in kinds.items():
            if name not in indexed:
                self._call(partial(self._client.create_payload_index, self._collection, name, kind, wait=True))

    def _call(self, request: Callable[[], _Result]) -> _Result:
        return ask(f"the collection {self._collection}", request, self._patience)

    @property
    def version(self) -> int:
        """Changes when a note was written, here or by another process (seen after a second)."""
        return self._version

    @contextmanager
    def session(self) -> Iterator[None]:
        """One thread of this process at a time, with a look whether another process wrote a note."""
        with self._mutex:
            if time.monotonic() - self._looked_at > _LOOK_AGAIN:
                self.look()
            yield

    def look(self) -> None:
        """See `PointStore.look`."""
        if self._notes.have_changed():
            self._version += 1
        self._looked_at = time.monotonic()

    def alone(self, *, wait: bool) -> AbstractContextManager[bool]:
        """See `PointStore.alone`."""
        return self._turns.take(wait=wait)

    # -- points ----------------------------------------------------------------------------------

    def write(self, points: Sequence[Point], dense_name: str) -> None:
        """Stores points, replacing those of the same id; durable on return."""
        for some in _by_size(points, _size):
            self._in_parts(partial(self._upsert, dense_name), some)

    def _upsert(self, dense_name: str, points: Sequence[Point]) -> None:
        models = self._models
        made = []
        for point in points:
            vectors: dict[str, Any] = {}
            if point.sparse:
                vectors[SPARSE] = models.SparseVector(indices=point.sparse.indices, values=point.sparse.values)
            if point.dense is not None:
                vectors[dense_name] = point.dense
            made.append(models.PointStruct(id=point.id, vector=vectors, payload=point.payload))
        self._call(lambda: self._client.upsert(self._collection, made, wait=True))

    def write_dense(self, dense_name: str, vectors: Mapping[int, list[float]]) -> None:
        """Sets one dense vector of existing points; those that were deleted meanwhile stay so."""
        for some in _by_size(vectors.items(), lambda item: _NUMBER * len(item[1])):
            self._in_parts(partial(self._update, dense_name), some)

    def _update(self, dense_name: str, rows: Sequence[tuple[int, list[float]]]) -> None:
        models = self._models
        made = [models.PointVectors(id=key, vector={dense_name: row}) for key, row in rows]
        try:
            self._call(lambda: self._client.update_vectors(self._collection, made, wait=True))
        except IndexingError as error:
            if status_of(error) != 404:  # the server names one point that is not there
                raise
            there = set(self.payloads([key for key, _ in rows]))
            if len(there) == len(rows):
                raise
            if there:
                self._update(dense_name, [(key, row) for key, row in rows if key in there])

    def _in_parts(self, send: Callable[[Sequence[_Item]], None], items: Sequence[_Item]) -> None:
        """Sends all at once, or in halves where the server allows less in a request than servers usually do."""
        try:
            send(items)
        except RequestTooLarge:
            if len(items) == 1:
                raise
            middle = len(items) // 2
            self._in_parts(send, items[:middle])
            self._in_parts(send, items[middle:])

    def drop_dense(self, dense_name: str) -> None:
        """Removes one dense vector from all points."""
        models = self._models
        having = models.Filter(must=[models.HasVectorCondition(has_vector=dense_name)])
        selector = models.FilterSelector(filter=having)
        self._call(lambda: self._client.delete_vectors(self._collection, [dense_name], selector, wait=True))

    def search(
        self, queries: Sequence[VectorQuery], limit: int, filters: Filters | None
    ) -> list[list[tuple[int, float]]]:
        """For each query: the best points as (id, score), best first."""
        models = self._models
        wanted = _condition(models, filters)
        requests = [
            models.QueryRequest(
                query=models.SparseVector(indices=query.indices, values=query.values)
                if isinstance(query, TermVector)
                else query,
                using=name,
                limit=limit,
                filter=wanted,
            )
            for name, query in queries
        ]
        found = self._call(lambda: self._client.query_batch_points(self._collection, requests))
        return [[(int(str(point.id)), point.score) for point in results.points] for results in found]

    def payloads(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """The payloads of these points."""
        found = self._call(lambda: self._client.retrieve(self._collection, list(ids), with_payload=True))
        return {int(str(record.id)): record.payload or {} for record in found}

    def vectors(self, ids: Sequence[int], dense_name: str) -> dict[int, Vectors]:
        """The vectors of these points."""
        found = self._call(
            lambda: self._client.retrieve(
                self._collection, list(ids), with_payload=False, with_vectors=[SPARSE, dense_name]
            )
        )
        return {int(str(record.id)): Vectors(_terms(record), _named(record).get(dense_name)) for record in found}

    def scan(self, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """Every point with its terms, by batches in the order of their ids."""
        return self._entries(batch, None, with_text=with_text)

    def latecomers(self, dense_name: str, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """See `PointStore.latecomers`."""
        models = self._models
        lacking = models.Filter(must_not=[models.HasVectorCondition(has_vector=dense_name)])
        return self._entries(batch, lacking, with_text=with_text)

    def _entries(self, batch: int, chosen: Any, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        for records in self._scroll(batch, chosen, ["text"] if with_text else False, [SPARSE]):
            yield [
                (int(str(record.id)), Entry((record.payload or {}).get("text", ""), _terms(record)))
                for record in records
            ]

    def _scroll(self, batch: int, chosen: Any, payload: Any, vectors: Any) -> Iterator[list[Any]]:
        """Points by batches in the order of their ids, smaller ones where the server allows no more."""
        offset: Any = None
        while True:
            request = partial(
                self._client.scroll,
                self._collection,
                chosen,
                limit=batch,
                offset=offset,
                with_payload=payload,
                with_vectors=vectors,
            )
            try:
                records, offset = self._call(request)
            except RequestTooLarge:
                if batch == 1:
                    raise
                batch //= 2
                continue
            yield records
            if offset is None:
                return

    def delete(self, sha256s: Sequence[str]) -> None:
        """Removes the points of these documents; durable on return."""
        models = self._models
        for start in range(0, len(sha256s), _DOCUMENTS):
            some = list(sha256s[start : start + _DOCUMENTS])
            matching = models.Filter(must=[models.FieldCondition(key="sha256", match=models.MatchAny(any=some))])
            selector = models.FilterSelector(filter=matching)
            self._call(partial(self._client.delete, self._collection, selector, wait=True))

    def documents(self) -> set[str]:
        """Every value of the field ``sha256``."""
        limit = max(1, self.count())
        try:
            found = self._call(lambda: self._client.facet(self._collection, "sha256", limit=limit, exact=True))
        except RequestTooLarge:
            return {
                str((record.payload or {}).get("sha256"))
                for records in self._scroll(_DOCUMENTS, None, ["sha256"], False)
                for record in records
            }
        return {str(hit.value) for hit in found.hits if hit.count}

    def count(self) -> int:
        """The number of points."""
        self._counted = self._call(lambda: self._client.count(self._collection, exact=True)).count
        self._counted_at = time.monotonic()
        return self._counted

    def size(self) -> int:
        """See `PointStore.size`: the server counts point by point, which takes longer than a search."""
        if self._counted and time.monotonic() - self._counted_at < _COUNT_AGAIN:
            return self._counted
        return self.count()

    # -- notes -----------------------------------------------------------------------------------

    def read_note(self, name: str) -> bytes | None:
        """What `write_note` stored under this name."""
        return self._notes.read(name)

    def write_note(self, name: str, content: bytes) -> None:
        """Stores bytes under a name."""
        self._notes.write(name, content)
        self._version += 1

    def remove_note(self, name: str) -> None:
        """Forgets a note."""
        self._notes.remove(name)

    # -- upkeep ----------------------------------------------------------------------------------

    def optimize(self, *, wait: bool) -> None:
        """The server builds its graphs by itself; with `wait`, until it says it is done."""
        status = self._models.CollectionStatus
        while wait:
            told = self._call(lambda: self._client.get_collection(self._collection))
            if told.status == status.GREEN:
                return
            if told.status == status.RED:
                raise IndexingError(
                    f"The Qdrant server could not optimise the collection {self._collection}: {told.optimizer_status}."
                )
            if told.status == status.GREY:  # started anew with work left, it waits for somebody to change something
                unchanged = self._models.OptimizersConfigDiff()
                self._call(
                    lambda: self._client.update_collection(self._collection, optimizers_config=unchanged)  # noqa: B023
                )
            time.sleep(0.2)

    def close(self) -> None:
        """Nothing to release: the client belongs to whoever made it."""


def _is_local(client: QdrantClient) -> bool:
    return type(getattr(client, "_client", None)).__name__ == "QdrantLocal"


def _size(point: Point) -> int:
    """About how many bytes a point takes in a request, rather too many."""
    numbers = 2 * len(point.sparse.indices) + len(point.dense or ())
    return len(json.dumps(point.payload)) + _NUMBER * numbers


def _by_size(items: Iterable[_Item], size: Callable[[_Item], int]) -> Iterator[list[_Item]]:
    """The items in lists that fit into one request each, unless one alone is too large."""
    batch: list[_Item] = []
    total = 0
    for item in items:
        taken = size(item)
        if batch and total + taken > _LARGEST_REQUEST:
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += taken
    if batch:
        yield batch


def _named(record: Any) -> dict[str, Any]:
    return record.vector if isinstance(record.vector, dict) else {}


def _terms(record: Any) -> TermVector:
    sparse = _named(record).get(SPARSE)
    return TermVector(list(sparse.indices), list(sparse.values)) if sparse is not None else TermVector([], [])


def _condition(models: Any, filters: Filters | None) -> Any:
    if filters is None:
        return None
    must: list[Any] = [
        models.FieldCondition(key=name, match=models.MatchAny(any=list(values)))
        for name, values in (("sha256", filters.sha256s), ("kind", filters.kinds), ("tags", filters.tags))
        if values is not None
    ]
    if filters.date_from is not None or filters.date_to is not None:
        first = filters.date_from.toordinal() if filters.date_from else None
        last = filters.date_to.toordinal() if filters.date_to else None
        must.append(models.FieldCondition(key="day", range=models.Range(gte=first, lte=last)))
    return models.Filter(must=must) if must else None
