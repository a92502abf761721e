"""The asynchronous face: the same methods, awaited."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from deepresearch.client import calls
from deepresearch.client.answers import error_of, unreachable
from deepresearch.client.calls import Call, EventReader
from deepresearch.client.packing import Upload, pack
from deepresearch.client.sending import (
    SILENCE,
    Server,
    error_of_stream,
    pause_before_following,
    pause_before_retry,
    request_options,
)
from deepresearch.model.report import Report
from deepresearch.model.session import AuditEntry, SessionEvent, SessionRecord
from deepresearch.sandbox import SandboxRequest, SandboxResult
from deepresearch.session.explaining import ExplainedClaim
from deepresearch.session.found import SearchResult
from deepresearch.session.holdings import CollectionRecord, Holding
from deepresearch.session.ingesting import Ingested
from deepresearch.session.purging import Purged

Answer = TypeVar("Answer")


class AsyncClient:
    """A server as an object; use it as an asynchronous context manager.

    Every method raises the errors of `deepresearch.model.errors` that the same work raises on this machine, and
    `ServerUnreachableError` when nothing answers. What may be sent twice is, when a connection breaks.
    """

    def __init__(self, server: str, token: str | None = None) -> None:
        self._server = Server(server, token)
        self._http = httpx.AsyncClient(**self._server.options())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give back the connections."""
        await self._http.aclose()

    async def submit(
        self,
        question: str,
        *,
        sources: Sequence[str | Path] = (),
        upload: Upload | None = None,
        collection: str | None = None,
        **asked: Any,
    ) -> SessionRecord:
        """Ask a question of local `sources`, which are sent along, of a `collection` there, or of both.

        `asked` are further fields of the request: team, session_id, priority, review, web, budget_minutes,
        budget_tokens, budget_cost_usd, budget_calls, budget_steps. Gives the queued session.
        """
        sent = upload if upload is not None else await asyncio.to_thread(pack, sources) if sources else None
        return await self._send(calls.submit(question, sent, {"collection": collection, **asked}))

    async def query(self, question: str, *, patience: float = 600.0, **asked: Any) -> Report:
        """Ask, wait, and give the report; see `submit` and `events`."""
        session = await self.submit(question, **asked)
        async for _event in self.events(session.id, patience=patience):
            pass
        return await self.report(session.id)

    async def events(self, session_id: str, after: int = 0, *, patience: float = 600.0) -> AsyncIterator[SessionEvent]:
        """Every event with a number above `after`, each once and in order, until the session rests.

        A broken connection is taken up again where it broke; after `patience` seconds without any the last error is
        raised.
        """
        attempt, lost_at = 0, None
        while True:
            reader = EventReader()
            error: Exception | None = None
            try:
                async with self._http.stream(
                    "GET",
                    f"/v1/sessions/{session_id}/events",
                    params={"after": after},
                    headers={"Accept": "text/event-stream"},
                    timeout=httpx.Timeout(SILENCE, connect=10.0),
                ) as answer:
                    if answer.status_code != 200:
                        await answer.aread()
                        if (refused := error_of_stream(answer)) is not None:
                            raise refused
                        error = error_of(answer)
                    else:
                        async for piece in answer.aiter_text():
                            attempt, lost_at = 0, None
                            for event in reader.feed(piece):
                                if event.number > after:
                                    after = event.number
                                    yield event
                            if reader.state is not None:
                                return
            except httpx.HTTPError as broken:
                error = unreachable(self._server.base, broken)
            lost_at = lost_at if lost_at is not None else time.monotonic()
            if error is not None and time.monotonic() - lost_at > patience:
                raise error
            await asyncio.sleep(pause_before_following(attempt))
            attempt += 1

    async def sessions(self) -> list[SessionRecord]:
        """All sessions, newest first."""
        found: list[SessionRecord] = []
        before: str | None = None
        while True:
            page, before = await self._send(calls.sessions(500, before))
            found.extend(page)
            if before is None:
                return found

    async def session(self, session_id: str) -> SessionRecord:
        """One session."""
        return await self._send(calls.session(session_id))

    async def cancel(self, session_id: str) -> SessionRecord:
        """Stop a session; it ends with what was found."""
        return await self._send(calls.cancel(session_id))

    async def review(self, session_id: str, *, approve: bool, note: str = "", reviewer: str = "") -> SessionRecord:
        """Decide on a report that waits for a person."""
        return await self._send(calls.review(session_id, approve, note, reviewer))

    async def purge(self, session_id: str) -> Purged:
        """Remove everything of a session."""
        return await self._send(calls.purge(session_id))

    async def stored_events(self, session_id: str, after: int = 0) -> list[SessionEvent]:
        """The events there are now with a number above `after`."""
        return await self._send(calls.events(session_id, after))

    async def report(self, session_id: str) -> Report:
        """The report; its paths are addresses on the server."""
        return await self._send(calls.report(session_id))

    async def rendered(self, session_id: str, form: str) -> bytes:
        """The report as a file: json, markdown or html."""
        return await self._send(calls.rendered(session_id, form))

    async def artefact(self, session_id: str, name: str) -> bytes:
        """A file the session made, by its name or its SHA-256."""
        return await self._send(calls.artefact(session_id, name))

    async def explain(self, session_id: str, claim: str | None = None) -> list[ExplainedClaim]:
        """Why the claims of the report got their verdicts."""
        return await self._send(calls.explain(session_id, claim))

    async def sources(self, session_id: str) -> list[dict[str, Any]]:
        """The documents of a session, without their texts."""
        return await self._send(calls.sources(session_id))

    async def text(self, session_id: str, sha256: str) -> str:
        """The stored text of a document, exactly as citations count in it."""
        return await self._send(calls.text(session_id, sha256))

    async def collections(self) -> list[CollectionRecord]:
        """All collections by name."""
        return await self._send(calls.collections())

    async def collection(self, name: str) -> tuple[CollectionRecord, list[Holding]]:
        """One collection and its documents."""
        return await self._send(calls.collection(name))

    async def ingest(self, name: str, paths: Sequence[str | Path] | Upload) -> Ingested:
        """Take local files and folders into a collection there."""
        return await self._send(
            calls.ingest(name, paths if isinstance(paths, Upload) else await asyncio.to_thread(pack, paths))
        )

    async def forget(self, name: str, documents: Sequence[str]) -> int:
        """Take documents out of a collection; gives how many."""
        return await self._send(calls.forget(name, documents))

    async def delete_collection(self, name: str) -> None:
        """Delete a collection."""
        await self._send(calls.delete_collection(name))

    async def audit(self, session_id: str | None = None, after: int = 0) -> list[AuditEntry]:
        """Who did what, in order of time."""
        return await self._send(calls.audit(session_id, after))

    async def run(self, request: SandboxRequest) -> SandboxResult:
        """Run a script in the server's sandbox and wait for its end."""
        return await self._send(calls.run(request))

    async def search(
        self,
        name: str,
        text: str,
        *,
        limit: int = 10,
        kinds: Sequence[str] = (),
        sources: Sequence[str] = (),
    ) -> SearchResult:
        """The passages of a collection that fit a text best."""
        wanted: Mapping[str, Any] = {"text": text, "limit": limit, "kinds": list(kinds), "sources": list(sources)}
        return await self._send(calls.search(name, wanted))

    async def _send(self, call: Call[Answer]) -> Answer:
        attempt = 0
        while True:
            answer: httpx.Response | None = None
            try:
                with ExitStack() as stack:
                    answer = await self._http.request(call.method, call.path, **request_options(call, stack))
                if answer.status_code < 300:
                    return call.read(answer)
                error: Exception = error_of(answer)
            except (httpx.HTTPError, httpx.InvalidURL) as broken:
                error = unreachable(self._server.base, broken)
            pause = pause_before_retry(call, attempt, answer)
            if pause is None:
                raise error
            attempt += 1
            await asyncio.sleep(pause)
