"""Named collections on a Qdrant server, everything else on this machine; one writer on all machines."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.postgres_server import PostgresServer
from tests.session.generated_documents import write_documents

from deepresearch.model.errors import IndexingError
from deepresearch.retrieval.server import connect
from deepresearch.session.archive import Archive
from deepresearch.session.collections import Collections
from deepresearch.session.database import open_database
from deepresearch.session.index_places import ServerPlace
from deepresearch.session.library import Library
from deepresearch.session.writer_lock import WriterLock
from deepresearch.settings import Settings

pytest.importorskip("qdrant_client", reason="the extra `qdrant` is not installed")
from qdrant_client import QdrantClient


class Machine:
    """A machine with a data folder and database of its own, over the server that `connect` reaches."""

    def __init__(self, connect: Callable[[], QdrantClient], home: Path) -> None:
        self.archive = Archive(Settings(home=home))
        self.library = Library(Settings(home=home), ServerPlace(connect, "test"))
        self.collections = Collections(self.archive.store, self.library, self.archive.locks)


@dataclass
class Server:
    """What the tests look into, and how machines connect to it."""

    client: QdrantClient
    connect: Callable[[], QdrantClient]

    def collections(self) -> set[str]:
        """The collections that the machines made."""
        return {one.name for one in self.client.get_collections().collections if one.name.startswith("test-")}


class Shared(QdrantClient):
    """A client whose engine does not end with the first machine that closes it."""

    def close(self, grpc_grace: float | None = None, **kwargs: object) -> None:
        """Nothing."""


@pytest.fixture
def without_network(tmp_path: Path) -> Iterator[Server]:
    """The client library's own engine: the same calls, without a network."""
    client = Shared(path=str(tmp_path / "server"))
    yield Server(client, lambda: client)
    QdrantClient.close(client)


@pytest.fixture
def running(qdrant_url: str) -> Iterator[Server]:
    """A server."""
    with closing(connect(qdrant_url)) as client:
        yield Server(client, lambda: connect(qdrant_url))
        for one in client.get_collections().collections:
            if one.name.startswith("test-"):
                client.delete_collection(one.name)


@pytest.fixture(params=["without_network", "running"])
def server(request: pytest.FixtureRequest) -> Server:
    made: Server = request.getfixturevalue(request.param)
    return made


def test_a_collection_on_the_server(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    write_documents(folder, 12)
    one = Machine(server.connect, tmp_path / "one")
    ingested = one.collections.ingest("books", [folder])
    assert ingested.added == 12
    assert server.client.collection_exists("test-named-books")
    assert not (tmp_path / "one" / "index" / "named-books").exists()
    found = one.collections.search("books", "zx00007q")
    assert "zx00007q" in found.hits[0].text

    # What is on the server may vanish: it is made again from the store.
    server.client.delete_collection("test-named-books")
    assert one.collections.search("books", "zx00007q").hits[0].sha256 == found.hits[0].sha256

    one.collections.forget("books", [found.hits[0].source])
    assert not any("zx00007q" in hit.text for hit in one.collections.search("books", "zx00007q").hits)
    one.collections.delete("books")
    assert not server.client.collection_exists("test-named-books")
    assert not server.client.collection_exists("test-named-books+notes")


def test_machines_that_share_the_store_find_the_same(server: Server, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    write_documents(folder, 12)
    one = Machine(server.connect, tmp_path / "one")
    one.collections.ingest("books", [folder])
    one.library.close()
    one.archive.close()
    # The second machine has the same database and none of the first one's index folders.
    shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("index", "locks"))
    two = Machine(server.connect, tmp_path / "two")
    before = server.client.count("test-named-books").count
    assert "zx00003q" in two.collections.search("books", "zx00003q").hits[0].text
    assert server.client.count("test-named-books").count == before


def test_databases_that_know_nothing_of_each_other_do_not_share(server: Server, tmp_path: Path) -> None:
    folder, others = tmp_path / "books", tmp_path / "others"
    write_documents(folder, 12)
    others.mkdir()
    (others / "zx.md").write_text("# Lighthouse\n\nThe keeper counted zxseals in the fog.\n")
    one, two = Machine(server.connect, tmp_path / "one"), Machine(server.connect, tmp_path / "two")
    one.collections.ingest("books", [folder])
    for refused in (lambda: two.collections.ingest("books", [others]), lambda: two.collections.search("books", "fog")):
        with pytest.raises(IndexingError, match=r"DEEPRESEARCH_QDRANT_COLLECTION.*index rebuild books"):
            refused()
    assert "zx00007q" in one.collections.search("books", "zx00007q").hits[0].text
    two.collections.delete("books")
    assert "zx00007q" in one.collections.search("books", "zx00007q").hits[0].text

    # A data folder that was lost leaves an index that is nobody's any more.
    three = Machine(server.connect, tmp_path / "three")
    with pytest.raises(IndexingError, match="belongs to another database"):
        three.collections.ingest("books", [others])
    three.collections.rebuild("books")
    assert three.collections.ingest("books", [others]).added == 1
    assert [hit.source for hit in three.collections.search("books", "zxseals").hits] == [str(others / "zx.md")]
    with pytest.raises(IndexingError, match="belongs to another database"):
        one.collections.search("books", "zx00007q")


def test_sets_of_a_session_stay_on_the_machine(server: Server, tmp_path: Path) -> None:
    machine = Machine(server.connect, tmp_path / "one")
    with machine.library.open("set-abc") as index:
        assert index.count() == 0
    assert (tmp_path / "one" / "index" / "set-abc").is_dir()
    assert not server.collections()


def test_the_settings_choose_the_server(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    settings = Settings(home=tmp_path, qdrant_url=address)
    folder = tmp_path / "books"
    write_documents(folder, 1)
    with closing(Archive(settings)) as archive, closing(Library(settings)) as library:
        collections = Collections(archive.store, library, archive.locks)
        with pytest.raises(IndexingError, match="docker compose up -d qdrant"):
            collections.ingest("books", [folder])


def test_one_writer_over_postgres(postgres: PostgresServer, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=postgres.new_database())
    here, there = open_database(settings), open_database(settings)
    try:
        with WriterLock(here, tmp_path / "here", "books", 0):
            with (
                pytest.raises(IndexingError, match="books is being written by a process on another machine"),
                WriterLock(there, tmp_path / "there", "books", 0.3),
            ):
                pass
            with WriterLock(there, tmp_path / "there", "others", 0):
                pass
        with WriterLock(there, tmp_path / "there", "books", 0):
            pass
    finally:
        here.dispose()
        there.dispose()
