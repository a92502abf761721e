"""Commands over a server answer as on this machine: the same JSON, the same exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.api.servers import DOCUMENTS, QUESTION, Server, free_port, started
from tests.conftest import new_home

TOKEN = "command-token-0123456789"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = new_home(tmp_path_factory.mktemp("commands"))
    with started(home, api_token=TOKEN) as running:
        yield running


class Both:
    """Runs a command here and on the server."""

    def __init__(self, server: Server, environment: dict[str, str]) -> None:
        self._server = server
        self._environment = environment

    def run(self, *arguments: str, there: bool) -> subprocess.CompletedProcess[str]:
        environment = {**self._environment, "DEEPRESEARCH_API_TOKEN": TOKEN}
        options = ["--server", self._server.base] if there else []
        return subprocess.run(
            [sys.executable, "-m", "deepresearch", *arguments, *options],
            env=environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip

    def alike(self, *arguments: str) -> tuple[Any, Any]:
        """The JSON of both, after their exit codes were the same."""
        here, there = self.run(*arguments, "--json", there=False), self.run(*arguments, "--json", there=True)
        assert here.returncode == there.returncode, f"{arguments}\n{here.stderr}\n{there.stderr}"
        return (json.loads(here.stdout), json.loads(there.stdout)) if here.stdout else (None, None)


@pytest.fixture
def both(server: Server, environment: dict[str, str]) -> Both:
    return Both(server, environment)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    for name, text in DOCUMENTS.items():
        path = tmp_path / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "docs"


def _timeless(value: Any) -> Any:
    """JSON without what differs from one moment or machine to the next."""
    moving = {"at", "created_at", "updated_at", "seconds", "worked_seconds", "owner", "unattended", "duration_ms", "usage",
              "run_id", "failure_streak", "enforced"}  # fmt: skip
    if isinstance(value, dict):
        return {name: _timeless(item) for name, item in value.items() if name not in moving}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def test_a_question(both: Both, documents: Path, tmp_path: Path) -> None:
    arguments = ("query", QUESTION, "--sources", str(documents), "--session", "alike", "--out", str(tmp_path / "out"))
    here, there = both.alike(*arguments)
    assert _timeless(here) == _timeless(there)
    assert here["claims"][0]["citations"][0]["source"] == str(documents / "harbour.md")
    assert Path(there["paths"]["html"]).is_file()
    shown_here, shown_there = both.alike("sessions", "show", "alike")
    assert shown_here["texts"] == shown_there["texts"]
    assert _timeless(shown_here["report"]["claims"][0]["text"]) == _timeless(shown_there["report"]["claims"][0]["text"])
    explained_here, explained_there = both.alike("explain", "alike", "--claim", "C1")
    assert explained_here["claims"][0]["explanation"] == explained_there["claims"][0]["explanation"]
    assert [record["id"] for record in both.alike("sessions", "list")[1]] == ["alike"]
    assert both.run("sessions", "events", "alike", "--follow", there=True).returncode == 0
    assert both.alike("sessions", "cancel", "alike")[1]["state"] == "completed"
    sha256 = shown_here["documents"][0]["sha256"]
    texts = [both.run("sessions", "show", "alike", "--text", sha256, there=there).stdout for there in (False, True)]
    assert texts[0] == texts[1] != ""
    here, there = both.alike("sessions", "purge", "alike")
    assert [one["session_id"] for one in there] == ["alike"]


def test_a_review_ends_with_the_same_codes(both: Both, documents: Path) -> None:
    arguments = ("query", QUESTION, "--sources", str(documents), "--session", "decided", "--review")
    assert [both.run(*arguments, there=there).returncode for there in (False, True)] == [3, 3]
    here, there = both.alike("review", "decided", "--reject", "--note", "Wrong harbour.")
    assert (here["status"], there["status"]) == ("failed", "failed")
    assert [both.run("review", "decided", "--approve", there=there).returncode for there in (False, True)] == [2, 2]


def test_a_collection(both: Both, documents: Path) -> None:
    here, there = both.alike("ingest", str(documents), "--collection", "docs")
    assert _timeless(here) == _timeless(there)
    here, there = both.alike("search", "harbour opened", "--collection", "docs")
    assert [hit["text"] for hit in here["hits"]] == [hit["text"] for hit in there["hits"]]
    here, there = both.alike("query", QUESTION, "--collection", "docs")
    assert here["answer"] == there["answer"]
    here, there = both.alike("collections", "list")
    assert _timeless(here) == _timeless(there)
    assert both.alike("collections", "delete", "docs")[1] == {"collection": "docs", "deleted": True}


@pytest.mark.parametrize(
    "arguments",
    [
        ("sessions", "show", "never"),
        ("sessions", "cancel", "never"),
        ("sessions", "purge", "never"),
        ("explain", "never"),
        ("search", "x", "--collection", "never"),
        ("collections", "delete", "never"),
        ("query", "What?"),
        ("query", "", "--collection", "never"),
        ("query", "What?", "--sources", "/never"),
        ("query", "What?", "--collection", "never"),
        ("query", "What?", "--sources", "/etc/hostname", "--team", "nobody"),
        ("sandbox", "run", "/never.py"),
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_what_cannot_be_done_ends_with_the_same_code(both: Both, arguments: tuple[str, ...]) -> None:
    here, there = both.run(*arguments, there=False), both.run(*arguments, there=True)
    assert (here.returncode, there.returncode) == (2, 2), here.stderr + there.stderr
    assert "Traceback" not in there.stderr
    assert len(there.stderr.strip().splitlines()) == 1
    assert there.stdout == ""


def test_a_script_in_the_sandbox(both: Both, tmp_path: Path) -> None:
    script = tmp_path / "s.py"
    script.write_text("import sys; print('out'); open('a.txt', 'w').write('x'); sys.exit(4)")
    here, there = both.alike("sandbox", "run", str(script))
    if here["reason"] == "unavailable":
        pytest.skip("sandbox: no runtime here")
    assert _timeless(here) == _timeless(there)
    script.write_text("while True: pass")
    for there_too in (False, True):
        assert both.run("sandbox", "run", str(script), "--timeout", "0.5", there=there_too).returncode == 124


def test_no_server_there(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deepresearch", "sessions", "cancel", "x"],
        env={**environment, "DEEPRESEARCH_SERVER": f"http://127.0.0.1:{free_port()}"},
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "deepresearch serve" in done.stderr
