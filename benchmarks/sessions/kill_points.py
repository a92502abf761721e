"""Kill workers at random instants and compare what becomes of their sessions with undisturbed ones.

    python -m benchmarks.sessions.kill_points 1000 --seed 7 [--database-url postgresql://…] [--json FILE]

Batches of sessions are queued. A worker runs them in a forked process (so that a start costs no imports) and is killed
with SIGKILL after a random time; another one takes over, and may be killed too. Every session that was being run at a
kill counts as one kill point. In the end each report has to equal the undisturbed one of its question, each stage has
to be finished exactly once, and each sandbox run has to have ended exactly once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - loaded before forking

from benchmarks.sessions.orchard import QUESTIONS, make_orchard
from deepresearch.model.session import SessionOptions, SessionState
from deepresearch.sandbox import SandboxRequest, SandboxResult
from deepresearch.session.queue import SessionQueue
from deepresearch.session.service import DeepResearch
from deepresearch.session.worker import Worker
from deepresearch.settings import Settings

#: Sessions of a batch; all of them may be under way when their worker is killed.
BATCH = 20

#: Workers of a batch that are killed before one is left alone.
KILLS = 3


@dataclass
class Tally:
    """What came out. The last four have to be 0."""

    kill_points: int = 0
    kills: int = 0
    sessions: int = 0
    sandbox_runs: int = 0
    stages_under_way: Counter[str] = field(default_factory=Counter)
    not_completed: int = 0
    different_reports: int = 0
    stages_finished_twice: int = 0
    runs_paid_twice: int = 0

    def is_clean(self) -> bool:
        """Whether nothing was lost, different or paid twice."""
        return not (self.not_completed or self.different_reports or self.stages_finished_twice or self.runs_paid_twice)


class Counted(DeepResearch):
    """Notes every sandbox run that has ended, before anything else can happen to its result."""

    async def _sandboxed(self, request: SandboxRequest) -> SandboxResult:
        result = await super()._sandboxed(request)
        with (self.settings.home / "runs-that-ended").open("a") as file:
            file.write(f"{request.run_id}\n")
        return result


def run_worker(settings: Settings, kill_after: float | None) -> bool:
    """Run a worker in a forked process until the queue is empty, or kill it; gives whether it ended by itself."""
    child = os.fork()
    if child == 0:
        try:
            os.setpgid(0, 0)
            asyncio.run(Worker(settings, concurrency=BATCH, once=True, research=Counted).run())
            os._exit(0)
        except BaseException as error:
            sys.stderr.write(f"worker: {error!r}\n")
            os._exit(1)
    begun = time.monotonic()
    while True:
        pid, _status = os.waitpid(child, os.WNOHANG)
        if pid:
            return True
        if kill_after is not None and time.monotonic() - begun >= kill_after:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.002)


def measure(points: int, seed: int, settings: Settings, corpus: Path) -> Tally:
    """Make at least so many kill points; everything but the clock follows from the seed."""
    chance = random.Random(seed)
    tally = Tally()
    undisturbed, seconds = _undisturbed(settings, corpus)
    batch = 0
    while tally.kill_points < points:
        ids = [f"batch{batch:04}-{number}" for number in range(BATCH)]
        # One in ten needs the sandbox, as it takes most of the time.
        asked = dict(zip(ids, [0, 0, *(chance.randrange(1, len(QUESTIONS)) for _ in ids[2:])], strict=True))
        _submit(settings, corpus, asked)
        for _ in range(KILLS):
            # Most sessions end early, so half of the kills come early too.
            if run_worker(settings, chance.uniform(0.05, seconds / chance.choice((1, 4)))):
                break
            tally.kills += 1
            _count_kill(settings, ids, tally)
        while not run_worker(settings, None):
            pass
        _check(settings, asked, undisturbed, tally)
        batch += 1
    return tally


def _undisturbed(settings: Settings, corpus: Path) -> tuple[dict[int, dict[str, Any]], float]:
    """The reports of undisturbed sessions by question, and the seconds a batch takes."""
    asked = {f"whole-{number}": number for number in range(len(QUESTIONS))}
    _submit(settings, corpus, asked)
    run_worker(settings, None)
    queue = SessionQueue(settings)
    reports = {number: _report(queue, session_id) for session_id, number in asked.items()}
    queue.close()
    again = {f"timed-{number}": number % len(QUESTIONS) for number in range(BATCH)}
    _submit(settings, corpus, again)
    begun = time.monotonic()
    run_worker(settings, None)
    return reports, time.monotonic() - begun


def _submit(settings: Settings, corpus: Path, asked: dict[str, int]) -> None:
    queue = SessionQueue(settings)
    for session_id, number in asked.items():
        queue.submit(SessionOptions(question=QUESTIONS[number], sources=(str(corpus),)), session_id=session_id)
    queue.close()


def _count_kill(settings: Settings, ids: list[str], tally: Tally) -> None:
    queue = SessionQueue(settings)
    for session_id in ids:
        if queue.archive.store.session(session_id).state is not SessionState.RUNNING:
            continue
        tally.kill_points += 1
        events = queue.events(session_id)
        last = events[-1]
        tally.stages_under_way[f"{last.kind.removeprefix('stage.')} {last.data.get('stage', '')}".strip()] += 1
    queue.close()


def _check(settings: Settings, asked: dict[str, int], undisturbed: dict[int, dict[str, Any]], tally: Tally) -> None:
    queue = SessionQueue(settings)
    ended = Counter((settings.home / "runs-that-ended").read_text().split())
    for session_id, number in asked.items():
        tally.sessions += 1
        if queue.record(session_id).state is not SessionState.COMPLETED:
            tally.not_completed += 1
            sys.stderr.write(f"{session_id}: {queue.record(session_id)}\n")
            continue
        report = _report(queue, session_id)
        if report != undisturbed[number]:
            tally.different_reports += 1
            sys.stderr.write(f"{session_id}: another report\n{json.dumps(report)}\n{json.dumps(undisturbed[number])}\n")
        stages = Counter(event.data["stage"] for event in queue.events(session_id) if event.kind == "stage.finished")
        tally.stages_finished_twice += sum(1 for count in stages.values() if count > 1)
        runs = {run_id: count for run_id, count in ended.items() if run_id.startswith(f"{session_id}-")}
        tally.sandbox_runs += len(runs)
        tally.runs_paid_twice += sum(1 for count in runs.values() if count > 1)
        queue.purge(session_id)
    queue.close()


def _report(queue: SessionQueue, session_id: str) -> dict[str, Any]:
    """The report without what names its session or its moment."""
    report = queue.archive.report(session_id)
    if report is None:
        raise SystemExit(f"{session_id} has no report: {queue.record(session_id)}")
    kept = report.model_dump(mode="json", exclude={"created_at", "usage", "paths", "session_id"})
    for figure in kept["figures"]:
        figure["path"] = Path(figure["path"]).name
    parsed: dict[str, Any] = json.loads(json.dumps(kept).replace(session_id, "SESSION"))
    return parsed


def main() -> None:
    """Measure and print; exit code 1 when anything was lost, different or paid twice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("points", type=int, help="kill points to make")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database-url", help="an empty Postgres; SQLite unless given")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    given = parser.parse_args()
    built = Settings().home / "sandbox"
    home = Path(tempfile.mkdtemp(prefix="deepresearch-kills-"))
    if built.is_dir():
        (home / "sandbox").symlink_to(built)
    settings = Settings(
        home=home, database_url=given.database_url, sandbox_backend="bubblewrap", takeover_grace_seconds=0.5
    )
    begun = time.monotonic()
    try:
        tally = measure(given.points, given.seed, settings, make_orchard(home / "orchard", given.seed))
    finally:
        shutil.rmtree(home, ignore_errors=True)
    told = {
        "store": "postgres" if given.database_url else "sqlite",
        "seed": given.seed,
        "minutes": round((time.monotonic() - begun) / 60, 1),
        **vars(tally),
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    if given.json:
        given.json.write_text(json.dumps(told, indent=2) + "\n")
    sys.exit(0 if tally.is_clean() else 1)


if __name__ == "__main__":
    main()
