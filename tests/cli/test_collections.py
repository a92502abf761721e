"""Searching and looking at collections: what is shown, filters, and bad usage in one sentence."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from deepresearch.corpus import load


def _run(*arguments: str | Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deepresearch", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def ferries(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a data folder whose collection ``ferries`` is the example corpus, for tests that only read."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEPRESEARCH_")}
    environment = {**kept, "DEEPRESEARCH_HOME": str(tmp_path_factory.mktemp("ferries"))}
    _ingest(corpus, environment)
    return environment


def _ingest(corpus: Path, environment: dict[str, str]) -> None:
    done = _run("ingest", corpus, "--collection", "ferries", environment=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "\x1b" not in done.stdout


def _search(*arguments: str, environment: dict[str, str]) -> dict[str, Any]:
    done = _run("search", *arguments, "--collection", "ferries", "--json", environment=environment)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_each_hit_has_its_place_and_explains_itself(ferries: dict[str, str]) -> None:
    hits = _search("fuel consumption 2024", "--limit", "5", environment=ferries)["hits"]
    assert len(hits) == 5
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    for hit in hits:
        document = load(hit["source"])
        assert document.sha256 == hit["sha256"]
        assert document.text[hit["start"] : hit["end"]] == hit["text"]
        assert hit["page"] == document.page_at(hit["start"])
        assert sum(leg["contribution"] for leg in hit["legs"].values()) == pytest.approx(hit["score"])
        assert {"rank", "score", "contribution"} == set(hit["legs"]["sparse"])
    assert any(hit["heading_path"] for hit in hits)


def test_filters_by_kind_and_source(ferries: dict[str, str]) -> None:
    tables = _search("fuel consumption", "--kind", "table", environment=ferries)["hits"]
    assert tables and {hit["kind"] for hit in tables} == {"table"}
    named = _search("fuel consumption", "--source", "annual-report-*", environment=ferries)["hits"]
    assert named and all(Path(hit["source"]).name.startswith("annual-report-") for hit in named)
    below = _search("passengers", "--source", "*/figures/*", environment=ferries)["hits"]
    assert below and {Path(hit["source"]).parent.name for hit in below} == {"figures"}
    nothing = _search("fuel", "--source", "*.docm", environment=ferries)
    assert nothing["hits"] == [] and "*.docm" in nothing["note"]


def test_files_are_searched_without_a_collection_and_nothing_is_kept(
    corpus: Path, ferries: dict[str, str], tmp_path: Path
) -> None:
    scratch, home = tmp_path / "scratch", tmp_path / "home"
    scratch.mkdir()
    environment = {**ferries, "DEEPRESEARCH_HOME": str(home), "TMPDIR": str(scratch)}
    for arguments in (("fuel consumption 2024",), ("fuel consumption", "--kind", "table", "--source", "annual-*")):
        done = _run("search", *arguments, "--sources", corpus, "--json", environment=environment)
        assert done.returncode == 0, done.stderr
        result = json.loads(done.stdout)
        assert result["collection"] is None
        assert _places(result["hits"]) == _places(_search(*arguments, environment=ferries)["hits"])
    nothing = _run("search", "fuel", "--source", "*.docm", "--sources", corpus, environment=environment)
    assert (nothing.returncode, nothing.stdout) == (0, "No file there is named *.docm.\n")
    assert not home.exists()
    assert list(scratch.iterdir()) == []


def _places(hits: list[dict[str, Any]]) -> list[tuple[str, int, int]]:
    return [(hit["source"], hit["start"], hit["end"]) for hit in hits]


def test_searched_files_that_cannot_be_read_are_named(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")
    done = _run("search", "fuel", "--sources", tmp_path, environment=environment)
    assert done.returncode == 1
    assert "broken.pdf" in done.stderr
    (tmp_path / "good.txt").write_text("Fuel was dear.")
    (tmp_path / "same.txt").write_text("Fuel was dear.")
    done = _run("search", "fuel", "--sources", tmp_path, "--json", environment=environment)
    assert done.returncode == 0
    assert "broken.pdf" in done.stderr and done.stderr.count("\n") == 1
    (hit,) = json.loads(done.stdout)["hits"]
    assert (hit["source"], hit["also_in"]) == (str(tmp_path / "good.txt"), [str(tmp_path / "same.txt")])


def test_ctrl_c_ends_a_search_of_files_and_leaves_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    scratch, folder = tmp_path / "scratch", tmp_path / "many"
    scratch.mkdir()
    folder.mkdir()
    for number in range(8_000):
        (folder / f"{number}.txt").write_text(
            f"Report {number} says that ship {number} burned {number} tonnes of fuel."
        )
    command = [sys.executable, "-m", "deepresearch", "search", "fuel", "--sources", str(folder)]
    with subprocess.Popen(
        command, env={**environment, "TMPDIR": str(scratch)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as search:
        while not list(scratch.iterdir()):
            assert search.poll() is None
            time.sleep(0.01)
        search.send_signal(signal.SIGINT)
        shown, complaint = search.communicate()
    assert (search.returncode, shown) == (130, "")
    assert complaint == "deepresearch: interrupted. Nothing is kept.\n"
    assert list(scratch.iterdir()) == []


def test_stop_words_find_nothing_and_it_says_why(ferries: dict[str, str]) -> None:
    result = _search("the of and", environment=ferries)
    assert result["hits"] == []
    assert "too common" in result["note"]
    shown = _run("search", "the of and", "--collection", "ferries", environment=ferries)
    assert shown.returncode == 0
    assert "too common" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("search", "  ", "--collection", "ferries"), "search text is empty"),
        (("search", "fuel", "--collection", "trains"), "There are: ferries."),
        (("search", "fuel", "--collection", "ferries", "--kind", "poem"), "'poem'"),
        (("search", "fuel", "--collection", "ferries", "--limit", "0"), "limit 0"),
        (("search", "fuel"), "--collection, or files with --sources"),
        (("search", "fuel", "--collection", "ferries", "--sources", "."), "not both"),
        (("search", "fuel", "--sources", "nowhere"), "nowhere"),
        (("search", "fuel", "--sources", ".", "--server", "http://127.0.0.1:9"), "on this machine"),
        (("collections", "show", "trains"), "no collection 'trains'"),
        (("collections", "delete", "trains"), "no collection 'trains'"),
        (("index", "rebuild", "trains"), "no collection 'trains'"),
        (("query", "What is slow steaming?", "--collection", "trains"), "There are: ferries."),
        (("ingest", "nowhere", "--collection", "new"), "nowhere"),
        (("ingest", ".", "--collection", "../up"), "'../up' cannot name a collection"),
    ],
)
def test_bad_usage_is_one_sentence(arguments: tuple[str, ...], said: str, ferries: dict[str, str]) -> None:
    done = _run(*arguments, environment=ferries)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.startswith("deepresearch: ") and done.stderr.count("\n") == 1
    names = json.loads(_run("collections", "list", "--json", environment=ferries).stdout)
    assert [one["name"] for one in names] == ["ferries"]


def test_files_of_which_none_can_be_read_leave_no_collection(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing else")
    done = _run("ingest", tmp_path / "broken.pdf", "--collection", "new", environment=environment)
    assert done.returncode == 1
    assert "broken.pdf" in done.stderr
    assert json.loads(_run("collections", "list", "--json", environment=environment).stdout) == []


def test_list_show_and_delete(corpus: Path, environment: dict[str, str]) -> None:
    _ingest(corpus, environment)
    listed = _run("collections", "list", environment=environment).stdout
    assert listed.startswith("ferries ") and "documents" in listed
    shown = json.loads(_run("collections", "show", "ferries", "--json", environment=environment).stdout)
    assert shown["documents"] == len(shown["sources"]) > 20
    assert shown["passages"] == sum(one["passages"] for one in shown["sources"])
    assert _run("collections", "delete", "ferries", environment=environment).returncode == 0
    assert "No collections yet" in _run("collections", "list", environment=environment).stdout


def test_a_terminal_gets_a_bar_with_an_end(corpus: Path, environment: dict[str, str]) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "deepresearch", "ingest", str(corpus), "--collection", "ferries"]
    environment = {**environment, "TERM": "xterm-256color", "COLUMNS": "160"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=follower) as ingest:
        os.close(follower)
        shown = b""
        try:
            while part := os.read(leader, 65536):
                shown += part
        except OSError:
            pass  # how a terminal says that nobody writes to it any more
        os.close(leader)
    assert ingest.returncode == 0
    assert b"Reading and indexing" in shown
    assert b"/24" in shown
