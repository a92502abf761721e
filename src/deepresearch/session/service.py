"""The product as a Python object: ask, resume, look up."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from deepresearch.corpus import discover
from deepresearch.model.errors import DeepResearchError, SessionError, UsageError
from deepresearch.model.report import Report
from deepresearch.model.session import SessionOptions, SessionRecord, SessionState
from deepresearch.sandbox import Sandbox, SandboxRequest, SandboxResult
from deepresearch.session.archive import Archive
from deepresearch.session.collections import PATIENCE, Collections
from deepresearch.session.destination import checked_destination
from deepresearch.session.engine import Engine
from deepresearch.session.ingesting import Ingested, Step
from deepresearch.session.library import Library
from deepresearch.session.material import Material
from deepresearch.session.ownership import Ownership
from deepresearch.session.progress import Listener, Silent
from deepresearch.session.snapshots import Snapshots
from deepresearch.session.stages import Stages
from deepresearch.session.web_pages import WebPages, site_of
from deepresearch.settings import Settings
from deepresearch.team.casts import cast
from deepresearch.web import Resolver, Web, checked_settings

#: Characters of a question at most; longer texts are documents, not questions.
MAX_QUESTION = 10_000


class DeepResearch:
    """Research sessions in this process.

        async with DeepResearch(settings) as research:
            report = await research.query("How did emissions develop?", sources=["reports/"])

    Only one may be open in a process at a time: the workflow library beneath keeps one engine.
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
        self._engine = Engine(self.settings)
        self._sandbox: Sandbox | None = None
        self._sandbox_lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._engine.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()
        self._snapshots.close()
        self._library.close()
        await self._engine.close()
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
    ) -> Report:
        """Ask a question of `sources` (files, folders, globs), of a `collection`, of the `web`; return the report.

        `out` is the folder for the report (a folder of the session's own in the data folder unless given). With
        the `session_id` of an interrupted session of the same question it goes on with that.

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
        )
        if not options.sources and collection is None and not web:
            raise UsageError(
                "There is nothing to search: name a file or folder with --sources, a collection with --collection, "
                "or search the web with --web."
            )
        if web:
            checked_settings(self.settings)
        cast(options.team)
        if options.sources:
            discover(options.sources)
        if collection is not None:
            self.collections.check(collection)
        if options.out is not None:
            checked_destination(Path(options.out))
        session_id = checked_id(session_id) if session_id else new_session_id()
        with Ownership(self.archive.locks, session_id):
            self.archive.store.create_session(session_id, options)
            if self.archive.store.session(session_id).options != options:
                raise UsageError(
                    f"Session {session_id} exists and asks something else. Leave out --session to begin a new one."
                )
            return await self._run(session_id, listener or Silent())

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

        Raises `UnknownSessionError`, or `SessionBusyError` while another process runs it.
        """
        self.archive.store.session(session_id)
        with Ownership(self.archive.locks, session_id):
            return await self._run(session_id, listener or Silent())

    def sessions(self) -> list[SessionRecord]:
        """All sessions, newest first."""
        return self.archive.sessions()

    async def _run(self, session_id: str, listener: Listener) -> Report:
        store = self.archive.store
        record = store.session(session_id)
        stages = Stages(
            session_id=session_id,
            store=store,
            team=cast(record.options.team),
            material=Material(session_id, store, self._library, self.collections),
            sandbox=self._run_in_sandbox,
            listener=listener,
            reports=self.settings.home / "reports",
            web=WebPages(session_id, store, self._snapshots, self._open_web, self.settings)
            if record.options.web
            else None,
            web_pages=self.settings.web_max_pages,
        )
        finished = stages.finished_report()
        if finished is not None:
            complete = all(Path(path).exists() for path in finished.paths.values())
            return finished if complete else await asyncio.to_thread(stages.write_report)
        store.set_state(session_id, SessionState.RUNNING)
        try:
            await self._engine.run(session_id, stages)
        except DeepResearchError as error:
            store.set_state(session_id, SessionState.FAILED, str(error))
            listener.event(store.add_event(session_id, "session.failed", {"error": str(error)}))
            raise
        finished = stages.finished_report()
        if finished is None:
            raise SessionError(f"Session {session_id} ended without a report; resume it to try again.")
        store.set_state(session_id, SessionState(finished.status.value))
        return finished

    async def _open_web(self) -> Web:
        """The connection to the web that all sessions of this object share. Raises `UsageError` when it is forbidden."""
        async with self._web_lock:
            if self._web is None:
                self._web = await self._stack.enter_async_context(
                    Web(self.settings, resolver=self._resolver, site_of=site_of)
                )
        return self._web

    async def _run_in_sandbox(self, request: SandboxRequest) -> SandboxResult:
        """Run a request on the loop this object was opened on: a resumed session runs on one of the engine's own."""
        assert self._loop is not None
        if asyncio.get_running_loop() is self._loop:
            return await self._sandboxed(request)
        there = asyncio.run_coroutine_threadsafe(self._sandboxed(request), self._loop)
        return await asyncio.wrap_future(there)

    async def _sandboxed(self, request: SandboxRequest) -> SandboxResult:
        async with self._sandbox_lock:
            if self._sandbox is None:
                self._sandbox = await self._stack.enter_async_context(Sandbox.open(self.settings))
        return await self._sandbox.run(request)


def checked_question(question: str) -> str:
    """The question without white space around it. Raises `UsageError` when it is empty or far too long."""
    text = question.strip()
    if not text or not any(character.isalnum() for character in text):
        raise UsageError("The question is empty. Write it in quotation marks after the command.")
    if len(text) > MAX_QUESTION:
        raise UsageError(
            f"The question has {len(text):,} characters; at most {MAX_QUESTION:,} are taken. "
            "Put the long part into a file and name it with --sources."
        )
    if "\0" in text:
        raise UsageError("The question holds a NUL character. Remove it and ask again.")
    return text.encode("utf-8", "replace").decode("utf-8")


def checked_id(session_id: str) -> str:
    """A session id given by a person. Raises `UsageError` when it could not be a file name."""
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    if not 1 <= len(session_id) <= 64 or not set(session_id) <= allowed or session_id.startswith("."):
        raise UsageError(f"{session_id!r} cannot be a session id: use up to 64 letters, digits, '-', '_' or '.'.")
    return session_id


def new_session_id() -> str:
    """An id that sorts by time and cannot be guessed: ``20261128-121500-1f2e3d4c``."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
