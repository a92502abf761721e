"""One shard of the embedded engine (`qdrant-edge-py`): the calls this package needs, no folders or locks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from deepresearch.model.errors import IndexingError, StorageError
from deepresearch.retrieval.dense import Entry
from deepresearch.retrieval.index import Filters
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

_LINKS, _BREADTH = 16, 100  # of the graph over the dense vectors (Malkov and Yashunin, 2016)
_PLAIN_BELOW_KB = 8_000  # segments with fewer kilobytes of dense vectors are searched without a graph


class Shard:
    """An open shard. Engine errors become `IndexingError`, or `StorageError` when the disk is full."""

    def __init__(self, path: Path, dimension: int | None) -> None:
        """Opens the shard in `path`, or makes one for vectors of `dimension` (None: it has to be there)."""
        import qdrant_edge as engine

        self._engine: Any = engine
        self._path = path
        if (path / "edge_config.json").exists():
            self._shard: Any = self._guarded(lambda: engine.EdgeShard.load(str(path)))
            return
        if dimension is None:
            raise IndexingError(f"The index in {path.parent} is incomplete; {_REBUILD}.")
        self._shard = self._guarded(lambda: engine.EdgeShard.create(str(path), self._configuration(dimension)))
        for name in KEYWORD_FIELDS:
            self.update(engine.UpdateOperation.create_field_index(name, engine.PayloadSchemaType.Keyword))
        for name in INTEGER_FIELDS:
            self.update(engine.UpdateOperation.create_field_index(name, engine.PayloadSchemaType.Integer))

    def _configuration(self, dimension: int) -> Any:
        engine = self._engine
        dense = engine.EdgeVectorParams(size=dimension, distance=engine.Distance.Cosine)
        return engine.EdgeConfig(
            vectors=dict.fromkeys(DENSE_NAMES, dense),
            sparse_vectors={SPARSE: engine.EdgeSparseVectorParams(modifier=engine.Modifier.Idf)},
            hnsw_config=engine.HnswIndexConfig(_LINKS, _BREADTH, _PLAIN_BELOW_KB),
        )

    def _guarded(self, call: Any) -> Any:
        try:
            return call()
        except (OSError, ValueError, RuntimeError) as error:
            raise self._translated(error) from error
        except Exception as error:  # the engine raises bare `Exception` for everything of its own
            if type(error) is not Exception:
                raise
            raise self._translated(error) from error

    def _translated(self, error: Exception) -> Exception:
        reason = str(error).split("\n", 1)[0][:300]
        if "No space left" in reason or "os error 28" in reason:
            return StorageError(f"The disk is full: the index {self._path.parent} needs room. ({reason})")
        if "Permission denied" in reason:
            return StorageError(f"The index {self._path.parent} may not be written or read. ({reason})")
        return IndexingError(f"The index {self._path.parent} cannot be used ({reason}); {_REBUILD}.")

    def update(self, operation: Any) -> None:
        """Carries out one of the engine's operations."""
        self._guarded(lambda: self._shard.update(operation))

    def write(self, points: Sequence[Point], dense_name: str) -> None:
        """See `PointStore.write`."""
        engine = self._engine
        made = []
        for point in points:
            vectors: dict[str, Any] = {}
            if point.sparse:
                vectors[SPARSE] = engine.SparseVector(point.sparse.indices, point.sparse.values)
            if point.dense is not None:
                vectors[dense_name] = point.dense
            made.append(engine.Point(point.id, vectors, point.payload))
        self.update(engine.UpdateOperation.upsert_points(made))

    def write_dense(self, dense_name: str, vectors: Mapping[int, list[float]]) -> None:
        """See `PointStore.write_dense`."""
        engine = self._engine
        if vectors:
            made = [engine.PointVectors(key, {dense_name: row}) for key, row in vectors.items()]
            self.update(engine.UpdateOperation.update_vectors(made))

    def drop_dense(self, dense_name: str) -> None:
        """See `PointStore.drop_dense`."""
        engine = self._engine
        having = engine.Filter(must=[engine.HasVectorCondition(dense_name)])
        self.update(engine.UpdateOperation.delete_vectors_by_filter(having, [dense_name]))

    def search(
        self, queries: Sequence[VectorQuery], limit: int, filters: Filters | None
    ) -> list[list[tuple[int, float]]]:
        """See `PointStore.search`."""
        engine = self._engine
        wanted = _condition(engine, filters)
        results = []
        for name, query in queries:
            vector = engine.SparseVector(query.indices, query.values) if isinstance(query, TermVector) else query
            request = engine.QueryRequest(limit=limit, query=engine.Query.Nearest(vector, name), filter=wanted)
            # One after the other: a batch runs them on several threads, and on a busy machine handing over
            # costs more than it saves (95th percentile at 100,000 passages: 8 ms instead of 1.4).
            found = self._guarded(partial(self._shard.query, request))
            results.append([(point.id, point.score) for point in found])
        return results

    def payloads(self, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
        """See `PointStore.payloads`."""
        records = self._guarded(lambda: self._shard.retrieve(list(ids), True, False))
        return {record.id: record.payload for record in records}

    def vectors(self, ids: Sequence[int], dense_name: str) -> dict[int, Vectors]:
        """See `PointStore.vectors`."""
        records = self._guarded(lambda: self._shard.retrieve(list(ids), False, [SPARSE, dense_name]))
        return {record.id: Vectors(_terms(record), (record.vector or {}).get(dense_name)) for record in records}

    def scan(self, batch: int, *, with_text: bool) -> Iterator[list[tuple[int, Entry]]]:
        """See `PointStore.scan`."""
        engine = self._engine
        payload = ["text"] if with_text else False
        offset: Any = None
        while True:
            request = engine.ScrollRequest(offset, batch, with_payload=payload, with_vector=[SPARSE])
            records, offset = self._guarded(lambda request=request: self._shard.scroll(request))
            yield [(record.id, Entry((record.payload or {}).get("text", ""), _terms(record))) for record in records]
            if offset is None:
                return

    def delete(self, sha256s: Sequence[str]) -> None:
        """See `PointStore.delete`."""
        self.update(self._engine.UpdateOperation.delete_points_by_filter(self._of_documents(sha256s)))

    def ids_of(self, sha256s: Sequence[str]) -> list[int]:
        """The points of these documents."""
        found: list[int] = []
        offset: Any = None
        while True:
            request = self._engine.ScrollRequest(
                offset, 10_000, self._of_documents(sha256s), with_payload=False, with_vector=False
            )
            records, offset = self._guarded(lambda request=request: self._shard.scroll(request))
            found.extend(record.id for record in records)
            if offset is None:
                return found

    def copy_points(self, ids: Sequence[int], target: Shard) -> None:
        """Makes these points in `target` what they are here: the same, or absent."""
        engine = self._engine
        records = self._guarded(lambda: self._shard.retrieve(list(ids), True, True))
        there = [engine.Point(record.id, record.vector or {}, record.payload) for record in records]
        gone = sorted(set(ids) - {record.id for record in records})
        if there:
            target.update(engine.UpdateOperation.upsert_points(there))
        if gone:
            target.update(engine.UpdateOperation.delete_points(gone))

    def documents(self) -> set[str]:
        """See `PointStore.documents`."""
        request = self._engine.FacetRequest("sha256", limit=max(1, self.count()), exact=True)
        facet = self._guarded(lambda: self._shard.facet(request))
        return {str(hit.value) for hit in facet.hits if hit.count}

    def count(self) -> int:
        """See `PointStore.count`."""
        return int(self._guarded(lambda: self._shard.count(self._engine.CountRequest(exact=True))))

    def unindexed(self) -> int:
        """How many dense vectors are searched one by one for want of a graph, about."""
        info = self._guarded(self._shard.info)
        return max(0, 2 * int(info.points_count) - int(info.indexed_vectors_count))

    def flush(self) -> None:
        """Writes everything to the disk."""
        self._guarded(self._shard.flush)

    def optimize(self) -> None:
        """Builds graphs and merges segments. Holds the interpreter until it is done."""
        self._guarded(self._shard.optimize)

    def close(self) -> None:
        """Flushes and closes."""
        self._guarded(self._shard.flush)
        self._shard.close()

    def _of_documents(self, sha256s: Sequence[str]) -> Any:
        engine = self._engine
        return engine.Filter(must=[engine.FieldCondition("sha256", match=engine.MatchAny(list(sha256s)))])


_REBUILD = "make it again with `deepresearch index rebuild`"


def _terms(record: Any) -> TermVector:
    sparse = (record.vector or {}).get(SPARSE)
    return TermVector(sparse.indices, sparse.values) if sparse is not None else TermVector([], [])


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
