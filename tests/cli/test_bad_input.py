"""Bad input gets one sentence that names it, the exit code of the contract, and leaves nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

QUESTION = "What is slow steaming?"


def _ask(
    *arguments: str | Path, environment: dict[str, str], question: str = QUESTION
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deepresearch", "query", question, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _one_sentence(complaint: str) -> str:
    assert complaint.startswith("deepresearch: "), complaint
    assert "Traceback" not in complaint
    assert len(complaint.strip().splitlines()) == 1, complaint
    return complaint


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "my notes"
    folder.mkdir()
    (folder / "steaming.md").write_text(
        "# Steaming\n\nSlow steaming means sailing more slowly in order to burn less fuel.\n", encoding="utf-8"
    )
    return folder


def test_no_such_folder(tmp_path: Path, environment: dict[str, str]) -> None:
    asked = _ask("--sources", tmp_path / "nowhere", "--out", tmp_path / "out", environment=environment)
    assert asked.returncode == 2
    assert "nowhere" in _one_sentence(asked.stderr)
    assert not (tmp_path / "out").exists()


def test_an_empty_folder(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "empty").mkdir()
    asked = _ask("--sources", tmp_path / "empty", environment=environment)
    assert asked.returncode == 2
    assert "empty" in _one_sentence(asked.stderr)


def test_no_sources_at_all(environment: dict[str, str]) -> None:
    asked = _ask(environment=environment)
    assert asked.returncode == 2
    assert "--sources" in _one_sentence(asked.stderr)


@pytest.mark.parametrize("question", ["", "   \n\t", "???"])
def test_an_empty_question(question: str, notes: Path, environment: dict[str, str]) -> None:
    asked = _ask("--sources", notes, environment=environment, question=question)
    assert asked.returncode == 2
    assert "question is empty" in _one_sentence(asked.stderr)


def test_a_question_of_20000_characters(notes: Path, environment: dict[str, str]) -> None:
    asked = _ask("--sources", notes, environment=environment, question="why " * 5000)
    assert asked.returncode == 2
    assert "characters" in _one_sentence(asked.stderr)


def test_bad_files_are_named_and_the_rest_goes_on(
    notes: Path, tmp_path: Path, environment: dict[str, str], corpus: Path
) -> None:
    good = (corpus / "studies" / "shore-power-feasibility-study.pdf").read_bytes()
    (notes / "truncated.pdf").write_bytes(good[: len(good) // 3])
    (notes / "picture.txt").write_bytes(bytes(range(256)) * 64)
    (notes / "nothing.md").write_bytes(b"")
    with (notes / "huge.txt").open("wb") as huge:
        huge.truncate(200_000_000)
    asked = _ask("--sources", notes, "--out", tmp_path / "out", "--json", environment=environment)
    assert asked.returncode == 0, asked.stderr
    report = json.loads(asked.stdout)
    assert [claim["support"] for claim in report["claims"]] == ["supported"]
    for name in ("picture.txt", "nothing.md", "huge.txt"):
        assert any(name in limit and "Not read" in limit for limit in report["limits"]), name
        assert name in asked.stderr


def test_only_bad_files(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")
    asked = _ask("--sources", tmp_path / "broken.pdf", "--out", tmp_path / "out", environment=environment)
    assert asked.returncode == 1
    assert "broken.pdf" in asked.stderr
    assert not list((tmp_path / "out").glob("*"))


def test_an_out_folder_that_cannot_be(notes: Path, tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "file").write_text("in the way")
    asked = _ask("--sources", notes, "--out", tmp_path / "file" / "report", environment=environment)
    assert asked.returncode == 1
    assert "--out" in _one_sentence(asked.stderr)


def test_an_unknown_team(notes: Path, environment: dict[str, str]) -> None:
    asked = _ask("--sources", notes, "--team", "oracle", environment=environment)
    assert asked.returncode == 2
    assert "oracle" in _one_sentence(asked.stderr)


def test_an_unknown_session(environment: dict[str, str]) -> None:
    for command in (["show", "x"], ["resume", "x"], ["events", "x"]):
        asked = subprocess.run(
            [sys.executable, "-m", "deepresearch", "sessions", *command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == 2
        assert "no session 'x'" in _one_sentence(asked.stderr)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("a full disk is tried on a small tmpfs, which only root may mount")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.decode()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_named_and_the_session_goes_on_when_there_is_room(
    notes: Path, disk: Path, environment: dict[str, str]
) -> None:
    environment = {**environment, "DEEPRESEARCH_HOME": str(disk / "home")}
    for size in ("4m", "30m"):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
        asked = _ask("--sources", notes, "--session", "small", environment=environment)
        assert asked.returncode == 1
        assert "Make room" in _one_sentence(asked.stderr)
        assert not list(disk.rglob("report.*"))
    subprocess.run(["mount", "-o", "remount,size=400m", str(disk)], check=True)
    asked = _ask("--sources", notes, "--session", "small", "--json", environment=environment)
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["claims"]


def test_a_disk_that_fills_under_the_report(notes: Path, disk: Path, environment: dict[str, str]) -> None:
    (disk / "ballast").write_bytes(b"x" * 4_186_112)
    asked = _ask("--sources", notes, "--session", "out", "--out", disk / "report", environment=environment)
    assert asked.returncode == 1
    assert "Traceback" not in asked.stderr
    assert not list(disk.rglob("report.*"))
    (disk / "ballast").unlink()
    asked = _ask("--sources", notes, "--session", "out", "--out", disk / "report", environment=environment)
    assert asked.returncode == 0, asked.stderr
    assert (disk / "report" / "report.html").exists()


def test_names_in_other_letters(tmp_path: Path, environment: dict[str, str]) -> None:
    folder = tmp_path / "Ordner mit Leerzeichen" / "資料 📁"
    folder.mkdir(parents=True)
    (folder / "Zwölf Boxkämpfer 🥊.md").write_text(
        "Slow steaming means sailing more slowly in order to burn less fuel.", encoding="utf-8"
    )
    (folder / "отчёт.txt").write_text("Отчёт о прибылях за год.", encoding="utf-8")
    asked = _ask("--sources", tmp_path / "Ordner mit Leerzeichen", "--json", environment=environment)
    assert asked.returncode == 0, asked.stderr
    citation = json.loads(asked.stdout)["claims"][0]["citations"][0]
    assert Path(citation["source"]).name == "Zwölf Boxkämpfer 🥊.md"
    text = Path(citation["source"]).read_bytes().decode()
    assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_json_is_the_only_thing_on_standard_output(notes: Path, environment: dict[str, str]) -> None:
    asked = _ask("--sources", notes, "--json", environment=environment)
    assert list(json.loads(asked.stdout))[:5] == ["session_id", "question", "status", "team", "answer"]
    assert asked.stderr == ""
    assert "\x1b" not in asked.stdout
