"""The index on a Qdrant server, for many workers and for collections that outgrow one machine.

Needs the extra ``qdrant`` (``pip install 'deepresearch[qdrant]'``). The notes about a collection, the
learned encoder among them, are kept on the server too, in a second collection of the same name with
``.notes`` behind it, so that every worker reads the same. Any number of processes may search; writing is
for one process at a time.
"""

from __future__ import annotations

import base64
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.dense import Encoder, Entry
from deepresearch.retrieval.fusion import Fusion
from deepresearch.retrieval.hybrid import HybridIndex
from deepresearch.retrieval.index import Filters
from deepresearch.retrieval.lsa import LatentSemanticEncoder
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
_OLDEST = (1, 13)
_LOOK_AGAIN = 1.0  # seconds for which the notes are taken to be unchanged
_PART = 3_000_000  # bytes of a note in one point
_NOTES = uuid.UUID("0b6c1d52-52c8-5f0e-8f2b-0b7b0f8c4c1e")


class ServerIndex(HybridIndex):
    """An index on a server, in a collection that is made when it does not exist.

    `client` is a connected `QdrantClient`; `connect` makes one from an address.
    """

    def __init__(
        self,
        client: QdrantClient,
        collection: str,
        make_encoder: Callable[[], Encoder] = LatentSemanticEncoder,
        *,
        fusion: Fusion | None = None,
    ) -> None:
        store = ServerStore(client, collection, make_encoder().dimension)
        super().__init__(store, make_encoder, f"the Qdrant collection {collection}", fusion)


def connect(url: str, *, api_key: str | None = None, timeout: float = 10.0) -> QdrantClient:
    """A client for the server at this address (REST port; gRPC is used on the next port where it answers).

    Raises `IndexingError` when the extra is not installed, the server does not answer, or is too old.
    """
    try:
        from qdrant_client import QdrantClient
    except ImportError as error:
        raise IndexingError(
            "A Qdrant server needs the extra `qdrant`; install it with `pip install 'deepresearch[qdrant]'`."
        ) from error
    client = QdrantClient(url=url, api_key=api_key, timeout=max(1, round(timeout)), check_compatibility=False)
    version = _called(url, lambda: client.info().version)
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2] if part.isdigit())
    if numbers < _OLDEST:
        client.close()
        wanted = ".".join(map(str, _OLDEST))
        raise IndexingError(f"The Qdrant server at {url} is version {version}; update it to {wanted} or later.")
    return client


def collection_exists(client: QdrantClient, collection: str) -> bool:
    """Whether the server has this collection. Raises `IndexingError`."""
    return _called(f"the collection {collection}", lambda: client.collection_exists(collection))


def remove_collection(client: QdrantClient, collection: str) -> None:
    """Remove a collection and its notes from the server; no error when there is none. Raises `IndexingError`."""
    # The notes go last: points without them would be taken for another program's.
    for name in (collection, f"{collection}.notes"):
        _called(f"the collection {collection}", partial(client.delete_collection, name))


