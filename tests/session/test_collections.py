"""Collections through the command: incremental, killed and completed, rebuilt, shared, forgotten."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.session.generated_documents import text_of, write_documents
from tests.session.standing_still import standing_still

from deepresearch.corpus import load, split
from deepresearch.session.archive import Archive
from deepresearch.session.collections import Collections
from deepresearch.session.holdings import CollectionRecord
from deepresearch.session.library import Library
from deepresearch.session.writer_lock import WriterLock
from deepresearch.settings import Settings

COUNT = 600


def _run(*arguments: str | Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deepresearch", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _json(*arguments: str | Path, environment: dict[str, str]) -> Any:
    done = _run(*arguments, "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def _collections(home: Path) -> Iterator[Collections]:
    settings = Settings(home=home)
    with closing(Archive(settings)) as archive, closing(Library(settings)) as library:
        yield Collections(archive.store, library, archive.locks)


def _record(home: Path, name: str) -> CollectionRecord | None:
    if not (home / "sessions.sqlite").exists():
        return None
    with _collections(home) as collections:
        return next((record for record in collections.records() if record.name == name), None)


def _some_pending(ingest: subprocess.Popen[str], home: Path) -> AbstractContextManager[None]:
    """Hold the ingest still while documents are stored that the index does not have yet."""

    def wanted() -> bool:
        record = _record(home, "books")
        return record is not None and record.pending > 0

    return standing_still(ingest, home / "sessions.sqlite", wanted)


def _assert_whole(home: Path, name: str, folder: Path) -> None:
    """The collection and its index hold exactly the passages of the files in the folder."""
    expected = {passage.id for path in folder.rglob("*.md") for passage in split(load(path))}
    with _collections(home) as collections:
        record = collections.record(name)
        assert (record.pending, record.passages) == (0, len(expected))
        held = {holding.sha256: Path(holding.source) for holding in collections.documents(name)}
        with collections.open(name) as index:
            assert index.count() == len(expected)
            assert index.documents() == set(held)
        assert {path.relative_to(folder) for path in held.values()} == {
            path.relative_to(folder) for path in folder.rglob("*.md")
        }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "books"


@pytest.fixture
def few(folder: Path) -> Path:
    write_documents(folder, 12)
    return folder / "000"


def _start(folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    # With less of a busy machine than the test, so that what it does is seen in time.
    nice = ["nice", "-n", "19"]
    command = [*nice, sys.executable, "-m", "deepresearch", "ingest", str(folder), "--collection", "books", "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_in_the_middle_of_a_batch_and_started_again(
    folder: Path, home: Path, environment: dict[str, str]
) -> None:
    write_documents(folder, COUNT)
    with _start(folder, environment) as ingest, _some_pending(ingest, home):
        ingest.send_signal(signal.SIGKILL)
    left = _record(home, "books")
    assert left is not None and left.pending
    found = _json("search", "harbour book", "--collection", "books", environment=environment)
    assert f"{left.pending} documents are not indexed yet" in found["note"]
    again = _json("ingest", folder, "--collection", "books", environment=environment)
    assert again["completed"] == left.pending
    assert again["added"] == COUNT - left.documents
    assert again["documents"] == COUNT
    _assert_whole(home, "books", folder)
    third = _json("ingest", folder, "--collection", "books", environment=environment)
    assert (third["unchanged"], third["added"], third["completed"]) == (COUNT, 0, 0)


def test_killed_at_random_moments_and_started_again(folder: Path, home: Path, environment: dict[str, str]) -> None:
    write_documents(folder, COUNT)
    seed = random.randrange(10_000)
    moments = random.Random(seed)
    for _ in range(4):
        with _start(folder, environment) as ingest:
            time.sleep(moments.uniform(0.5, 5.0))
            ingest.send_signal(signal.SIGKILL)
    assert _json("ingest", folder, "--collection", "books", environment=environment)["documents"] == COUNT, seed
    _assert_whole(home, "books", folder)


def test_ctrl_c_says_how_to_go_on_and_going_on_completes(folder: Path, home: Path, environment: dict[str, str]) -> None:
    write_documents(folder, COUNT)

    with _start(folder, environment) as ingest:
        with _some_pending(ingest, home):
            ingest.send_signal(signal.SIGINT)
        shown, complaint = ingest.communicate()
    assert ingest.returncode == 130
    assert shown == ""
    assert complaint.count("\n") == 1 and "run the same command again" in complaint
    _json("ingest", folder, "--collection", "books", environment=environment)
    _assert_whole(home, "books", folder)


def test_changed_removed_and_refused_files(few: Path, folder: Path, home: Path, environment: dict[str, str]) -> None:
    _json("ingest", folder, "--collection", "books", environment=environment)
    (few / "book-00003.md").write_text(text_of(3).replace("zx00003q", "zx99999q"), encoding="utf-8")
    (few / "book-00004.md").unlink()
    (few / "copy.md").write_text(text_of(5), encoding="utf-8")
    (few / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")
    (few / "empty.txt").write_bytes(b"")
    done = _run("ingest", folder, "--collection", "books", "--json", environment=environment)
    assert done.returncode == 0
    told = json.loads(done.stdout)
    assert (told["added"], told["changed"], told["unchanged"], told["removed"]) == (1, 1, 10, 0)
    assert {Path(one["source"]).name for one in told["refused"]} == {"broken.pdf", "empty.txt"}
    assert "broken.pdf" in done.stderr and "empty.txt" in done.stderr

    def found(text: str) -> list[str]:
        hits = _json("search", text, "--collection", "books", "--limit", "3", environment=environment)["hits"]
        return [Path(hit["source"]).name for hit in hits if text in hit["text"]]

    assert found("zx00003q") == []
    assert found("zx99999q") == ["book-00003.md"]
    assert found("zx00004q") == ["book-00004.md"]
    told = _json("ingest", folder, "--collection", "books", "--prune", environment=environment)
    assert told["removed"] == 1
    assert found("zx00004q") == []
    with _collections(home) as collections, collections.open("books") as index:
        assert index.documents() == {holding.sha256 for holding in collections.documents("books")}


def test_pruning_one_folder_leaves_the_others_alone(folder: Path, environment: dict[str, str]) -> None:
    write_documents(folder, 102)
    _json("ingest", folder, "--collection", "books", environment=environment)
    (folder / "000" / "book-00007.md").unlink()
    (folder / "001" / "book-00101.md").unlink()
    told = _json("ingest", folder / "001", "--collection", "books", "--prune", environment=environment)
    assert (told["removed"], told["documents"]) == (1, 101)


def test_an_index_that_is_gone_or_of_another_encoder(
    few: Path, folder: Path, home: Path, environment: dict[str, str]
) -> None:
    _json("ingest", folder, "--collection", "books", environment=environment)
    index = home / "index" / "named-books"
    shutil.rmtree(home / "index")
    hits = _json("search", "zx00002q", "--collection", "books", environment=environment)["hits"]
    assert Path(hits[0]["source"]).name == "book-00002.md"
    note = json.loads((index / "collection.json").read_text())
    (index / "collection.json").write_text(json.dumps({**note, "encoder": "another", "dimension": 7}))
    refused = _run("search", "zx00002q", "--collection", "books", environment=environment)
    assert refused.returncode == 1
    assert "`deepresearch index rebuild books`" in refused.stderr
    assert _json("index", "rebuild", "books", environment=environment)["documents"] == 12
    _assert_whole(home, "books", folder)
    for path in index.glob("shard-*"):
        shutil.rmtree(path)
    again = _json("ingest", folder, "--collection", "books", environment=environment)
    assert (again["completed"], again["unchanged"]) == (12, 12)
    _assert_whole(home, "books", folder)


def test_two_writers_wait_for_one_another_only_in_the_same_collection(
    few: Path, folder: Path, home: Path, environment: dict[str, str]
) -> None:
    with closing(Archive(Settings(home=home))) as archive, WriterLock(archive.store.engine, home / "locks", "books", 0):
        second = _run("ingest", folder, "--collection", "books", "--wait", "0.3", environment=environment)
        assert _json("ingest", folder, "--collection", "others", environment=environment)["added"] == 12
    assert second.returncode == 1
    assert "is being written by process" in second.stderr
    with _start(folder, environment) as one, _start(folder, environment) as other:
        results = [json.loads(ingest.communicate()[0]) for ingest in (one, other)]
    assert sorted(result["added"] for result in results) == [0, 12]
    _assert_whole(home, "books", folder)


def test_forgotten_documents_leave_rows_vectors_and_texts(
    few: Path, folder: Path, home: Path, environment: dict[str, str]
) -> None:
    for name in ("books", "others"):
        _json("ingest", folder, "--collection", name, environment=environment)
    gone = [few / "book-00001.md", few / "book-00002.md"]
    hashes = {load(path).sha256 for path in gone}
    assert _json("collections", "forget", "books", *gone, environment=environment)["forgotten"] == 2
    with _collections(home) as collections, collections.open("books") as index:
        assert not hashes & index.documents()
        assert collections.record("books").documents == 10
    with closing(Archive(Settings(home=home))) as archive:
        assert {one.sha256 for one in archive.store.stored_documents(hashes, "1")} == hashes
    _json("collections", "delete", "others", environment=environment)
    with closing(Archive(Settings(home=home))) as archive:
        assert archive.store.stored_documents(hashes, "1") == []
    assert [one["name"] for one in _json("collections", "list", environment=environment)] == ["books"]
    unknown = _run("collections", "forget", "books", "nowhere.md", environment=environment)
    assert unknown.returncode == 2
    assert "nowhere.md" in unknown.stderr
