"""Cancel, budgets, reviews and purge: every session ends in words, and a purged one leaves none."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.session.small import (
    QUESTION,
    STAGES,
    ended,
    finished,
    has_event,
    options,
    queue_of,
    run,
    settings,
    small_folder,
    wait_for,
    worker,
)

from deepresearch.model.errors import SessionBusyError, SessionStateError, UnknownSessionError
from deepresearch.sandbox import Sandbox, SandboxRequest, SandboxResult
from deepresearch.session import tables
from deepresearch.session.budgets import Budget, BudgetSpent, Cut
from deepresearch.session.claims import Claims
from deepresearch.session.material import Material
from deepresearch.session.progress import Silent
from deepresearch.session.run import Run
from deepresearch.session.service import DeepResearch
from deepresearch.session.stages import Stages
from deepresearch.team.extractive import ExtractiveTeam


async def test_cancel_ends_a_run_in_the_sandbox_and_reports_what_was_found(
    stored_in: dict[str, str], tmp_path: Path
) -> None:
    folder = small_folder(tmp_path)
    mark = "import time; time.sleep(3600)  # " + tmp_path.name
    with queue_of(stored_in) as queue:
        async with DeepResearch(settings(stored_in)) as research, Sandbox.open(settings(stored_in)) as sandbox:

            async def endless(request: SandboxRequest) -> SandboxResult:
                return await sandbox.run(SandboxRequest(script=mark, timeout=600, run_id=request.run_id))

            store, lease = research.archive.store, research.archive.lease
            store.create_session("long", options(folder))
            research.watch.start()
            research.claims.claim("long", lease.executor, lease.alive)
            stages = Stages(
                session_id="long",
                store=store,
                team=ExtractiveTeam(),
                plain=ExtractiveTeam(),
                material=Material("long", store, research._library, research.collections),
                sandbox=endless,
                listener=Silent(),
                reports=research.settings.home / "reports",
                owner=lease.executor,
                settings=research.settings,
            )
            session = Run("long", stages, Budget(options(folder)))
            research.watch.add(session)
            running = asyncio.create_task(session.run())
            await asyncio.to_thread(wait_for, lambda: has_event(queue, "long", "stage.started", "compute:M-S1"))
            await asyncio.sleep(0.5)
            # Another process cancels.
            asked = await asyncio.to_thread(run, "sessions", "cancel", "long", environment=stored_in)
            assert asked.returncode == 0, asked.stderr
            assert "being cancelled" in asked.stdout
            await running
            research.watch.remove(session)
            report = stages.finished_report()
    assert report is not None
    assert report.status == "cancelled"
    assert report.limits[0].startswith("This session was cancelled")
    assert any(limit.startswith("Not computed: ") for limit in report.limits)
    assert any("frost" in claim.text for claim in report.claims)
    assert Path(report.paths["html"]).exists()
    processes = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(mark.encode() in line for line in processes)


def test_a_waiting_session_is_cancelled_at_once(stored_in: dict[str, str], tmp_path: Path) -> None:
    with queue_of(stored_in) as queue:
        queue.submit(options(small_folder(tmp_path)), session_id="early")
        assert queue.cancel("early", actor="ann").state == "cancelled"
        assert queue.cancel("early").state == "cancelled", "again changes nothing"
        assert Claims(queue.archive.store).claim_next("host-1-aa") is None
        assert [(one.action, one.actor) for one in queue.audit(session_id="early")] == [
            ("session.submit", "default"),
            ("session.cancel", "ann"),
        ]
        with pytest.raises(UnknownSessionError):
            queue.cancel("nobody")


def test_a_session_cancelled_while_nobody_runs_it_is_written_down_by_a_worker(
    stored_in: dict[str, str], tmp_path: Path
) -> None:
    environment = {**stored_in, "DEEPRESEARCH_STOP_PATIENCE_SECONDS": "0"}
    with queue_of(environment) as queue:
        queue.submit(options(small_folder(tmp_path)), session_id="left")
        with worker(environment) as first:
            wait_for(lambda: has_event(queue, "left", "stage.finished", "load"), first)
            first.send_signal(signal.SIGTERM)
            first.wait()
        queue.cancel("left")
        assert run("worker", "--once", environment=environment).stderr == "left cancelled\n"
        assert queue.record("left").state == "cancelled"


def test_budgets_end_in_a_report_that_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    folder = str(small_folder(tmp_path))
    asked = run("query", QUESTION, "--sources", folder, "--budget-steps", "1", "--json", environment=environment)
    assert asked.returncode == 0, asked.stderr
    report = json.loads(asked.stdout)
    assert report["status"] == "completed"
    assert report["limits"][0].startswith("The budget of 1 steps was spent")
    assert any(limit.startswith("Not looked for: ") for limit in report["limits"])
    assert report["math"]["runs"] == []
    two = run("query", QUESTION, "--sources", folder, "--budget-steps", "2", "--json", environment=environment)
    report = json.loads(two.stdout)
    assert any(limit.startswith("Not computed: ") for limit in report["limits"])
    assert any("frost" in claim["text"] for claim in report["claims"])
    enough = run("query", QUESTION, "--sources", folder, "--budget-steps", "3", "--json", environment=environment)
    assert not any("budget" in limit for limit in json.loads(enough.stdout)["limits"])


async def test_a_spent_time_budget_ends_in_a_report(home: Path, environment: dict[str, str], tmp_path: Path) -> None:
    async with DeepResearch(settings(environment)) as research:
        report = await research.query(
            QUESTION, sources=[small_folder(tmp_path)], session_id="short", budget_minutes=0.00001
        )
    assert report.status == "completed"
    assert report.limits[0].startswith("The budget of 1e-05 minutes of work was spent")
    assert report.claims == ()
    with queue_of(environment) as queue:
        assert has_event(queue, "short", "session.cut_short")


def test_a_budget_counts_what_earlier_processes_spent() -> None:
    now = [100.0]
    asked = options(Path("/x"), budget_minutes=1, budget_tokens=1000, budget_cost_usd=0.5)
    budget = Budget(asked, worked_before=50.0, clock=lambda: now[0])
    budget.check()
    assert budget.seconds_left() == 10.0
    budget.charge(1000)
    with pytest.raises(BudgetSpent) as spent:
        budget.check()
    assert spent.value.cut is Cut.TOKENS
    now[0] = 111.0
    with pytest.raises(BudgetSpent) as spent:
        budget.check()
    assert spent.value.cut is Cut.TIME
    dear = Budget(asked)
    dear.charge(10, 0.6)
    with pytest.raises(BudgetSpent) as spent:
        dear.check()
    assert spent.value.cut is Cut.COST


def test_a_review_waits_through_restarts_and_is_given_once(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    with queue_of(stored_in) as queue:
        for one in ("good", "bad"):
            queue.submit(options(folder, review=True), session_id=one)
    assert run("worker", "--once", environment=stored_in).returncode == 0
    with queue_of(stored_in) as queue:
        assert [queue.record(one).state for one in ("good", "bad")] == ["needs_review"] * 2
        assert run("worker", "--once", environment=stored_in).stderr == "", "nobody takes it before the decision"
        queue.review("good", approve=True, note="Checked against the ledger.", reviewer="ann")
        with pytest.raises(SessionStateError, match="approved by ann"):
            queue.review("good", approve=False, reviewer="ben")
        assert run("worker", "--once", environment=stored_in).stderr == "good completed\n"
        report = queue.archive.report("good")
        assert report is not None
        assert report.limits[0].startswith("A person (ann) approved this report on ")
        assert "Checked against the ledger." in Path(report.paths["markdown"]).read_text()
        assert finished(queue, "good") == Counter([*STAGES, "reviewed"])
    rejected = run("review", "bad", "--reject", "--note", "Wrong orchard.", environment=stored_in)
    assert rejected.returncode == 1, rejected.stderr
    again = run("review", "bad", "--approve", environment=stored_in)
    assert again.returncode == 2
    assert "a review is given once" in again.stderr
    with queue_of(stored_in) as queue:
        assert queue.record("bad").state == "failed"
        assert "Wrong orchard." in (queue.record("bad").error or "")


def test_a_review_beside_a_running_worker_shows_the_decided_report(stored_in: dict[str, str], tmp_path: Path) -> None:
    with queue_of(stored_in) as queue:
        queue.submit(options(small_folder(tmp_path), review=True), session_id="beside")
        with worker(stored_in) as working:
            wait_for(lambda: ended(queue, "beside"), working)
            approved = run("review", "beside", "--approve", "--json", environment=stored_in)
            assert approved.returncode == 0, approved.stderr
            assert json.loads(approved.stdout)["status"] == "completed"
            wait_for(lambda: queue.record("beside").state == "completed", working)
        assert finished(queue, "beside") == Counter([*STAGES, "reviewed"])


def test_a_query_that_needs_review_says_so_by_its_exit_code(environment: dict[str, str], tmp_path: Path) -> None:
    folder = str(small_folder(tmp_path))
    asked = run("query", QUESTION, "--sources", folder, "--review", "--session", "r", environment=environment)
    assert asked.returncode == 3, asked.stderr
    assert run("sessions", "resume", "r", environment=environment).returncode == 3
    approved = run("review", "r", "--approve", "--json", environment=environment)
    assert approved.returncode == 0, approved.stderr
    assert json.loads(approved.stdout)["status"] == "completed"
    unsure = run(
        "query", QUESTION, "--sources", folder, "--json",
        environment={**environment, "DEEPRESEARCH_REVIEW_BELOW_CONFIDENCE": "1.0"},
    )  # fmt: skip
    assert unsure.returncode == 3
    degraded = run(
        "query", QUESTION, "--sources", folder, "--json",
        environment={**environment, "DEEPRESEARCH_SANDBOX_BACKEND": "docker", "DEEPRESEARCH_REVIEW_WHEN_DEGRADED": "true",
                     "DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"},
    )  # fmt: skip
    assert degraded.returncode == 3, degraded.stderr
    assert json.loads(degraded.stdout)["math"]["alert_required"]


def _mentions(engine: sa.Engine, session_id: str) -> set[str]:
    found = set()
    with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            for row in connection.execute(sa.select(table)):
                if any(session_id in str(value) for value in row):
                    found.add(table.name)
    return found


def test_purge_leaves_nothing_of_a_session_and_everything_of_others(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    home = Path(stored_in["DEEPRESEARCH_HOME"])
    logs = tmp_path / "logs"
    environment = {**stored_in, "DEEPRESEARCH_LOG_DIR": str(logs)}
    out = tmp_path / "answer"
    (out / "figures").mkdir(parents=True)
    (out / "mine.txt").write_text("of the person")
    with queue_of(environment, log_dir=logs) as queue:
        queue.submit(options(folder, out=str(out)), session_id="purged-1")
        queue.submit(options(folder), session_id="kept-1")
        assert run("worker", "--once", environment=environment).returncode == 0
        kept = queue.archive.report("kept-1")
        assert kept is not None
        assert "purged-1" in (logs / "deepresearch.jsonl").read_text()
        gone = run("sessions", "purge", "purged-1", "--json", environment=environment)
        assert gone.returncode == 0, gone.stderr
        assert json.loads(gone.stdout)[0]["log_lines"] > 0
        with pytest.raises(UnknownSessionError):
            queue.record("purged-1")
        engine = queue.archive.store.engine
        assert _mentions(engine, "purged-1") == {"dr_audit"}
        assert [path.name for path in out.iterdir()] == ["mine.txt"]
        assert "purged-1" not in (logs / "deepresearch.jsonl").read_text()
        assert "kept-1" in (logs / "deepresearch.jsonl").read_text()
        # What the other session needs is still there: texts, index, figures.
        assert len(queue.archive.documents("kept-1")) == 2
        assert list((home / "index").iterdir())
        assert kept.figures
        assert queue.archive.store.blobs.get(kept.figures[0].sha256)
        assert run("sessions", "purge", "--older-than", "30d", environment=environment).stdout.startswith("No session")
        assert [one.session_id for one in queue.purge_older_than(0, actor="retention")] == ["kept-1"]
        assert queue.audit()[-1].actor == "retention"
        assert not [path for path in (home / "index").iterdir() if path.name.startswith("set-")]
        with engine.connect() as connection:
            for table in (tables.documents, tables.blobs, tables.artefacts, tables.session_documents, tables.results):
                assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0, table.name
        assert not [path for path in (home / "artefacts").rglob("*") if path.is_file()]
        with pytest.raises(UnknownSessionError):
            queue.purge("kept-1")


def test_a_running_session_is_neither_purged_nor_run_twice(stored_in: dict[str, str], tmp_path: Path) -> None:
    with queue_of(stored_in) as queue:
        queue.submit(options(small_folder(tmp_path)), session_id="busy")
        claims, lease = Claims(queue.archive.store), queue.archive.lease
        lease.hold()
        assert claims.claim_next(lease.executor) == "busy"
        with pytest.raises(SessionStateError, match="Cancel it first"):
            queue.purge("busy")
        with pytest.raises(SessionBusyError, match="is being run by process"):
            claims.claim("busy", "host-9-zz", lease.alive)
        resumed = run("sessions", "resume", "busy", environment=stored_in)
        assert resumed.returncode == 1
        assert "is being run by process" in resumed.stderr
        assert not ended(queue, "busy")


def test_unknown_ids_and_broken_requests_are_named(environment: dict[str, str]) -> None:
    for arguments, said in (
        (("sessions", "cancel", "nobody"), "There is no session 'nobody'"),
        (("sessions", "purge", "nobody"), "There is no session 'nobody'"),
        (("sessions", "resume", "nobody"), "There is no session 'nobody'"),
        (("review", "nobody", "--approve"), "There is no session 'nobody'"),
        (("review", "nobody"), "either --approve or --reject"),
        (("review", "nobody", "--approve", "--reject"), "either --approve or --reject"),
        (("sessions", "purge"), "--older-than"),
        (("sessions", "purge", "--older-than", "soon"), "'soon' is no age"),
        (("sessions", "purge", "--older-than", "-3d"), "is no age"),
    ):
        refused = run(*arguments, environment=environment)
        assert refused.returncode == 2, (arguments, refused.stderr)
        assert said in refused.stderr, (arguments, refused.stderr)
