"""The log file survives full disks, moves and many writers; old ones go, and nothing else does."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepresearch.telemetry import configure_logging
from deepresearch.telemetry.log_file import LineFileHandler, remove_expired

SOURCE = Path(__file__).parents[2] / "src"
_log = logging.getLogger("deepresearch.test")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode()}")
    yield folder
    configure_logging(stream=io.StringIO())
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_costs_lines_and_not_the_program(small_disk: Path) -> None:
    stream = io.StringIO()
    configure_logging(stream=stream, log_dir=small_disk)
    for _ in range(300):
        _log.info("x" * 400)
    told = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert sum("takes no more lines (No space left on device)" in message for message in told) == 1
    assert sum(message.startswith("xxx") for message in told) == 300


def test_a_file_that_takes_lines_again_says_how_many_are_missing(small_disk: Path) -> None:
    now = [0.0]
    told: list[str] = []
    handler = LineFileHandler(small_disk / "log.jsonl", told.append, clock=lambda: now[0])
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
    record = logging.LogRecord("x", logging.INFO, __file__, 0, "y" * 5000, (), None)
    for _ in range(5):
        handler.emit(record)
    filler.unlink()
    handler.emit(record)
    now[0] += 60
    handler.emit(record)
    handler.close()
    assert len(told) == 2
    assert "takes lines again; 6 are missing" in told[1]


def test_a_file_that_was_moved_or_removed_is_made_again(tmp_path: Path) -> None:
    configure_logging(to_stream=False, log_dir=tmp_path)
    file = tmp_path / "deepresearch.jsonl"
    _log.info("one")
    file.rename(tmp_path / "deepresearch.jsonl.1")
    _log.info("two")
    file.unlink()
    _log.info("three")
    assert json.loads(file.read_text())["message"] == "three"
    assert json.loads((tmp_path / "deepresearch.jsonl.1").read_text())["message"] == "one"
    assert file.stat().st_mode & 0o777 == 0o640


def test_long_lines_of_several_processes_never_mix(tmp_path: Path) -> None:
    writer = (
        "import logging, pathlib, sys\n"
        "from deepresearch.telemetry import configure_logging\n"
        "configure_logging(to_stream=False, log_dir=pathlib.Path(sys.argv[1]))\n"
        "for number in range(200):\n"
        "    logging.getLogger('telemetry.test').info(sys.argv[2] * 7000, extra={'number': number})\n"
    )
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", writer, str(tmp_path), name], env={**os.environ, "PYTHONPATH": str(SOURCE)}
        )
        for name in "abc"
    ]
    assert [one.wait() for one in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in (tmp_path / "deepresearch.jsonl").read_text().splitlines()]
    assert len(lines) == 600
    assert all(len(set(line["message"])) == 1 for line in lines)


def test_only_rotated_files_that_are_too_old_are_removed(tmp_path: Path) -> None:
    old = time.time() - 100 * 86_400
    for name in (
        "deepresearch.jsonl",
        "deepresearch.jsonl-20260101.gz",
        "deepresearch.jsonl.1",
        "other.log",
        "deepresearch.json",
    ):
        (tmp_path / name).write_text("")
        os.utime(tmp_path / name, (old, old))
    (tmp_path / "deepresearch.jsonl-20261101").write_text("")
    (tmp_path / "deepresearch.jsonl-link").symlink_to(tmp_path / "other.log")
    assert remove_expired(tmp_path, 0) == []
    removed = {path.name for path in remove_expired(tmp_path, 90)}
    assert removed == {"deepresearch.jsonl-20260101.gz", "deepresearch.jsonl.1"}
    assert remove_expired(tmp_path / "none", 90) == []


def test_the_setting_removes_old_files_at_a_start(tmp_path: Path) -> None:
    old = tmp_path / "deepresearch.jsonl-20260101"
    old.write_text("")
    os.utime(old, (0, 0))
    configure_logging(stream=io.StringIO(), log_dir=tmp_path, retention_days=90)
    assert not old.exists()


def test_what_libraries_repeat_is_heard_once() -> None:
    stream = io.StringIO()
    configure_logging(stream=stream)
    for _ in range(5):
        logging.getLogger("opentelemetry.exporter").warning("endpoint refused")
        logging.getLogger("other.library").warning("something else")
    assert stream.getvalue().count("endpoint refused") == 1
    assert stream.getvalue().count("something else") == 5
