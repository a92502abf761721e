"""The index in a folder of this machine, on Qdrant's own engine inside the process (`qdrant-edge-py`)."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepresearch.model.errors import IndexingError, StorageError
from deepresearch.retrieval.dense import Encoder, Entry
from deepresearch.retrieval.hybrid import HybridIndex
from deepresearch.retrieval.index import Filters
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.sparse import TermVector
from deepresearch.retrieval.store import DENSE_NAMES, INDEXED_FIELDS, SPARSE, Point, Stored

_SCAN = 1_000


class EmbeddedIndex(HybridIndex):
    """An index in `folder`, made there when it does not exist. One process at a time.

    `wait` is how many seconds to wait for another process to let go of the folder before
    `IndexingError` says who holds it. See `Index` for the rest of the contract.
    """

    def __init__(self, folder: Path, encoder: Encoder | None = None, wait: float = 10.0) -> None:
        encoder = encoder or LatentSemanticEncoder()
        store = EmbeddedStore(folder, encoder.dimension, wait)
        try:
            super().__init__(store, encoder, str(folder))
        except BaseException:
            store.close()
            raise


class EmbeddedStore:
    """A `PointStore` in a folder: the engine's shard, the notes as files, and a lock."""

    def __init__(self, folder: Path, dimension: int, wait: float) -> None:
        import qdrant_edge as engine  # noqa: PLC0415

        self._engine: Any = engine
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(f"The index folder {folder} cannot be made: {error.strerror}.") from error
        self._lock = _lock(folder, wait)
        shard = folder / "shard"
        if (shard / "edge_config.json").exists():
            self._shard: Any = engine.EdgeShard.load(str(shard))
        else:
            self._shard = engine.EdgeShard.create(str(shard), self._configuration(dimension))
            for name, kind in INDEXED_FIELDS.items():
                schema = engine.PayloadSchemaType.Keyword if kind == "keyword" else engine.PayloadSchemaType.Integer
                self._shard.update(engine.UpdateOperation.create_field_index(name, schema))

    def _configuration(self, dimension: int) -> Any:
        engine = self._engine
        return engine.EdgeConfig(
            vectors={
                name: engine.EdgeVectorParams(size=dimension, distance=engine.Distance.Cosine) for name in DENSE_NAMES
            },
            sparse_vectors={SPARSE: engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)},
        )

    def write(self, points: Sequence[Point], dense_name: str) -> None:
        """Stores points, replacing those of the same id; durable on return."""
        engine = self._engine
        made = []
        for point in points:
            vectors: dict[str, Any] = {}
            if point.sparse:
                vectors[SPARSE] = engine.SparseVector(point.sparse.indices, point.sparse.values)
            if point.dense is not None:
                vectors[dense_name] = point.dense
            made.append(engine.Point(point.id, vectors, point.payload))
        self._update(engine.UpdateOperation.upsert_points(made))

    def write_dense(self, dense_name: str, vectors: Mapping[str, list[float]]) -> None:
        """Sets one dense vector of existing points."""
        engine = self._engine
        made = [engine.PointVectors(key, {dense_name: row}) for key, row in vectors.items()]
        self._update(engine.UpdateOperation.update_vectors(made))

    def drop_dense(self, dense_name: str) -> None:
        """Removes one dense vector from all points."""
        engine = self._engine
        having = engine.Filter(must=[engine.HasVectorCondition(dense_name)])
        self._update(engine.UpdateOperation.delete_vectors_by_filter(having, [dense_name]))

    def _update(self, operation: Any) -> None:
        self._shard.update(operation)

    def search(
        self, queries: Sequence[tuple[str, TermVector | list[float]]], limit: int, filters: Filters | None
    ) -> list[list[tuple[str, float]]]:
        """For each (vector name, query): the best points as (id, score), best first."""
        engine = self._engine
        wanted = _condition(engine, filters)
        requests = []
        for name, query in queries:
            vector = engine.SparseVector(query.indices, query.values) if isinstance(query, TermVector) else query
            requests.append(engine.QueryRequest(limit=limit, query=engine.Query.Nearest(vector, name), filter=wanted))
        found = self._shard.query_batch(engine.QueryBatchRequest(requests))
        return [[(str(point.id), point.score) for point in results] for results in found]

    def payloads(self, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The payloads of these points."""
        return {str(record.id): record.payload for record in self._shard.retrieve(list(ids), True, False)}

    def scan(self) -> Iterator[Stored]:
        """Every point with its terms."""
        offset = None
        while True:
            records, offset = self._shard.scroll(
                self._engine.ScrollRequest(offset=offset, limit=_SCAN, with_payload=["text"], with_vector=[SPARSE])
            )
            for record in records:
                sparse = (record.vector or {}).get(SPARSE)
                terms = TermVector(sparse.indices, sparse.values) if sparse is not None else TermVector([], [])
                yield Stored(str(record.id), Entry(record.payload["text"], terms))
            if offset is None:
                return

    def delete(self, sha256s: Sequence[str]) -> None:
        """Removes the points of these documents; durable on return."""
        engine = self._engine
        matching = engine.Filter(must=[engine.FieldCondition("sha256", match=engine.MatchAny(list(sha256s)))])
        self._update(engine.UpdateOperation.delete_points_by_filter(matching))

    def documents(self) -> set[str]:
        """Every value of the field ``sha256``."""
        request = self._engine.FacetRequest("sha256", limit=max(1, self.count()), exact=True)
        return {str(hit.value) for hit in self._shard.facet(request).hits if hit.count}

    def count(self) -> int:
        """The number of points."""
        return int(self._shard.count(self._engine.CountRequest(exact=True)))

    def read_note(self, name: str) -> bytes | None:
        """What `write_note` stored under this name."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def write_note(self, name: str, content: bytes) -> None:
        """Stores bytes under a name: all of them or, when the process dies, none."""
        path = self._folder / f"{name}.new"
        with path.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.replace(self._folder / name)

    def remove_note(self, name: str) -> None:
        """Forgets a note."""
        (self._folder / name).unlink(missing_ok=True)

    def optimize(self) -> None:
        """Builds the engine's search structures."""
        self._shard.optimize()

    def close(self) -> None:
        """Releases the engine and the folder."""
        if getattr(self, "_shard", None) is not None:
            self._shard.close()
        os.close(self._lock)


def _condition(engine: Any, filters: Filters | None) -> Any:
    if filters is None:
        return None
    must: list[Any] = [
        engine.FieldCondition(name, match=engine.MatchAny(list(values)))
        for name, values in (("sha256", filters.sha256s), ("kind", filters.kinds), ("tags", filters.tags))
        if values is not None
    ]
    if filters.date_from is not None or filters.date_to is not None:
        first = filters.date_from.toordinal() if filters.date_from else None
        last = filters.date_to.toordinal() if filters.date_to else None
        must.append(engine.FieldCondition("day", range=engine.RangeFloat(gte=first, lte=last)))
    return engine.Filter(must=must) if must else None


def _lock(folder: Path, wait: float) -> int:
    """Takes the folder's lock and writes down who has it. Raises `IndexingError` naming the holder."""
    path = folder / "lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    deadline = time.monotonic() + wait
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError as error:
            if time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            holder = os.pread(descriptor, 4096, 0).decode("utf-8", "replace").strip()
            os.close(descriptor)
            raise IndexingError(
                f"The index {folder} is in use by another process ({holder or 'unknown'}); wait for it or end it."
            ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"pid {os.getpid()}: {json.dumps(' '.join(sys.argv))}\n".encode(), 0)
    return descriptor