class ServerStore:
    """A `PointStore` on a server."""

    def __init__(self, client: QdrantClient, collection: str, dimension: int) -> None:
        from qdrant_client import models

        self._client = client
        self._models = models
        self._collection = collection
        self._notes = f"{collection}.notes"
        self._mutex = threading.RLock()
        self._version = 1
        self._stamp: str | None = None
        self._looked_at = float("-inf")
        self._make(dimension)

    def _make(self, dimension: int) -> None:
        models = self._models
        if not self._call(lambda: self._client.collection_exists(self._notes)):
            self._call(lambda: self._client.create_collection(self._notes, vectors_config={}))
        if self._call(lambda: self._client.collection_exists(self._collection)):
            return
        dense = models.VectorParams(size=dimension, distance=models.Distance.COSINE)
        sparse = models.SparseVectorParams(modifier=models.Modifier.IDF)
        self._call(
            lambda: self._client.create_collection(
                self._collection,
                vectors_config=dict.fromkeys(DENSE_NAMES, dense),
                sparse_vectors_config={SPARSE: sparse},
            )
        )
        kinds = {
            **dict.fromkeys(KEYWORD_FIELDS, models.PayloadSchemaType.KEYWORD),
            **dict.fromkeys(INTEGER_FIELDS, models.PayloadSchemaType.INTEGER),
        }
        if hasattr(self._client, "_client") and type(self._client._client).__name__ == "QdrantLocal":
            return  # without a server there is nothing to index
        for name, kind in kinds.items():
            self._call(partial(self._client.create_payload_index, self._collection, name, kind, wait=True))

    def _call(self, request: Callable[[], _Result]) -> _Result:
        return _called(f"the collection {self._collection}", request)

    @property
    def version(self) -> int:
        """Changes when a note was written, here or by another process (seen after a second)."""
        return self._version

    @contextmanager
    def session(self) -> Iterator[None]:
        """One thread of this process at a time, with a look whether another process wrote a note."""
        with self._mutex:
            if time.monotonic() - self._looked_at > _LOOK_AGAIN:
                self._look()
            yield

    def _look(self) -> None:
        found = self._call(
            lambda: self._client.retrieve(self._notes, [_note_id("stamp", 0)], with_payload=True, with_vectors=False)
        )
        stamp = (found[0].payload or {}).get("content") if found else None
        if stamp != self._stamp:
            self._stamp = stamp
            self._version += 1
        self._looked_at = time.monotonic()

    # -- points ----------------------------------------------------------------------------------

    def write(self, points: Sequence[Point], dense_name: str) -> None:
        """Stores points, replacing those of the same id; durable on return."""
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
        """Sets one dense vector of existing points."""
        if vectors:
            models = self._models
            made = [models.PointVectors(id=key, vector={dense_name: row}) for key, row in vectors.items()]
            self._call(lambda: self._client.update_vectors(self._collection, made, wait=True))

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
        offset: Any = None
        while True:
            records, offset = self._call(
                partial(
                    self._client.scroll,
                    self._collection,
                    limit=batch,
                    offset=offset,
                    with_payload=["text"] if with_text else False,
                    with_vectors=[SPARSE],
                )
            )
            yield [
                (int(str(record.id)), Entry((record.payload or {}).get("text", ""), _terms(record)))
                for record in records
            ]
            if offset is None:
                return

    def delete(self, sha256s: Sequence[str]) -> None:
        """Removes the points of these documents; durable on return."""
        models = self._models
        matching = models.Filter(must=[models.FieldCondition(key="sha256", match=models.MatchAny(any=list(sha256s)))])
        selector = models.FilterSelector(filter=matching)
        self._call(lambda: self._client.delete(self._collection, selector, wait=True))

    def documents(self) -> set[str]:
        """Every value of the field ``sha256``."""
        limit = max(1, self.count())
        found = self._call(lambda: self._client.facet(self._collection, "sha256", limit=limit, exact=True))
        return {str(hit.value) for hit in found.hits if hit.count}

    def count(self) -> int:
        """The number of points."""
        return self._call(lambda: self._client.count(self._collection, exact=True)).count

    # -- notes -----------------------------------------------------------------------------------

    def read_note(self, name: str) -> bytes | None:
        """What `write_note` stored under this name."""
        first = self._part(name, 0)
        if first is None:
            return None
        parts = [first["content"]]
        for place in range(1, first["parts"]):
            part = self._part(name, place)
            if part is None or part["written"] != first["written"]:
                return None
            parts.append(part["content"])
        return b"".join(base64.b64decode(part) for part in parts)

    def _part(self, name: str, place: int) -> dict[str, Any] | None:
        found = self._call(lambda: self._client.retrieve(self._notes, [_note_id(name, place)], with_payload=True))
        return found[0].payload if found else None

    def write_note(self, name: str, content: bytes) -> None:
        """Stores bytes under a name; the first part goes last and makes the others count."""
        written = uuid.uuid4().hex
        parts = [content[start : start + _PART] for start in range(0, max(1, len(content)), _PART)]
        for place in reversed(range(len(parts))):
            payload = {
                "name": name,
                "written": written,
                "parts": len(parts),
                "content": base64.b64encode(parts[place]).decode("ascii"),
            }
            self._write_payload(_note_id(name, place), payload)
        self._stamp = written
        self._write_payload(_note_id("stamp", 0), {"name": "stamp", "content": written})
        self._version += 1

    def _write_payload(self, key: str, payload: dict[str, Any]) -> None:
        point = self._models.PointStruct(id=key, vector={}, payload=payload)
        self._call(lambda: self._client.upsert(self._notes, [point], wait=True))

    def remove_note(self, name: str) -> None:
        """Forgets a note."""
        first = self._part(name, 0)
        if first is not None:
            selector = self._models.PointIdsList(points=[_note_id(name, n) for n in range(first["parts"])])
            self._call(lambda: self._client.delete(self._notes, selector, wait=True))

    # -- upkeep ----------------------------------------------------------------------------------

    def optimize(self, *, wait: bool) -> None:
        """The server builds its graphs by itself; with `wait`, until it says it is done."""
        green = self._models.CollectionStatus.GREEN
        while wait and self._call(lambda: self._client.get_collection(self._collection)).status != green:
            time.sleep(0.2)

    def close(self) -> None:
        """Nothing to release: the client belongs to whoever made it."""


def _called(where: str, request: Callable[[], _Result]) -> _Result:
    try:
        return request()
    except IndexingError:
        raise
    except Exception as error:  # httpx, gRPC and the client each raise their own
        reason = str(error).strip().split("\n", 1)[0][:200] or type(error).__name__
        raise IndexingError(
            f"The Qdrant server ({where}) does not answer as it should ({reason}); see that it runs "
            "(`docker compose up -d qdrant`), or unset DEEPRESEARCH_QDRANT_URL to use the embedded index."
        ) from error


def _note_id(name: str, place: int) -> str:
    return str(uuid.uuid5(_NOTES, f"{name}/{place}"))


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
