"""A small folder to ask, and what the tests of queue and workers do with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deepresearch.model.session import SessionOptions, SessionState
from deepresearch.session.queue import SessionQueue
from deepresearch.settings import Settings

QUESTION = "How did the harvest of apples change between 2019 and 2024, and what destroyed the blossom?"
STAGES = ("load", "plan", "index", "read:S1", "read:S2", "compute", "compute:M-S1", "write", "verify", "report")


def small_folder(root: Path) -> Path:
    """Two files that answer `QUESTION` with a table and a sentence."""
    folder = root / "orchard"
    folder.mkdir(exist_ok=True)
    rows = ["year,harvest of apples (t)"] + [f"{2019 + n},{value}" for n, value in enumerate((81, 84, 90, 95, 52, 88))]
    (folder / "harvest-of-apples.csv").write_text("\n".join(rows) + "\n")
    (folder / "notes.md").write_text(
        "# Orchard\n\nThe harvest of apples fell in 2023 because a late frost in April destroyed half of the blossom.\n"
    )
    return folder


def settings(environment: Mapping[str, str], **more: Any) -> Settings:
    """The settings that commands in this environment have."""
    return Settings(
        _env_file=None,
        home=Path(environment["DEEPRESEARCH_HOME"]),
        database_url=environment.get("DEEPRESEARCH_DATABASE_URL"),
        sandbox_backend="bubblewrap",
        **more,
    )


@contextmanager
def queue_of(environment: Mapping[str, str], **more: Any) -> Iterator[SessionQueue]:
    """The queue of this environment, closed at the end."""
    queue = SessionQueue(settings(environment, **more))
    try:
        yield queue
    finally:
        queue.close()


def options(folder: Path, **more: Any) -> SessionOptions:
    """The question about the small folder."""
    return SessionOptions(question=QUESTION, sources=(str(folder),), **more)


def run(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "deepresearch", *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def worker(environment: Mapping[str, str], *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, killed at the end if it still lives."""
    log = Path(environment["DEEPRESEARCH_HOME"]) / f"worker-{time.monotonic_ns()}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "deepresearch", "worker", *arguments],
            env=dict(environment),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


def wait_for(what: Callable[[], bool], *processes: subprocess.Popen[str]) -> None:
    """Wait until `what` holds; fails when a process that should bring it about is dead."""
    while not what():
        assert all(process.poll() is None for process in processes), "a process ended too early"
        time.sleep(0.02)


def ended(queue: SessionQueue, *ids: str) -> bool:
    """Whether all these sessions have ended."""
    over = (SessionState.COMPLETED, SessionState.FAILED, SessionState.CANCELLED, SessionState.NEEDS_REVIEW)
    return all(queue.record(one).state in over for one in ids)


def finished(queue: SessionQueue, session_id: str) -> Counter[str]:
    """How often each stage of the session was finished."""
    return Counter(event.data["stage"] for event in queue.events(session_id) if event.kind == "stage.finished")


def has_event(queue: SessionQueue, session_id: str, kind: str, stage: str = "") -> bool:
    """Whether the session has told this."""
    return any(
        event.kind == kind and (not stage or event.data.get("stage") == stage) for event in queue.events(session_id)
    )


def comparable(report: Mapping[str, Any], session_id: str) -> dict[str, Any]:
    """A report without what names its session or its moment."""
    kept = {key: value for key, value in report.items() if key not in ("created_at", "usage", "paths", "session_id")}
    for figure in kept["figures"]:
        figure["path"] = Path(figure["path"]).name
    text = json.dumps(kept, ensure_ascii=False).replace(session_id, "SESSION")
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def report_of(queue: SessionQueue, session_id: str) -> dict[str, Any]:
    """The stored report of a session, comparable."""
    report = queue.archive.report(session_id)
    assert report is not None, queue.record(session_id)
    return comparable(report.model_dump(mode="json"), session_id)


def is_alive(pid: int) -> bool:
    """Whether there is a process of this number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
