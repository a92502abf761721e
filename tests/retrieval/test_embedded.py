"""The embedded index under hostile conditions: killed, shared, full of the wrong things."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from deepresearch.model.documents import Passage
from deepresearch.model.errors import IndexingError, StorageError
from deepresearch.retrieval import EmbeddedIndex, Index
from deepresearch.retrieval.builder import build
from deepresearch.retrieval.embedded import BUILDING, CURRENT, remove_index
from deepresearch.retrieval.lsa import LatentSemanticEncoder
from deepresearch.retrieval.shard import Shard

WORDS = [f"word{number}" for number in range(800)]


def make(number: int, seed: int = 0) -> Passage:
    chosen = random.Random(number * 7919 + seed)
    text = f"unique{number} " + " ".join(chosen.choice(WORDS) for _ in range(30))
    return Passage(id=f"p{number}", sha256=f"d{number // 10}", start=0, end=len(text), text=text)


def run(script: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process that can use this package."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )


WRITER = """
    import sys
    from pathlib import Path
    from deepresearch.retrieval import EmbeddedIndex
    from test_embedded import make
    index = EmbeddedIndex(Path(sys.argv[1]))
    for start in range(0, 1_000_000, 200):
        index.upsert([make(number) for number in range(start, start + 200)])
        print(start + 200, flush=True)
        if start % 1_000 == 800:
            index.search("word1 word2")
