"""A worker: takes sessions from the queue and runs them, any number of workers on any number of machines."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from deepresearch.model.errors import DeepResearchError, SessionLostError
from deepresearch.model.report import Report
from deepresearch.model.session import SessionEvent, SessionState
from deepresearch.session.patience import is_outage, reason
from deepresearch.session.progress import Count
from deepresearch.session.purging import Purging
from deepresearch.session.service import DeepResearch
from deepresearch.session.sweeping import Sweeper
from deepresearch.settings import Settings
from deepresearch.telemetry.sessions import sessions_waiting

_log = logging.getLogger(__name__)

#: Seconds between two looks into an empty queue.
_IDLE = 0.25

#: A session that met a database it could not wait for is not taken again before so many seconds.
_PAUSE_AFTER_OUTAGE = 15.0

#: Seconds between two looks for sessions that are older than the retention.
_RETENTION_ROUND = 600.0

#: Seconds between two looks at how many sessions wait.
_QUEUE_ROUND = 5.0


class Worker:
    """Runs queued sessions, at most `concurrency` at a time, until it is told to stop.

    With `once` it ends when the queue is empty. `on_report` hears of each session that ended here; `research` opens
    what runs them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        concurrency: int | None = None,
        once: bool = False,
        on_report: Callable[[Report], None] = lambda _report: None,
        research: Callable[[Settings], DeepResearch] = DeepResearch,
    ) -> None:
        self._settings = settings
        self._concurrency = concurrency or settings.max_concurrent_sessions
        self._once = once
        self._on_report = on_report
        self._research = research
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._retention_due = 0.0
        self._queue_due = 0.0

    def stop(self) -> None:
        """Take no more sessions; let those at work finish within the bound that is set, then hand them over."""
        self._stopping.set()
        self._changed.set()

    async def run(self) -> None:
        """Work until stopped. Raises `StorageError` when the database cannot be used to begin with."""
        # Every session may have some threads busy; what decides who runs what must not wait for one.
        threads = ThreadPoolExecutor(max_workers=8 + 4 * self._concurrency, thread_name_prefix="worker")
        asyncio.get_running_loop().set_default_executor(threads)
        async with self._research(self._settings) as research:
            lease = research.archive.lease
            research.watch.sweeper = Sweeper(lease, research.claims, self._settings.takeover_grace_seconds)
            await asyncio.to_thread(research.watch.sweeper.sweep)
            await asyncio.to_thread(research.watch.start)
            _log.info("worker %s takes up to %d sessions at a time", lease.executor, self._concurrency)
            try:
                while not self._stopping.is_set():
                    await self._take_and_tidy(research)
                    if self._once and not self._tasks and not research.watch.sweeper.is_waiting():
                        return
                    self._changed.clear()
                    try:
                        async with asyncio.timeout(_IDLE):
                            await self._changed.wait()
                    except TimeoutError:
                        pass
                await self._finish()
            finally:
                await self._hand_over(research)

    async def _take_and_tidy(self, research: DeepResearch) -> None:
        try:
            await self._give_back_strays(research)
            while len(self._tasks) < self._concurrency and not self._stopping.is_set():
                session_id = await asyncio.to_thread(
                    research.claims.claim_next,
                    research.archive.lease.executor,
                    most=self._settings.max_running_sessions,
                    most_per_tenant=self._settings.max_running_per_tenant,
                )
                if session_id is None:
                    break
                self._tasks[session_id] = asyncio.create_task(self._serve(research, session_id))
            await self._retain(research)
            await self._tell_queue(research)
        except Exception as error:
            if not is_outage(error):
                raise
            # The watch has said so already; the queue waits with everybody else.
            await asyncio.sleep(_IDLE)

    async def _serve(self, research: DeepResearch, session_id: str) -> None:
        log = {"session_id": session_id}
        try:
            report = await research.run_claimed(session_id, _Logged())
            _log.info("session %s is %s", session_id, report.status.value, extra=log)
            self._on_report(report)
        except SessionLostError as error:
            _log.warning("%s", error, extra=log)
        except DeepResearchError as error:
            _log.error("session %s: %s", session_id, error, extra=log)
        except Exception:
            _log.exception("session %s failed", session_id, extra=log)
        finally:
            del self._tasks[session_id]
            self._changed.set()

    async def _give_back_strays(self, research: DeepResearch) -> None:
        """Sessions that are ours by the record and not at work: the database was away when they were given back."""
        owned = await asyncio.to_thread(research.claims.mine, research.archive.lease.executor)
        for session_id in owned.keys() - self._tasks.keys():
            _log.warning("session %s goes back into the queue", session_id, extra={"session_id": session_id})
            await asyncio.to_thread(
                research.claims.release,
                session_id,
                research.archive.lease.executor,
                SessionState.QUEUED,
                wait_seconds=_PAUSE_AFTER_OUTAGE,
            )

    async def _tell_queue(self, research: DeepResearch) -> None:
        """Tell telemetry how many sessions wait, now and then."""
        if time.monotonic() >= self._queue_due:
            self._queue_due = time.monotonic() + _QUEUE_ROUND
            sessions_waiting(await asyncio.to_thread(research.claims.waiting))

    async def _retain(self, research: DeepResearch) -> None:
        """Purge what is older than the retention, now and then."""
        days = self._settings.session_retention_days
        if not days or time.monotonic() < self._retention_due:
            return
        self._retention_due = time.monotonic() + _RETENTION_ROUND
        purging = Purging(self._settings, research.archive.store)
        try:
            gone = await asyncio.to_thread(purging.older_than, days, actor="retention")
        except (DeepResearchError, OSError) as error:
            _log.warning("old sessions were not purged: %s", error)
        else:
            if gone:
                _log.info("%d sessions older than %g days were purged", len(gone), days)

    async def _finish(self) -> None:
        if not self._tasks:
            return
        patience = self._settings.stop_patience_seconds
        _log.info("stopping: %d sessions may finish within %.0f s", len(self._tasks), patience)
        await asyncio.wait(list(self._tasks.values()), timeout=patience)

    async def _hand_over(self, research: DeepResearch) -> None:
        """Stop what still runs and queue it for others; what was finished of it is kept."""
        tasks = dict(self._tasks)
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        executor = research.archive.lease.executor
        try:
            for session_id in await asyncio.to_thread(research.claims.mine, executor):
                if await asyncio.to_thread(research.claims.release, session_id, executor, SessionState.QUEUED):
                    _log.info("session %s is handed over", session_id, extra={"session_id": session_id})
        except Exception as error:
            # Our lock ends with this process, and then others take them over.
            _log.warning("sessions could not be handed over: %s", reason(error))


class _Logged:
    """Writes the session's events to the log."""

    def event(self, event: SessionEvent) -> None:
        extra = {"session_id": event.session_id, "event_number": event.number}
        _log.info("%s %s", event.kind, event.data.get("stage", ""), extra=extra)

    def count(self, count: Count) -> None:
        """Counts are for people who watch."""
