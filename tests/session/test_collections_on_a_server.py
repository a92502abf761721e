"""Collections on a real Qdrant server that is killed, shared, emptied: through the command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.qdrant_server import QdrantServer
from tests.session.generated_documents import write_documents

from deepresearch.corpus import load, split
from deepresearch.retrieval.store import point_id
from deepresearch.session.archive import Archive
from deepresearch.session.collections import Collections
from deepresearch.session.library import Library
from deepresearch.settings import Settings

qdrant_client = pytest.importorskip("qdrant_client", reason="the extra `qdrant` is not installed")

COUNT = 1_500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_documents(tmp_path / "books", COUNT)
    return tmp_path / "books"


@pytest.fixture
def shared(environment: dict[str, str], qdrant: QdrantServer) -> dict[str, str]:
    """The environment of commands that keep collections on the server."""
    return {**environment, "DEEPRESEARCH_QDRANT_URL": qdrant.url}


def start(*arguments: str | Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "deepresearch", *map(str, arguments), "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def ended(process: subprocess.Popen[str]) -> Any:
    output, complaint = process.communicate()
    assert process.returncode == 0, complaint
    return json.loads(output)


def run(*arguments: str | Path, environment: dict[str, str]) -> Any:
    return ended(start(*arguments, environment=environment))


@contextmanager
def opened(home: Path, qdrant: QdrantServer) -> Iterator[Collections]:
    settings = Settings(home=home, qdrant_url=qdrant.url)
    with closing(Archive(settings)) as archive, closing(Library(settings)) as library:
        yield Collections(archive.store, library, archive.locks)


def wait_for_points(qdrant: QdrantServer, least: int) -> None:
    """Until the server holds so many points of ``books``."""
    with closing(qdrant_client.QdrantClient(url=qdrant.url, check_compatibility=False)) as client:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            name = "deepresearch-named-books"
            if client.collection_exists(name) and client.count(name).count >= least:
                return
            time.sleep(0.02)
    raise AssertionError("the ingest never came so far")


def assert_whole(home: Path, qdrant: QdrantServer, folder: Path) -> None:
    """Database and server hold the passages of the files in the folder, each once and none besides."""
    expected = {passage.id for path in folder.rglob("*.md") for passage in split(load(path))}
    with opened(home, qdrant) as collections:
        record = collections.record("books")
        assert (record.pending, record.passages) == (0, len(expected))
    with closing(qdrant_client.QdrantClient(url=qdrant.url, check_compatibility=False)) as client:
        there, offset = [], None
        while True:
            records, offset = client.scroll("deepresearch-named-books", limit=5_000, offset=offset, with_payload=False)
            there += [record.id for record in records]
            if offset is None:
                break
    assert sorted(there) == sorted(point_id(one) for one in expected)


def test_the_server_is_killed_in_the_middle_of_an_ingest_and_comes_back(
    folder: Path, home: Path, shared: dict[str, str], qdrant: QdrantServer
) -> None:
    with start("ingest", folder, "--collection", "books", environment=shared) as ingest:
        wait_for_points(qdrant, 1)
        qdrant.kill()
        time.sleep(1)
        qdrant.start()
        assert ended(ingest)["documents"] == COUNT
    assert_whole(home, qdrant, folder)
    hits = run("search", "zx00777q", "--collection", "books", environment=shared)["hits"]
    assert "zx00777q" in hits[0]["text"]


def test_server_and_ingest_are_killed_and_started_again(
    folder: Path, home: Path, shared: dict[str, str], qdrant: QdrantServer
) -> None:
    with start("ingest", folder, "--collection", "books", environment=shared) as ingest:
        wait_for_points(qdrant, 1)
        qdrant.kill()
        ingest.send_signal(signal.SIGKILL)
    qdrant.start()
    assert run("ingest", folder, "--collection", "books", environment=shared)["documents"] == COUNT
    assert_whole(home, qdrant, folder)
    again = run("ingest", folder, "--collection", "books", environment=shared)
    assert (again["unchanged"], again["added"], again["completed"]) == (COUNT, 0, 0)


def test_searches_during_an_ingest(folder: Path, home: Path, shared: dict[str, str], qdrant: QdrantServer) -> None:
    with start("ingest", folder, "--collection", "books", environment=shared) as ingest:
        wait_for_points(qdrant, 1)
        with opened(home, qdrant) as collections:
            while ingest.poll() is None:
                collections.search("books", "timber and salt of the harbour")
        assert ended(ingest)["documents"] == COUNT
    assert_whole(home, qdrant, folder)


def test_rebuilt_and_deleted(corpus: Path, shared: dict[str, str], qdrant: QdrantServer) -> None:
    run("ingest", corpus, "--collection", "ferries", environment=shared)
    before = run("search", "fuel consumption 2024", "--collection", "ferries", environment=shared)["hits"]
    rebuilt = run("index", "rebuild", "ferries", environment=shared)
    assert rebuilt["documents"] > 0
    after = run("search", "fuel consumption 2024", "--collection", "ferries", environment=shared)["hits"]
    assert [(hit["source"], hit["start"]) for hit in after] == [(hit["source"], hit["start"]) for hit in before]
    run("collections", "delete", "ferries", environment=shared)
    with closing(qdrant_client.QdrantClient(url=qdrant.url, check_compatibility=False)) as client:
        assert not client.get_collections().collections
