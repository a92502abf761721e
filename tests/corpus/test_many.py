"""Many files: in order, with workers that may hang, crash, run out of memory or be interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.corpus.made_files import lines, make_all, make_pdf

from deepresearch.corpus import LoadLimits, discover, load, load_many
from deepresearch.model.documents import Document, RefusedSource


def all_children() -> set[int]:
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        found.update(int(pid) for pid in (task / "children").read_text().split())
    return found


@pytest.fixture
def children() -> Callable[[], set[int]]:
    """Gives the process ids of the children of this process that the test made: other tests keep servers running."""
    before = all_children()
    return lambda: all_children() - before


def long_pdf(pages: int = 400) -> bytes:
    return make_pdf(
        [lines([f"Page {page}, line {line} of some text." for line in range(45)], 750) for page in range(pages)]
    )


def test_every_format_in_order_like_one_by_one(tmp_path: Path, children: Callable[[], set[int]]) -> None:
    for copy in range(3):
        for name, data in make_all().items():
            (tmp_path / f"{copy} {name}").write_bytes(data)
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    paths = discover([tmp_path])
    progress: list[tuple[int, int, Path]] = []
    loaded = list(load_many(paths, on_progress=lambda done, total, path: progress.append((done, total, path))))
    assert [Path(one.source) for one in loaded] == paths
    assert progress == [(number, len(paths), path) for number, path in enumerate(paths, start=1)]
    for path, one in zip(paths, loaded, strict=True):
        if path.name == "broken.pdf":
            assert isinstance(one, RefusedSource) and one.kind == "broken"
        else:
            assert one == load(path)
    assert not children()


def test_many_office_files_by_two_workers(tmp_path: Path) -> None:
    data = make_all()["study.docx"]
    for number in range(50):
        (tmp_path / f"{number:02}.docx").write_bytes(data)
    (tmp_path / "25.docx").write_bytes(data[:-100])
    loaded = list(load_many(discover([tmp_path])))
    assert [type(one) for one in loaded].count(RefusedSource) == 1
    assert isinstance(loaded[25], RefusedSource)


def test_nothing_to_load() -> None:
    assert list(load_many([])) == []


def test_a_reader_that_does_not_end_refuses_its_file_and_the_rest_goes_on(
    tmp_path: Path, children: Callable[[], set[int]]
) -> None:
    (tmp_path / "a.pdf").write_bytes(long_pdf(2_000))
    (tmp_path / "b.pdf").write_bytes(make_pdf([lines(["A short page."])]))
    (tmp_path / "c.txt").write_text("Some text.")
    slow, short, text = load_many(discover([tmp_path]), LoadLimits(seconds=0.3))
    assert isinstance(slow, RefusedSource)
    assert (slow.kind, "did not end within 0.3 seconds" in slow.reason) == ("broken", True)
    assert isinstance(short, Document) and isinstance(text, Document)
    assert not children()


def test_a_reader_without_enough_memory_refuses_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_bytes(b"<html><body>" + b"<p>some <b>text</b></p>" * 1_500_000)
    (tmp_path / "b.pdf").write_bytes(make_pdf([lines(["A short page."])]))
    large, short = load_many(discover([tmp_path]), LoadLimits(memory_bytes=500_000_000))
    assert isinstance(large, RefusedSource)
    assert large.kind in {"too_large", "broken"}
    assert isinstance(short, Document)


def test_a_reader_that_is_killed_refuses_its_file(tmp_path: Path, children: Callable[[], set[int]]) -> None:
    (tmp_path / "a.pdf").write_bytes(long_pdf(4_000))
    (tmp_path / "b.pdf").write_bytes(make_pdf([lines(["A short page."])]))
    size = (tmp_path / "a.pdf").stat().st_size
    killed: list[int] = []
    ended = threading.Event()

    def kill_first_child() -> None:
        while not killed and not ended.is_set():
            for pid in children():
                state = Path(f"/proc/{pid}/io").read_text().split()
                # With its libraries that is more than any file but the large one holds: it has begun to read that.
                if int(state[1]) > size:
                    killed.append(pid)
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.005)

    killer = threading.Thread(target=kill_first_child)
    killer.start()
    first, second = load_many(discover([tmp_path]))
    ended.set()
    killer.join()
    assert isinstance(first, RefusedSource)
    assert (first.kind, "memory" in first.reason) == ("too_large", True)
    assert isinstance(second, Document)


def test_closing_the_iterator_ends_the_workers(tmp_path: Path, children: Callable[[], set[int]]) -> None:
    data = long_pdf(300)
    for number in range(20):
        (tmp_path / f"{number:02}.pdf").write_bytes(data)
    loaded = load_many(discover([tmp_path]))
    next(loaded)
    assert children()
    loaded.close()
    assert not children()


def test_ctrl_c_ends_everything(tmp_path: Path) -> None:
    data = long_pdf(300)
    for number in range(20):
        (tmp_path / f"{number:02}.pdf").write_bytes(data)
    program = (
        "import sys; from deepresearch.corpus import discover, load_many\n"
        "for one in load_many(discover([sys.argv[1]])): print('one', flush=True)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "one\n"
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        workers += (task / "children").read_text().split()
    assert workers
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    for pid in workers:
        assert (
            not Path(f"/proc/{pid}/cmdline").exists()
            or b"deepresearch" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
