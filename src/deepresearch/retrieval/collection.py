"""What is written down about a collection beside its points, and the parts that are read back from it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.dense import Encoder
from deepresearch.retrieval.sparse import BM25
from deepresearch.retrieval.statistics import TermStatistics
from deepresearch.retrieval.store import DENSE_NAMES, PointStore

FORMAT = 1
REBUILD = "make it again with `deepresearch index rebuild`"
_COLLECTION = "collection.json"


@dataclass(frozen=True)
class Collection:
    """The note about a collection.

    `average_length` is what BM25 was told, `languages` those its passages were stemmed for, `dense` the
    name of the dense vector in use, `learned` what the notes of the last fit are called, `fitted_on` the
    number of passages then (0 before the first fit).
    """

    encoder: str
    encoder_version: int
    dimension: int
    average_length: float
    languages: list[str] = field(default_factory=list)
    dense: str = DENSE_NAMES[0]
    learned: str | None = None
    fitted_on: int = 0
    format: int = FORMAT


@dataclass(frozen=True)
class State:
    """A collection with its encoders, as they were when the store had this version."""

    version: int
    collection: Collection
    sparse: BM25
    encoder: Encoder
    statistics: TermStatistics | None


def read_state(store: PointStore, make_encoder: Callable[[], Encoder], place: str) -> State:
    """Reads the note of a store, or writes the first. Raises `IndexingError` for an unfit note."""
    while True:
        version = store.version
        written = store.read_note(_COLLECTION) or _first_note(store, make_encoder(), place)
        try:
            return _state(store, version, written, make_encoder(), place)
        except IndexingError:
            # Another process may have put a newer fit, and its notes, in the place of the one this note names.
            if store.read_note(_COLLECTION) == written:
                raise
            store.look()


def _first_note(store: PointStore, encoder: Encoder, place: str) -> bytes:
    with store.alone(wait=True):
        written = store.read_note(_COLLECTION)  # another process may have been quicker
        if written is not None:
            return written
        if store.count():
            raise IndexingError(f"The index in {place} has lost its description; {REBUILD}.")
        write_collection(store, Collection(encoder.name, encoder.version, encoder.dimension, BM25().average_length))
    return store.read_note(_COLLECTION) or b""


def _state(store: PointStore, version: int, written: bytes, encoder: Encoder, place: str) -> State:
    try:
        collection = Collection(**json.loads(written))
        known = collection.format == FORMAT
    except (ValueError, TypeError):
        known = False
    if not known:
        raise IndexingError(f"The index in {place} was written by an unknown version; {REBUILD}.")
    made_with = (collection.encoder, collection.encoder_version, collection.dimension)
    if made_with != (encoder.name, encoder.version, encoder.dimension):
        raise IndexingError(
            f"The index in {place} was made with the encoder {collection.encoder} (version "
            f"{collection.encoder_version}, {collection.dimension} dimensions), not {encoder.name} (version "
            f"{encoder.version}, {encoder.dimension} dimensions); {REBUILD}, or set the former encoder."
        )
    statistics = None
    if collection.learned is not None:
        counted, learned = (store.read_note(f"{kind}-{collection.learned}") for kind in ("terms", "encoder"))
        if counted is None or learned is None:
            raise IndexingError(f"The index in {place} has lost its encoder; {REBUILD}.")
        try:
            statistics = TermStatistics.from_bytes(counted)
            encoder.from_bytes(learned)
        except ValueError as error:
            raise IndexingError(f"The encoder of the index in {place} is damaged; {REBUILD}.") from error
    sparse = BM25(average_length=collection.average_length)
    return State(version, collection, sparse, encoder, statistics)


def write_collection(store: PointStore, collection: Collection) -> None:
    """Writes the note about a collection."""
    store.write_note(_COLLECTION, json.dumps(vars(collection), indent=1, sort_keys=True).encode())


def write_fit(store: PointStore, state: State, encoder: Encoder, statistics: TermStatistics, dense: str) -> State:
    """Makes a new fit the one in use: its notes, then the one note that names them; the old ones go."""
    number = 1 + int(state.collection.learned or 0)
    store.write_note(f"terms-{number}", statistics.to_bytes())
    store.write_note(f"encoder-{number}", encoder.to_bytes())
    collection = replace(state.collection, dense=dense, learned=str(number), fitted_on=max(1, statistics.passages))
    write_collection(store, collection)
    if state.collection.learned is not None:
        store.remove_note(f"terms-{state.collection.learned}")
        store.remove_note(f"encoder-{state.collection.learned}")
    return State(store.version, collection, state.sparse, encoder, statistics)
