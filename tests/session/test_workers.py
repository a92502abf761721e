"""Queue and workers: nothing is lost or done twice, whoever dies, and everybody has a turn."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

import pytest
from tests.session.small import (
    STAGES,
    ended,
    finished,
    has_event,
    options,
    queue_of,
    report_of,
    run,
    small_folder,
    wait_for,
    worker,
)

from deepresearch.model.errors import QueueFullError, UnknownSessionError, UsageError
from deepresearch.session.claims import MOST_TAKEOVERS, Claims


def test_two_workers_end_what_two_tenants_queued(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    ids = [f"{tenant}-{number}" for number in range(2) for tenant in ("north", "south")]
    with queue_of(stored_in) as queue:
        for one in ids:
            queue.submit(options(folder), tenant=one.partition("-")[0], session_id=one)
        with worker(stored_in, "--concurrency", "2") as first, worker(stored_in, "--concurrency", "2") as second:
            wait_for(lambda: ended(queue, *ids), first, second)
            for process in (first, second):
                process.send_signal(signal.SIGTERM)
            assert [first.wait(), second.wait()] == [0, 0]
        reports = [report_of(queue, one) for one in ids]
        assert all(report == reports[0] for report in reports)
        assert reports[0]["status"] == "completed"
        assert reports[0]["math"]["status"] == "success"
        for one in ids:
            assert finished(queue, one) == Counter(STAGES)
            assert [event.number for event in queue.events(one)] == list(range(1, len(queue.events(one)) + 1))


def test_a_killed_workers_session_ends_on_another(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    environment = {**stored_in, "DEEPRESEARCH_TAKEOVER_GRACE_SECONDS": "1.5"}
    with queue_of(environment) as queue:
        queue.submit(options(folder), session_id="moved")
        with worker(environment) as first:
            wait_for(lambda: has_event(queue, "moved", "stage.started", "read:S1"), first)
            first.kill()
            first.wait()
        wait_for(lambda: queue.record("moved").state == "interrupted")
        # Another machine: the database is the same, the data folder is not.
        elsewhere = Path(environment["DEEPRESEARCH_HOME"])
        if "DEEPRESEARCH_DATABASE_URL" in environment:
            elsewhere = tmp_path / "elsewhere"
            elsewhere.mkdir()
            built = Path(environment["DEEPRESEARCH_HOME"]) / "sandbox"
            if built.exists():
                (elsewhere / "sandbox").symlink_to(built)
        with worker({**environment, "DEEPRESEARCH_HOME": str(elsewhere)}) as second:
            wait_for(lambda: ended(queue, "moved"), second)
        assert queue.record("moved").state == "completed"
        assert has_event(queue, "moved", "session.taken_over")
        assert finished(queue, "moved") == Counter(STAGES)
        queue.submit(options(folder), session_id="whole")
        assert run("worker", "--once", environment=environment).stderr == "whole completed\n"
        assert report_of(queue, "moved") == report_of(queue, "whole")


def test_a_stopped_worker_hands_over(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    environment = {**stored_in, "DEEPRESEARCH_STOP_PATIENCE_SECONDS": "0"}
    with queue_of(environment) as queue:
        queue.submit(options(folder), session_id="handed")
        with worker(environment) as first:
            wait_for(lambda: has_event(queue, "handed", "stage.started", "load"), first)
            first.send_signal(signal.SIGTERM)
            assert first.wait() == 0
        record = queue.record("handed")
        assert (record.state, record.owner) == ("queued", None)
        assert run("worker", "--once", environment=environment).stderr == "handed completed\n"
        assert finished(queue, "handed") == Counter(STAGES)
        assert not has_event(queue, "handed", "session.taken_over")


def test_a_session_that_kills_its_workers_is_given_up(stored_in: dict[str, str], tmp_path: Path) -> None:
    with queue_of(stored_in) as queue:
        claims = Claims(queue.archive.store)
        queue.submit(options(small_folder(tmp_path)), session_id="deadly")
        for turn in range(1, MOST_TAKEOVERS + 1):
            assert claims.claim_next(f"host-{turn}-aa") == "deadly"
            assert claims.claim_next("host-0-bb") is None
            queued, failed = claims.sweep([f"host-{turn}-aa"])
            assert (queued, failed) == ((["deadly"], []) if turn < MOST_TAKEOVERS else ([], ["deadly"]))
        assert queue.record("deadly").state == "failed"
        assert "died 5 times" in (queue.record("deadly").error or "")


def test_tenants_take_turns_and_priorities_hold_within_a_tenant(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    with queue_of(stored_in) as queue:
        for number in range(100):
            queue.submit(options(folder), tenant="big", session_id=f"big-{number:03}", priority=int(number == 50))
        claims = Claims(queue.archive.store)
        assert [claims.claim_next("host-1-aa") for _ in range(3)] == ["big-050", "big-000", "big-001"]
        queue.submit(options(folder), tenant="small", session_id="small-1")
        assert claims.claim_next("host-1-aa") == "small-1"
        assert claims.claim_next("host-1-aa") == "big-002"


def test_bounds_on_running_and_waiting(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    with queue_of(stored_in, max_waiting_sessions=5, max_waiting_per_tenant=3) as queue:
        claims = Claims(queue.archive.store)
        for number in range(3):
            queue.submit(options(folder), tenant="a", session_id=f"a{number}")
        with pytest.raises(QueueFullError, match="of this tenant") as refused:
            queue.submit(options(folder), tenant="a", session_id="a3")
        assert 5 <= refused.value.retry_after_seconds <= 300
        assert queue.submit(options(folder), tenant="a", session_id="a2").id == "a2", "what waits may be asked again"
        queue.submit(options(folder), tenant="b", session_id="b0")
        queue.submit(options(folder), tenant="c", session_id="c0")
        with pytest.raises(QueueFullError):
            queue.submit(options(folder), tenant="d", session_id="d0")
        assert queue.waiting() == 5
        assert [claims.claim_next("host-1-aa", most_per_tenant=1) for _ in range(4)] == ["a0", "b0", "c0", None]
        assert claims.claim_next("host-1-aa", most=3) is None
        assert claims.claim_next("host-1-aa", most=4) == "a1"


def test_tenants_do_not_see_one_another(stored_in: dict[str, str], tmp_path: Path) -> None:
    folder = small_folder(tmp_path)
    with queue_of(stored_in) as queue:
        queue.submit(options(folder), tenant="a", session_id="mine")
        assert queue.record("mine", "a").tenant == "a"
        with pytest.raises(UnknownSessionError):
            queue.record("mine", "b")
        assert queue.sessions("b") == []
        with pytest.raises(UsageError, match="taken"):
            queue.submit(options(folder), tenant="b", session_id="mine")
        with pytest.raises(UsageError, match="taken"):
            queue.submit(options(folder, review=True), tenant="a", session_id="mine")
        for number in range(5):
            queue.submit(options(folder), tenant="a", session_id=f"page-{number}")
        pages = queue.sessions("a", 2)
        assert [record.id for record in pages] == ["page-4", "page-3"]
        assert [record.id for record in queue.sessions("a", 2, pages[-1].id)] == ["page-2", "page-1"]
