"""The product as a Python object: ask, resume, look up."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deepresearch.corpus import discover
from deepresearch.model.errors import DeepResearchError, SessionBusyError, SessionLostError, UsageError
from deepresearch.model.report import Report, ReportStatus
from deepresearch.model.session import SessionEvent, SessionOptions, SessionRecord, SessionState
from deepresearch.sandbox import Reason, Sandbox, SandboxRequest, SandboxResult
from deepresearch.session import reviews
from deepresearch.session.archive import Archive
from deepresearch.session.budgets import Budget
from deepresearch.session.claims import Claims
from deepresearch.session.collections import PATIENCE, Collections
from deepresearch.session.destination import checked_destination
from deepresearch.session.ingesting import Ingested
from deepresearch.session.library import Library
from deepresearch.session.material import Material
from deepresearch.session.model_calls import ModelCalls, SessionNotebook, told_of
from deepresearch.session.observed import observed
from deepresearch.session.patience import is_outage, patiently
from deepresearch.session.progress import Count, Listener, Silent, Step
from deepresearch.session.requests import checked_id, checked_question, new_session_id
from deepresearch.session.run import Run
from deepresearch.session.run_journal import RunJournal
from deepresearch.session.snapshots import Snapshots
from deepresearch.session.stages import Stages
from deepresearch.session.store import Store
from deepresearch.session.watch import Watch
from deepresearch.session.web_pages import WebPages, site_of
from deepresearch.settings import Settings
from deepresearch.team.casts import cast, check_team
from deepresearch.team.extractive import ExtractiveTeam
from deepresearch.team.model import Caps, Spent
from deepresearch.team.protocol import Team

if TYPE_CHECKING:  # only sessions that search the web pay for loading what fetches
    from deepresearch.web import Resolver, Web

#: States in which a session's report stands, whatever was decided on it.
_SETTLED = frozenset({SessionState.COMPLETED, SessionState.FAILED, SessionState.CANCELLED})

#: States in which a session's report stands unless a decision has to be written into it.
_OVER = frozenset({SessionState.NEEDS_REVIEW, SessionState.QUEUED, SessionState.INTERRUPTED})


class DeepResearch:
    """Research sessions in this process.

        async with DeepResearch(settings) as research:
            report = await research.query("How did emissions develop?", sources=["reports/"])

    Opening it is quick and starts nothing: what runs a session is started with the first one.
    """

    def __init__(self, settings: Settings | None = None, *, resolver: Resolver | None = None) -> None:
        self.settings = settings or Settings()
        self._resolver = resolver
        self._web: Web | None = None
        self._web_lock = asyncio.Lock()
        self.archive = Archive(self.settings)
        self._library = Library(self.settings)
        self.collections = Collections(self.archive.store, self._library, self.archive.locks)
        self._snapshots = Snapshots(self.archive.store)
        self._journal = RunJournal(self.settings.home / "runs")
        self.claims = Claims(self.archive.store)
        self.watch = Watch(self.archive.lease, self.claims)
        self._plain = ExtractiveTeam()
        self._sandbox: Sandbox | None = None
        self._sandbox_lock = asyncio.Lock()
        self._sandbox_worked = False
        self._at_work: set[str] = set()
        self._giving_back: set[asyncio.Task[None]] = set()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await asyncio.gather(*self._giving_back, return_exceptions=True)
        await self._stack.aclose()
        self._snapshots.close()
        self._library.close()
        await asyncio.to_thread(self.watch.close)
        self.archive.close()

    async def query(
        self,
        question: str,
        *,
        sources: Sequence[str | Path] = (),
        collection: str | None = None,
        web: bool = False,
        out: str | Path | None = None,
        team: str | None = None,
        session_id: str | None = None,
        listener: Listener | None = None,
        budget_minutes: float | None = None,
        budget_steps: int | None = None,
        budget_tokens: int | None = None,
        budget_cost_usd: float | None = None,
        budget_calls: int | None = None,
        review: bool = False,
    ) -> Report:
        """Ask a question of `sources` (files, folders, globs), of a `collection`, of the `web`; return the report.

        `out` is the folder for the report (a folder of the session's own in the data folder unless given). With
        the `session_id` of an interrupted session of the same question it goes on with that. Budgets and `review` are as
        in `SessionOptions`.

        Raises `UsageError` for a question or path that cannot be used, `NoReadableSourceError` when no file could
        be read, `StorageError` when a folder or the database refuses. Cancelling it leaves the session resumable.
        """
        options = SessionOptions(
            question=checked_question(question),
            sources=tuple(str(Path(source).expanduser().absolute()) for source in sources),
            collection=collection,
            team=team or self.settings.team,
            out=str(Path(out).expanduser().absolute()) if out is not None else None,
            web=web,
            budget_minutes=budget_minutes,
            budget_steps=budget_steps,
            budget_tokens=budget_tokens,
            budget_cost_usd=budget_cost_usd,
            budget_calls=budget_calls,
            review=review,
        )
        if not options.sources and collection is None and not web:
            raise UsageError(
                "There is nothing to search: name a file or folder with --sources, a collection with --collection, "
                "or search the web with --web."
            )
        check_team(options.team, self.settings)
        if web:
            from deepresearch.web import checked_settings

            checked_settings(self.settings)
        if options.sources:
            discover(options.sources)
        if collection is not None:
            self.collections.check(collection)
        if options.out is not None:
            checked_destination(Path(options.out))
        session_id = checked_id(session_id) if session_id else new_session_id()
        self.archive.store.create_session(session_id, options)
        if self.archive.store.session(session_id).options != options:
            raise UsageError(
                f"Session {session_id} exists and asks something else. Leave out --session to begin a new one."
            )
        return await self.resume(session_id, listener=listener)

    async def ingest(
        self,
        paths: Sequence[str | Path],
        *,
        collection: str,
        prune: bool = False,
        wait: float = PATIENCE,
        on_progress: Callable[[Step], None] = lambda _step: None,
    ) -> Ingested:
        """Take files, folders and globs into a collection: see `Collections.ingest`.

        `on_progress` is called on the thread that does the work. Cancelling it stops the work before the next file;
        what is done is kept, and calling it again completes it.
        """
        stop = threading.Event()
        work = asyncio.create_task(
            asyncio.to_thread(
                self.collections.ingest,
                collection,
                paths,
                prune=prune,
                wait=wait,
                on_progress=on_progress,
                stop=stop,
            )
        )
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stop.set()
            await asyncio.gather(work, return_exceptions=True)
            raise

    async def resume(self, session_id: str, *, listener: Listener | None = None) -> Report:
        """Go on with a session at its last finished stage; a finished one gives its report again.

        Raises `UnknownSessionError`, or `SessionBusyError` while it is being run, by this process or another. Cancelling
        it leaves the session resumable at once.
        """
        record = self.archive.session(session_id)
        stages = self._stages(session_id, Silent(), Budget(record.options))
        finished = await asyncio.to_thread(stages.finished_report)
        decided = record.review is not None and record.review.decision is not None
        if finished is not None and (record.state in _SETTLED or (record.state in _OVER and not decided)):
            complete = all(Path(path).exists() for path in finished.paths.values())
            return finished if complete else await asyncio.to_thread(stages.write_report)
        if session_id in self._at_work:
            raise SessionBusyError(f"Session {session_id} is at work in this process already. Wait for it to end.")
        self._at_work.add(session_id)
        claiming = asyncio.create_task(self._claim(session_id))
        try:
            await asyncio.shield(claiming)
            report = await self.run_claimed(session_id, listener)
        except asyncio.CancelledError:
            # A task of its own: whoever cancelled may go on cancelling.
            giving_back = asyncio.create_task(self._give_back(session_id, claiming))
            self._giving_back.add(giving_back)
            giving_back.add_done_callback(self._giving_back.discard)
            raise
        except BaseException:
            self._at_work.discard(session_id)
            raise
        self._at_work.discard(session_id)
        return report

    async def _claim(self, session_id: str) -> None:
        lease = self.archive.lease
        await asyncio.to_thread(self.watch.start)
        await asyncio.to_thread(self.claims.claim, session_id, lease.executor, lease.alive)

    async def _give_back(self, session_id: str, claiming: asyncio.Task[None]) -> None:
        """Let go of a session whose run was cancelled, so that anybody may go on with it."""
        try:
            await asyncio.gather(claiming, return_exceptions=True)
            executor = self.archive.lease.executor
            await asyncio.to_thread(self.claims.release, session_id, executor, SessionState.QUEUED)
        finally:
            self._at_work.discard(session_id)

    def sessions(self) -> list[SessionRecord]:
        """All sessions, newest first."""
        return self.archive.sessions()

    async def run_claimed(self, session_id: str, listener: Listener | None = None) -> Report:
        """Run a session that this process has claimed to its end, and give it back.

        Raises what a stage raised, after noting it, and `SessionLostError` when another process has it by now.
        Cancelling it leaves the session claimed, for `claims.release` or whoever sees this process die.
        """
        store = self.archive.store
        patience = self.settings.store_patience_seconds
        executor = self.archive.lease.executor
        listener = listener or Silent()
        record = await patiently(lambda: asyncio.to_thread(store.session, session_id), patience)
        budget = Budget(record.options, record.worked_seconds)

        async def give_back(state: SessionState, error: str | None = None) -> None:
            await patiently(
                lambda: asyncio.to_thread(self.claims.release, session_id, executor, state, error), patience
            )

        try:
            stages = await patiently(
                lambda: asyncio.to_thread(self._stages, session_id, listener, budget, executor), patience
            )
            run = Run(session_id, stages, budget)
            if record.cancel_requested:
                run.cancel()
            self.watch.add(run)
            try:
                await observed(session_id, record.options.team, run.run(), stages.finished_report)
                decided = record.review is not None and record.review.decision is not None
                if decided:
                    await stages.review()
            finally:
                self.watch.remove(run)
                await stages.close()
            report, reason = await patiently(lambda: asyncio.to_thread(_ended, stages), patience)
            if reason is not None:
                await patiently(lambda: asyncio.to_thread(reviews.ask, store, session_id, reason), patience)
                await stages.tell("review.asked", {"reason": reason})
        except SessionLostError:
            raise
        except Exception as error:
            if is_outage(error):
                raise  # nothing can be noted; the session is as it was
            what = str(error) if isinstance(error, DeepResearchError) else f"{type(error).__name__}: {error}"
            await _note_failure(store, session_id, executor, what, listener, patience)
            await give_back(SessionState.FAILED, what)
            raise
        self._journal.forget_session(session_id)
        error_text = report.limits[0] if report.status is ReportStatus.FAILED and report.limits else None
        await give_back(SessionState(report.status.value), error_text)
        return report

    def _stages(self, session_id: str, listener: Listener, budget: Budget, owner: str | None = None) -> Stages:
        store = self.archive.store
        record = store.session(session_id)
        return Stages(
            session_id=session_id,
            store=store,
            team=self._plain if owner is None else self._cast(record, listener, owner),
            plain=self._plain,
            material=Material(session_id, store, self._library, self.collections),
            sandbox=self._journal.through(self._sandboxed),
            listener=listener,
            reports=self.settings.home / "reports",
            owner=owner,
            budget=budget,
            settings=self.settings,
            web=WebPages(session_id, store, self._snapshots, self._open_web, self.settings)
            if record.options.web
            else None,
        )

    def _cast(self, record: SessionRecord, listener: Listener, owner: str) -> Team:
        """The session's cast, its calls and decisions kept in the name of `owner`."""
        store, options = self.archive.store, record.options

        def show(spent: Spent) -> None:
            listener.count(Count("model", spent.calls, options.budget_calls or 0, told_of(spent)))

        return cast(
            options.team,
            self.settings,
            ModelCalls(store, record.id),
            SessionNotebook(store, record.id, owner, listener.event, show),
            Caps(tokens=options.budget_tokens, cost_usd=options.budget_cost_usd, calls=options.budget_calls),
            session_id=record.id,
            private=options.web and bool(options.sources or options.collection),
        )

    async def _open_web(self) -> Web:
        """The connection to the web that all sessions of this object share. Raises `UsageError` when it is forbidden."""
        async with self._web_lock:
            if self._web is None:
                from deepresearch.web import Web

                self._web = await self._stack.enter_async_context(
                    Web(self.settings, resolver=self._resolver, site_of=site_of)
                )
        return self._web

    async def _sandboxed(self, request: SandboxRequest) -> SandboxResult:
        async with self._sandbox_lock:
            if self._sandbox is None:
                self._sandbox = await self._stack.enter_async_context(Sandbox.open(self.settings))
        for pause in (0.5, 2.0, 8.0):
            result = await self._sandbox.run(request)
            if result.reason is not Reason.UNAVAILABLE:
                self._sandbox_worked = True
                return result
            if not self._sandbox_worked:
                return result  # it is not there at all: trying again does not help
            await asyncio.sleep(pause)
        return await self._sandbox.run(request)


def _ended(stages: Stages) -> tuple[Report, str | None]:
    """The finished report, and why a person has to look at it, if one has to."""
    report = stages.finished_report()
    assert report is not None, "all stages have ended"
    return report, stages.review_reason()


async def _note_failure(
    store: Store, session_id: str, executor: str, what: str, listener: Listener, patience: float
) -> None:
    """Note that a session failed, while it is still ours."""

    def add() -> SessionEvent:
        return store.add_event(session_id, "session.failed", {"error": what}, owner=executor)

    listener.event(await patiently(lambda: asyncio.to_thread(add), patience))
