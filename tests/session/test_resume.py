"""Killed between any two stages, or inside one, a session goes on and its report is the undisturbed one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.session.standing_still import standing_still

from deepresearch.session.archive import Archive
from deepresearch.settings import Settings

QUESTION = "How did the CO2 emissions change between 2014 and 2024, and why did fuel consumption fall in 2024?"
STAGES = ("load", "plan", "index", "read:S1", "read:S2", "compute", "compute:M-S1", "write", "verify", "report")
KILLER = Path(__file__).parent / "killed_after.py"


def _deepresearch(*arguments: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deepresearch", *arguments], env=environment, capture_output=True, text=True, check=False
    )


def _comparable(report: dict[str, Any], session: str) -> dict[str, Any]:
    """A report without what names its session or its moment."""
    kept = {key: value for key, value in report.items() if key not in ("created_at", "usage", "paths", "session_id")}
    for figure in kept["figures"]:
        figure["path"] = Path(figure["path"]).name
    text = json.dumps(kept, ensure_ascii=False).replace(session, "SESSION")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def _stages(session: str, kind: str, home: Path) -> Counter[str]:
    with closing(Archive(Settings(home=home))) as archive:
        return Counter(event.data["stage"] for event in archive.events(session) if event.kind == kind)


def _begun(home: Path, session: str) -> bool:
    if not (home / "sessions.sqlite").exists():
        return False
    with closing(Archive(Settings(home=home))) as archive:
        return any(record.id == session and archive.events(session) for record in archive.sessions())


@pytest.fixture
def undisturbed(corpus: Path, environment: dict[str, str]) -> dict[str, Any]:
    asked = _deepresearch(
        "query", QUESTION, "--sources", str(corpus), "--session", "whole", "--json", environment=environment
    )
    assert asked.returncode == 0, asked.stderr
    return _comparable(json.loads(asked.stdout), "whole")


def test_a_kill_between_any_two_stages_changes_nothing_and_repeats_nothing(
    corpus: Path, environment: dict[str, str], home: Path, undisturbed: dict[str, Any]
) -> None:
    points = [("stage.finished", stage) for stage in STAGES]
    points += [("stage.started", stage) for stage in ("load", "read:S2", "compute:M-S1", "report")]
    for kind, stage in points:
        session = f"{kind[6:]}-{stage.replace(':', '-')}"
        killed = subprocess.run(
            [sys.executable, str(KILLER), kind, stage, session, QUESTION, str(corpus)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert killed.returncode == -signal.SIGKILL, (stage, killed.stderr)
        with closing(Archive(Settings(home=home))) as archive:
            assert archive.session(session).state == "interrupted"
        resumed = _deepresearch("sessions", "resume", session, "--json", environment=environment)
        assert resumed.returncode == 0, (stage, resumed.stderr)
        assert _comparable(json.loads(resumed.stdout), session) == undisturbed, (kind, stage)
        finished = _stages(session, "stage.finished", home)
        assert finished == Counter(STAGES), (kind, stage)
        started = _stages(session, "stage.started", home)
        again = {name for name, count in started.items() if count > 1}
        # Only what was under way at the kill may have begun twice: the stage itself and a reader beside it.
        assert again <= ({stage, "read:S1", "read:S2"} if stage.startswith("read") else {stage}), (kind, stage)
        if kind == "stage.finished" and not stage.startswith("read"):
            assert not again, (stage, again)


def test_a_finished_session_gives_its_report_again_and_runs_nothing(
    corpus: Path, environment: dict[str, str], home: Path, undisturbed: dict[str, Any]
) -> None:
    before = _stages("whole", "stage.started", home)
    resumed = _deepresearch("sessions", "resume", "whole", "--json", environment=environment)
    assert resumed.returncode == 0, resumed.stderr
    assert _comparable(json.loads(resumed.stdout), "whole") == undisturbed
    assert _stages("whole", "stage.started", home) == before


def test_ctrl_c_stops_and_the_session_can_be_resumed(corpus: Path, environment: dict[str, str], home: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "deepresearch",
        "query",
        QUESTION,
        "--sources",
        str(corpus),
        "--session",
        "stopped",
    ]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asked:
        while not _begun(home, "stopped"):
            assert asked.poll() is None
            time.sleep(0.01)
        asked.send_signal(signal.SIGINT)
        _, complaint = asked.communicate()
    assert asked.returncode == 130
    assert "sessions resume stopped" in complaint
    resumed = _deepresearch("sessions", "resume", "stopped", "--json", environment=environment)
    assert resumed.returncode == 0, resumed.stderr
    assert json.loads(resumed.stdout)["status"] == "completed"


def test_the_same_session_is_not_run_twice_at_once(corpus: Path, environment: dict[str, str], home: Path) -> None:
    command = [sys.executable, "-m", "deepresearch", "query", QUESTION, "--sources", str(corpus), "--session", "busy"]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    ) as first:
        # It still holds the session while it stands still, and cannot be through before the second has begun.
        with standing_still(first, home / "sessions.sqlite", lambda: _begun(home, "busy")):
            second = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert first.wait() == 0
    assert second.returncode == 1
    assert f"is being run by process {first.pid}" in second.stderr
