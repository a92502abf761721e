"""What only a real Qdrant server shows: restarts, refusals, limits, and processes at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tests.qdrant_server import MISSING, QdrantServer, program

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError
from deepresearch.retrieval import Filters
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.server import ServerIndex, connect, remove_collection
from deepresearch.retrieval.store import Point, point_id, to_payload

pytest.importorskip("qdrant_client", reason="the extra `qdrant` is not installed")

WORDS = ("ferry", "harbour", "barley", "timber", "pilot", "storm", "lantern", "quay", "rope", "tide", "salt", "wharf")
KEY = "a-key-that-is-never-shown-7f1c"


def passages(start: int, end: int, *, document: str = "") -> Iterator[Passage]:
    for number in range(start, end):
        some = " ".join(WORDS[(number * step + step) % len(WORDS)] for step in range(1, 9))
        text = f"Entry mark{number} tells of {some}."
        yield Passage(
            id=f"p-{number}", sha256=document or f"d-{number // 10}", start=0, end=len(text), text=text, kind="prose"
        )


@pytest.fixture
def name(qdrant_url: str) -> Iterator[str]:
    """The name of a collection that is removed afterwards."""
    made = f"live-{uuid.uuid4().hex}"
    yield made
    with closing(connect(qdrant_url)) as client:
        remove_collection(client, made)


@pytest.fixture
def client(qdrant_url: str) -> Iterator[Any]:
    with closing(connect(qdrant_url)) as made:
        yield made


def keyed(**settings: str) -> QdrantServer:
    if program() is None:
        pytest.skip(MISSING)
    return QdrantServer(**settings)


# -- a server that goes away -----------------------------------------------------------------------


def test_work_goes_on_when_the_server_is_killed_and_comes_back(qdrant: QdrantServer) -> None:
    with closing(connect(qdrant.url)) as client, ServerIndex(client, "ships") as index:
        index.upsert(passages(0, 1_500))
        qdrant.kill()
        starting = threading.Timer(1.0, qdrant.start)
        starting.start()
        try:
            index.upsert(passages(1_500, 3_000))
        finally:
            starting.join()
        assert index.count() == 3_000
        assert index.documents() == {f"d-{number}" for number in range(300)}
        assert index.search("mark2999")[0].passage.id == "p-2999"


def test_a_server_that_stays_away_is_named(qdrant: QdrantServer) -> None:
    with closing(connect(qdrant.url)) as client, ServerIndex(client, "ships", patience=0.5) as index:
        index.upsert(passages(0, 10))
        qdrant.kill()
        with pytest.raises(IndexingError, match=r"the collection ships.*docker compose up -d qdrant"):
            index.search("mark5")


def test_searches_meanwhile_end_with_hits_or_a_sentence(qdrant: QdrantServer) -> None:
    with closing(connect(qdrant.url)) as client, ServerIndex(client, "ships", patience=0.2) as index:
        index.upsert(passages(0, 2_000))
        killing = threading.Timer(0.5, qdrant.kill)
        killing.start()
        end = time.monotonic() + 10
        with pytest.raises(IndexingError, match="does not answer as it should"):
            while time.monotonic() < end:
                assert index.search("mark77")[0].passage.id == "p-77"
        killing.join()


def test_optimising_ends_after_a_restart(qdrant: QdrantServer) -> None:
    with closing(connect(qdrant.url)) as client, ServerIndex(client, "ships") as index:
        index.upsert(passages(0, 12_000))
        qdrant.kill()
        qdrant.start()
        index.optimize()
        assert client.get_collection("ships").status == "green"
        assert index.search("mark11999")[0].passage.id == "p-11999"


# -- what it refuses -------------------------------------------------------------------------------


def test_a_wrong_key_is_refused_and_never_shown(recwarn: pytest.WarningsRecorder) -> None:
    with closing(keyed(SERVICE__API_KEY=KEY, SERVICE__READ_ONLY_API_KEY="reads")) as server:
        with closing(connect(server.url, api_key=f"{KEY}\n")) as client, ServerIndex(client, "ships") as index:
            index.upsert(passages(0, 10))
            assert index.search("mark5")[0].passage.id == "p-5"
        for wrong in (None, "another-key-8812"):
            with pytest.raises(IndexingError, match=r"refuses the key .*DEEPRESEARCH_QDRANT_API_KEY") as refused:
                connect(server.url, api_key=wrong)
            assert "8812" not in str(refused.value)
        with closing(connect(server.url, api_key="reads")) as client:
            with ServerIndex(client, "ships") as index:
                assert index.count() == 10
                with pytest.raises(IndexingError, match="refuses the key"):
                    index.upsert(passages(10, 20))
            with pytest.raises(IndexingError, match="refuses the key"):
                ServerIndex(client, "new")
    for key in ("schlüssel-8812", "8812\nother"):
        with pytest.raises(IndexingError, match="characters that no key has") as refused:
            connect("http://127.0.0.1:1", api_key=key)
        assert "8812" not in str(refused.value)
    assert not [one for one in recwarn if "key" in str(one.message).lower()]


def test_batches_larger_than_a_request_may_be_are_cut(client: Any, name: str) -> None:
    with ServerIndex(client, name) as index:
        long = [
            Passage(id=f"long-{n}", sha256="long", start=0, end=3_000_000, text=f"mark{n} " + "\x01é" * 1_500_000)
            for n in range(12)
        ]
        index.upsert(long)
        assert index.count() == 12
        assert index.search("mark7")[0].passage == long[7]


def test_a_server_that_allows_less_in_a_request() -> None:
    with (
        closing(keyed(SERVICE__MAX_REQUEST_SIZE_MB="1")) as server,
        closing(connect(server.url)) as client,
        ServerIndex(client, "ships", lambda: LatentSemanticEncoder(vocabulary=2_000)) as index,
    ):
        index.upsert(passages(0, 6_000))
        assert index.count() == 6_000
        assert index.search("mark77")[0].passage.id == "p-77"
        text = "ferry " * 400_000
        with pytest.raises(IndexingError, match=r"allows less in a request .*max_request_size_mb"):
            index.upsert([Passage(id="long", sha256="long", start=0, end=len(text), text=text)])


def test_a_server_in_strict_mode() -> None:
    limits = {"MAX_QUERY_LIMIT": "150", "UPSERT_MAX_BATCHSIZE": "300", "UNINDEXED_FILTERING_RETRIEVE": "false"}
    limits |= {"ENABLED": "true", "UNINDEXED_FILTERING_UPDATE": "false"}
    strict = {f"STORAGE__COLLECTION__STRICT_MODE__{name}": value for name, value in limits.items()}
    with (
        closing(keyed(**strict)) as server,
        closing(connect(server.url)) as client,
        ServerIndex(client, "ships") as index,
    ):
        index.upsert(passages(0, 3_000))
        assert index.documents() == {f"d-{number}" for number in range(300)}
        index.delete(["d-0"])
        assert index.count() == 2_990
        assert index.search("mark77", filters=Filters(sha256s=("d-7",)))[0].passage.id == "p-77"
        with pytest.raises(IndexingError, match=r"allows less .*strict mode"):
            index.search("ferry", limit=500)


def test_wide_vectors_fit_into_requests(client: Any, name: str) -> None:
    with ServerIndex(client, name, lambda: LatentSemanticEncoder(2_048)) as index:
        store = index._store
        many = [Point(point_id(one.id), to_payload(one, (), None), index._current().sparse.encode_document(one)[0], None)
                for one in passages(0, 1_000)]  # fmt: skip
        store.write(many, "dense_a")
        store.write_dense("dense_a", {one.id: [0.1234567890123456 + place for place in range(2_048)] for one in many})
        assert len(store.vectors([many[999].id], "dense_a")[many[999].id].dense or ()) == 2_048


def test_text_that_no_encoding_carries(client: Any, name: str) -> None:
    text = "A lone surrogate \ud800 beside a ferry."
    odd = Passage(id="odd", sha256="odd", start=0, end=len(text), text=text)
    with (
        ServerIndex(client, name) as index,
        pytest.raises(IndexingError, match=r"cannot be asked for this.*surrogates not allowed"),
    ):
        index.upsert([odd])


# -- what was left half done, or changed by others -------------------------------------------------


def test_a_collection_that_was_made_half_is_completed(client: Any, name: str) -> None:
    with ServerIndex(client, name) as index:
        index.upsert(passages(0, 30))
    for field in ("sha256", "day"):
        client.delete_payload_index(name, field)
    with ServerIndex(client, name) as index:
        assert index.documents() == {"d-0", "d-1", "d-2"}
    assert {"sha256", "kind", "tags", "day"} <= set(client.get_collection(name).payload_schema)


def test_vectors_of_points_that_were_deleted_meanwhile_are_left_out(client: Any, name: str) -> None:
    with ServerIndex(client, name) as index:
        index.upsert(passages(0, 20))
        index.delete(["d-0"])
        rows = {point_id(f"p-{number}"): [1.0] * 192 for number in range(20)}
        index._store.write_dense("dense_b", rows)
        assert index.count() == 10
        there = index._store.vectors(list(rows), "dense_b")
        assert len(there) == 10
        assert all(one.dense is not None for one in there.values())


def test_a_collection_that_another_process_removed(client: Any, name: str) -> None:
    with ServerIndex(client, name) as index:
        index.upsert(passages(0, 10))
        remove_collection(client, name)
        with pytest.raises(IndexingError, match=rf"{name}.*no longer has.*doesn't exist"):
            index.search("mark5")


def test_collections_whose_names_differ_by_notes(client: Any, name: str) -> None:
    with ServerIndex(client, name) as one, ServerIndex(client, f"{name}.notes") as other:
        one.upsert(passages(0, 10))
        other.upsert(passages(10, 20))
        assert one.search("mark5")[0].passage.id == "p-5"
        remove_collection(client, f"{name}.notes")
        assert one.count() == 10
        assert one.search("mark5")[0].passage.id == "p-5"


# -- processes at once -----------------------------------------------------------------------------


def test_opened_by_many_at_once(qdrant_url: str, name: str) -> None:
    def open_and_search() -> None:
        with closing(connect(qdrant_url)) as own, ServerIndex(own, name) as index:
            index.search("ferry")

    failed = in_threads([open_and_search] * 6)
    assert not failed


def test_every_passage_has_a_vector_when_one_writes_and_others_fit(qdrant_url: str, client: Any, name: str) -> None:
    """Searches fit the encoder too, each process for itself, while a writer goes on."""
    writing = threading.Event()
    writing.set()

    def write() -> None:
        try:
            with closing(connect(qdrant_url)) as own, ServerIndex(own, name) as index:
                for start in range(0, 6_000, 200):
                    index.upsert(passages(start, start + 200))
        finally:
            writing.clear()

    def read() -> None:
        with closing(connect(qdrant_url)) as own, ServerIndex(own, name) as index:
            while writing.is_set():
                index.search("storm at the quay")

    assert not in_threads([write, read, read])
    with ServerIndex(client, name) as index:
        state = index._current()
        assert state.encoder.is_fitted
        lacking = [key for batch in index._store.latecomers(state.collection.dense, 1_000, with_text=False) for key, _ in batch]  # fmt: skip
        assert index.count() == 6_000
        assert not lacking
        other = "dense_a" if state.collection.dense == "dense_b" else "dense_b"
        without = sum(len(batch) for batch in index._store.latecomers(other, 1_000, with_text=False))
        assert without == 6_000  # nothing of a former fit takes up room


def test_languages_of_two_writers_are_both_kept(qdrant_url: str, name: str) -> None:
    german = "Die Fähre überquert den Fjord im Sommer elfmal am Tag, und im Winter ist das nicht so."
    french = "Le traversier est en hausse : les élèves étudient dans les écoles de la région."

    def write(text: str, key: str) -> None:
        with closing(connect(qdrant_url)) as own, ServerIndex(own, name) as index:
            index.upsert([Passage(id=key, sha256=key, start=0, end=len(text), text=text)])

    assert not in_threads([lambda: write(german, "de"), lambda: write(french, "fr")])
    with closing(connect(qdrant_url)) as own, ServerIndex(own, name) as index:
        assert index.search("Fähren im Fjord")[0].passage.id == "de"
        assert index.search("ecole eleve")[0].passage.id == "fr"


def test_a_turn_whose_holder_was_killed_is_taken_over(qdrant_url: str, client: Any, name: str) -> None:
    holder = (
        "import sys, time\n"
        "from deepresearch.retrieval.server import ServerIndex, connect\n"
        "index = ServerIndex(connect(sys.argv[1]), sys.argv[2])\n"
        "with index._store.alone(wait=True):\n"
        "    print('mine', flush=True)\n"
        "    time.sleep(600)\n"
    )
    with ServerIndex(client, name) as index:
        index.upsert(passages(0, 10))
        child = subprocess.Popen([sys.executable, "-c", holder, qdrant_url, name], stdout=subprocess.PIPE)
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"mine\n"
            with index._store.alone(wait=False) as mine:
                assert not mine
        finally:
            child.kill()
            child.wait()
        assert index.search("mark5")[0].passage.id == "p-5"  # the first fit waits until the turn is free
        with index._store.alone(wait=False) as mine:
            assert mine


def in_threads(works: list[Any]) -> list[BaseException]:
    failed: list[BaseException] = []

    def guarded(work: Any) -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed
