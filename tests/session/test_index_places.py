"""Named collections on a Qdrant server, everything else on this machine; one writer on all machines."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.postgres_server import PostgresServer
from tests.session.generated_documents import write_documents

from deepresearch.model.errors import IndexingError
from deepresearch.session.archive import Archive
from deepresearch.session.collections import Collections
from deepresearch.session.database import open_database
from deepresearch.session.index_places import ServerPlace
from deepresearch.session.library import Library
from deepresearch.session.writer_lock import WriterLock
from deepresearch.settings import Settings

qdrant_client = pytest.importorskip("qdrant_client", reason="the extra `qdrant` is not installed")


class Machine:
    """A machine with a data folder and database of its own, over the server that `client` stands for."""

    def __init__(self, client: object, home: Path) -> None:
        self.archive = Archive(Settings(home=home))
        self.library = Library(Settings(home=home), ServerPlace(lambda: client, "test"))  # type: ignore[arg-type,return-value]
        self.collections = Collections(self.archive.store, self.library, self.archive.locks)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[object]:
    """The client library's own engine: the same calls, without a network."""
    client = qdrant_client.QdrantClient(path=str(tmp_path / "server"))
    real_close, client.close = client.close, lambda: None  # machines close what they connected
    yield client
    real_close()


def test_a_collection_on_the_server(server: object, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    write_documents(folder, 12)
    one = Machine(server, tmp_path / "one")
    ingested = one.collections.ingest("books", [folder])
    assert ingested.added == 12
    assert server.collection_exists("test-named-books")  # type: ignore[attr-defined]
    assert not (tmp_path / "one" / "index" / "named-books").exists()
    found = one.collections.search("books", "zx00007q")
    assert "zx00007q" in found.hits[0].text

    # What is on the server may vanish: it is made again from the store.
    server.delete_collection("test-named-books")  # type: ignore[attr-defined]
    assert one.collections.search("books", "zx00007q").hits[0].sha256 == found.hits[0].sha256

    one.collections.forget("books", [found.hits[0].source])
    assert not any("zx00007q" in hit.text for hit in one.collections.search("books", "zx00007q").hits)
    one.collections.delete("books")
    assert not server.collection_exists("test-named-books")  # type: ignore[attr-defined]
    assert not server.collection_exists("test-named-books+notes")  # type: ignore[attr-defined]


def test_machines_that_share_the_store_find_the_same(server: object, tmp_path: Path) -> None:
    folder = tmp_path / "books"
    write_documents(folder, 12)
    one = Machine(server, tmp_path / "one")
    one.collections.ingest("books", [folder])
    one.library.close()
    one.archive.close()
    # The second machine has the same database and none of the first one's index folders.
    shutil.copytree(tmp_path / "one", tmp_path / "two", ignore=shutil.ignore_patterns("index", "locks"))
    two = Machine(server, tmp_path / "two")
    before = server.count("test-named-books").count  # type: ignore[attr-defined]
    assert "zx00003q" in two.collections.search("books", "zx00003q").hits[0].text
    assert server.count("test-named-books").count == before  # type: ignore[attr-defined]


def test_sets_of_a_session_stay_on_the_machine(server: object, tmp_path: Path) -> None:
    machine = Machine(server, tmp_path / "one")
    with machine.library.open("set-abc") as index:
        assert index.count() == 0
    assert (tmp_path / "one" / "index" / "set-abc").is_dir()
    assert not server.get_collections().collections  # type: ignore[attr-defined]


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