"""


@pytest.mark.parametrize("batches", [1, 4, 6, 11])
def test_killed_while_writing_keeps_what_it_had_said_was_stored(tmp_path: Path, batches: int) -> None:
    writer = run(WRITER, str(tmp_path / "index"))
    assert writer.stdout is not None
    said = 0
    for _ in range(batches):
        said = int(writer.stdout.readline())
    time.sleep(random.Random(batches).random() * 0.05)
    writer.send_signal(signal.SIGKILL)
    said = max([said, *(int(line) for line in writer.stdout.read().split())])
    writer.wait()
    with EmbeddedIndex(tmp_path / "index", wait=5) as index:
        assert said <= index.count() <= said + 200
        assert index.documents() >= {f"d{number}" for number in range(said // 10)}
        assert index.search(f"unique{said - 1}")[0].passage == make(said - 1)
        index.upsert(make(number) for number in range(said + 200))
        assert index.count() == said + 200
        found = index.search("word1 word2 word3", limit=200)
        assert len({hit.passage.id for hit in found}) == len(found)
        assert {"sparse", "feedback"} <= set(found[0].legs)


def test_killed_while_learning_leaves_the_former_fit_or_makes_a_new_one(tmp_path: Path) -> None:
    learner = """
        import sys
        from pathlib import Path
        from deepresearch.retrieval import EmbeddedIndex
        index = EmbeddedIndex(Path(sys.argv[1]))
        print("ready", flush=True)
        index.search("word1 word2")
        print("done", flush=True)
    """
    with EmbeddedIndex(tmp_path / "index") as index:
        index.upsert(make(number) for number in range(1_500))
        index.search("word1")
        index.upsert(make(number) for number in range(1_500, 4_000))
    for pause in (0.0, 0.1, 0.2, 0.4, 0.8):
        process = run(learner, str(tmp_path / "index"))
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.communicate()
    with EmbeddedIndex(tmp_path / "index", wait=5) as index:
        assert index.count() == 4_000
        assert index.search("unique3999")[0].passage.id == "p3999"
        text = make(17).text
        hit = index.search(text)[0]
        assert hit.passage.id == "p17"
        assert hit.legs["sparse"].rank == 1
    notes = sorted(path.name for path in (tmp_path / "index").iterdir() if path.name.startswith("encoder"))
    assert len(notes) <= 2, notes


def test_a_folder_in_use_names_the_holder_after_the_wait(tmp_path: Path) -> None:
    holder = run(
        """
        import sys, time
        from pathlib import Path
        from deepresearch.retrieval import EmbeddedIndex
        index = EmbeddedIndex(Path(sys.argv[1]))
        with index._store.session():
            print("held", flush=True)
            time.sleep(60)
        """,
        str(tmp_path / "index"),
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(IndexingError, match=f"process {holder.pid}"):
            EmbeddedIndex(tmp_path / "index", wait=0.3)
    finally:
        holder.kill()
        holder.communicate()
    with EmbeddedIndex(tmp_path / "index", wait=5) as index:
        assert index.count() == 0


def test_several_processes_read_and_write_in_turns(tmp_path: Path) -> None:
    worker = """
        import sys
        from pathlib import Path
        from deepresearch.retrieval import EmbeddedIndex
        from test_embedded import make
        first = int(sys.argv[2])
        with EmbeddedIndex(Path(sys.argv[1]), wait=60) as index:
            for start in range(first, first + 300, 50):
                index.upsert([make(number) for number in range(start, start + 50)])
                assert index.search(f"unique{start + 49}")[0].passage.id == f"p{start + 49}"
    """
    with EmbeddedIndex(tmp_path / "index", wait=60) as index:
        workers = [run(worker, str(tmp_path / "index"), str(first)) for first in (0, 1_000, 2_000)]
        while any(process.poll() is None for process in workers):
            index.search("word1 word2")
            time.sleep(0.01)
        for process in workers:
            _, complaint = process.communicate()
            assert process.returncode == 0, complaint
        assert index.count() == 900
        assert index.documents() == {f"d{n // 10}" for first in (0, 1_000, 2_000) for n in range(first, first + 300)}


def test_several_users_and_threads_of_one_process_share_the_folder(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(first: int) -> None:
        try:
            with EmbeddedIndex(tmp_path / "index", wait=1) as index:
                for start in range(first, first + 200, 20):
                    index.upsert([make(number) for number in range(start, start + 20)])
                    assert index.search(f"unique{start}")[0].passage.id == f"p{start}"
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(first,)) for first in (0, 1_000, 2_000, 3_000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with EmbeddedIndex(tmp_path / "index", wait=1) as index:
        assert index.count() == 800


def test_another_encoder_is_refused_with_the_mend(tmp_path: Path) -> None:
    with EmbeddedIndex(tmp_path / "index") as index:
        index.upsert([make(1)])
    with pytest.raises(IndexingError, match=r"latent-semantic.*192.*64.*deepresearch index rebuild"):
        EmbeddedIndex(tmp_path / "index", lambda: LatentSemanticEncoder(dimension=64))
    with EmbeddedIndex(tmp_path / "index") as index:
        assert index.count() == 1


def test_a_damaged_or_newer_index_says_how_to_mend_it(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with EmbeddedIndex(folder) as index:
        index.upsert(make(number) for number in range(50))
        index.search("word1")
    note = folder / "collection.json"
    good = note.read_text()
    for bad in ("", "{}", "[1]", good.replace('"format": 1', '"format": 99'), good[: len(good) // 2]):
        note.write_text(bad)
        with pytest.raises(IndexingError, match="deepresearch index rebuild"):
            EmbeddedIndex(folder)
    note.write_text(good)
    encoder = folder / f"encoder-{json.loads(good)['learned']}"
    content = encoder.read_bytes()
    for broken in (b"", content[:100], os.urandom(500)):
        encoder.write_bytes(broken)
        with pytest.raises(IndexingError, match="deepresearch index rebuild"):
            EmbeddedIndex(folder)
    encoder.write_bytes(content)
    with EmbeddedIndex(folder) as index:
        assert index.search("unique7")[0].passage.id == "p7"


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be made"):
        EmbeddedIndex(tmp_path / "file" / "index")


def search_all(index: Index, numbers: Sequence[int]) -> list[str]:
    return [index.search(f"unique{number}", limit=1)[0].passage.id for number in numbers]


def test_a_shard_built_beside_takes_over_with_everything_that_changed_meanwhile(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with EmbeddedIndex(folder, wait=60, background=False) as index:
        index.upsert(make(number) for number in range(3_000))
        index.search("word1")
        copied, changed_meanwhile = threading.Event(), threading.Event()

        def improve(shard: Shard) -> None:
            copied.set()
            changed_meanwhile.wait(60)
            shard.optimize()

        builder = threading.Thread(target=build, args=(folder, improve))
        builder.start()
        assert copied.wait(60)
        assert (folder / BUILDING).exists()
        index.upsert([make(number) for number in range(3_000, 3_050)])
        index.delete(["d0", "d5"])
        changed = make(100, seed=1)
        index.upsert([changed])
        assert search_all(index, [99, 3_049]) == ["p99", "p3049"]
        changed_meanwhile.set()
        builder.join()
        assert (folder / CURRENT).read_text() == "shard-2"
        assert not (folder / BUILDING).exists()
        assert not (folder / "shard-1").exists()
        assert index.count() == 3_030
        assert "d0" not in index.documents()
        assert search_all(index, [99, 3_000, 3_049]) == ["p99", "p3000", "p3049"]
        assert index.search("unique100")[0].passage == changed


def test_a_builder_killed_half_way_changes_nothing_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with EmbeddedIndex(folder, wait=60, background=False) as index:
        index.upsert(make(number) for number in range(2_000))
    killed = run(
        """
        import os, signal, sys
        from pathlib import Path
        from deepresearch.retrieval.builder import build
        build(Path(sys.argv[1]), improve=lambda shard: os.kill(os.getpid(), signal.SIGKILL))
        """,
        str(folder),
    )
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (folder / BUILDING).exists()
    with EmbeddedIndex(folder, wait=60, background=False) as index:
        assert index.count() == 2_000
        index.upsert([make(2_000)])
        assert build(folder)
        assert index.count() == 2_001
        assert search_all(index, [0, 2_000]) == ["p0", "p2000"]
    assert sorted(path.name for path in folder.glob("shard-*")) == ["shard-2"]
    assert not (folder / BUILDING).exists()


def test_a_new_fit_while_a_shard_is_built_beside_abandons_it(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    with EmbeddedIndex(folder, wait=60, background=False) as index:
        index.upsert(make(number) for number in range(100))
        index.search("word1")
        copied, go_on = threading.Event(), threading.Event()

        def improve(shard: Shard) -> None:
            copied.set()
            go_on.wait(60)

        builder = threading.Thread(target=build, args=(folder, improve))
        builder.start()
        assert copied.wait(60)
        index.upsert(make(number) for number in range(100, 1_000))
        index.search("word1")
        go_on.set()
        builder.join()
        assert not (folder / CURRENT).exists()
        assert index.count() == 1_000
        assert index.search(make(999).text)[0].legs["dense"].rank == 1


def test_a_removed_index_can_be_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "index"
    remove_index(folder)
    with EmbeddedIndex(folder) as index:
        index.upsert([make(1)])
    remove_index(folder)
    with EmbeddedIndex(folder, lambda: LatentSemanticEncoder(dimension=64)) as index:
        assert index.count() == 0
        index.upsert([make(2)])
        assert index.search("unique2")[0].passage.id == "p2"
