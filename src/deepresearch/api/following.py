"""Following sessions: one look at the database, however many are followed by however many readers."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from deepresearch.model.session import SessionEvent, SessionState
from deepresearch.session.queue import SessionQueue
from deepresearch.session.tables import events, sessions

_log = logging.getLogger("deepresearch.api")

Result = TypeVar("Result")

#: States in which nothing more comes until somebody does something.
RESTING = frozenset({SessionState.COMPLETED, SessionState.NEEDS_REVIEW, SessionState.FAILED, SessionState.CANCELLED})

#: Seconds between two looks, and after one that failed.
_ROUND = 0.15
_AFTER_FAILURE = 1.0

#: Events kept for those who follow; who is further behind reads them from the database.
_KEPT = 200

#: Events read at once, and sessions asked for in one query.
_PAGE = 500

#: Where a session stands and when it was last touched; every event touches it.
_Seen = tuple[SessionState, str]


class Following:
    """Watches the sessions that somebody follows: one query a round for all, and their events when they were touched."""

    def __init__(self, queue: SessionQueue) -> None:
        self._queue = queue
        self._watched: dict[str, _Watched] = {}
        self._stopped = False
        self._round: asyncio.Task[None] | None = None
        # Threads of its own: a long ingest on the common ones holds up no reader.
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="following")

    async def events(
        self, session_id: str, after: int, beat: float
    ) -> AsyncIterator[SessionEvent | SessionState | None]:
        """Every event with a number above `after`, each once and in order, then the state the session rests in.

        Gives None after `beat` seconds without any. Ends when the session rests, is gone, or the server stops.
        """
        while True:
            page = await self._page(session_id, after)
            for event in page:
                after = event.number
                yield event
            if len(page) < _PAGE:
                break
        # A reader may name a number that no event has yet; those who follow with it must not skip what comes before.
        watched = self._begin(session_id, min(after, await self._in_thread(lambda: self._last_number(session_id))))
        try:
            while not self._stopped:
                missed = watched.after(after)
                if missed is None:
                    missed = await self._page(session_id, after)
                for event in missed:
                    after = event.number
                    yield event
                if watched.ended and after >= watched.last:
                    if watched.state is not None:
                        yield watched.state
                    return
                if not missed and not await watched.changed(beat):
                    yield None
        finally:
            watched.followers -= 1
            if not watched.followers and self._watched.get(session_id) is watched:
                del self._watched[session_id]

    def stop(self) -> None:
        """End all that follows, without a last word: clients come again."""
        self._stopped = True
        if self._round is not None:
            self._round.cancel()
        for watched in self._watched.values():
            watched.end(None)

    def close(self) -> None:
        """As `stop`, and give the threads back."""
        self.stop()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, session_id: str, after: int) -> _Watched:
        watched = self._watched.get(session_id)
        if watched is None or watched.ended:
            watched = self._watched[session_id] = _Watched(after)
        watched.followers += 1
        if self._round is None or self._round.done():
            self._round = asyncio.create_task(self._rounds())
        return watched

    async def _rounds(self) -> None:
        while self._watched:
            try:
                await self._look()
            except Exception:
                _log.warning("sessions cannot be followed just now", exc_info=True)
                await asyncio.sleep(_AFTER_FAILURE)
            await asyncio.sleep(_ROUND)

    async def _look(self) -> None:
        """One round. The state is read before the events, so what was stored before it came about is among them."""
        before = {session_id: watched for session_id, watched in self._watched.items() if not watched.ended}
        seen = await self._in_thread(lambda: self._states(list(before)))
        touched = [session_id for session_id, watched in before.items() if seen.get(session_id) != watched.seen]
        await asyncio.gather(*(self._catch_up(before[one], one, seen.get(one)) for one in touched))

    async def _catch_up(self, watched: _Watched, session_id: str, seen: _Seen | None) -> None:
        if seen is None:
            watched.end(None)
            return
        while True:
            fresh = await self._page(session_id, watched.last)
            watched.add(fresh)
            if len(fresh) < _PAGE:
                break
        watched.seen = seen
        if seen[0] in RESTING:
            watched.end(seen[0])

    async def _page(self, session_id: str, after: int) -> list[SessionEvent]:
        return await self._in_thread(lambda: self._queue.events(session_id, after, _PAGE))

    def _last_number(self, session_id: str) -> int:
        query = sa.select(sa.func.max(events.c.number)).where(events.c.session_id == session_id)
        with self._queue.archive.store.engine.connect() as connection:
            return connection.execute(query).scalar() or 0

    def _states(self, ids: Sequence[str]) -> dict[str, _Seen]:
        found: dict[str, _Seen] = {}
        columns = sessions.c
        with self._queue.archive.store.engine.connect() as connection:
            for at in range(0, len(ids), _PAGE):
                query = sa.select(columns.id, columns.state, columns.updated_at).where(
                    columns.id.in_(ids[at : at + _PAGE])
                )
                for row in connection.execute(query):
                    found[row.id] = SessionState(row.state), row.updated_at
        return found

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


class _Watched:
    """One session that is followed: its latest events, and those who wait for the next."""

    def __init__(self, after: int) -> None:
        self._kept: deque[SessionEvent] = deque(maxlen=_KEPT)
        self._news = asyncio.Event()
        self.followers = 0
        self.last = after
        self.seen: _Seen | None = None
        self.state: SessionState | None = None
        self.ended = False

    def add(self, fresh: Sequence[SessionEvent]) -> None:
        """Take in the next events and wake those who wait."""
        if fresh:
            self._kept.extend(fresh)
            self.last = fresh[-1].number
            self._wake()

    def end(self, state: SessionState | None) -> None:
        """Nothing more comes: the session rests in this state, or None when it is gone or the server stops."""
        if not self.ended:
            self.state, self.ended = state, True
            self._wake()

    def after(self, number: int) -> list[SessionEvent] | None:
        """The events above a number; None when some of them are not kept any more."""
        if number >= self.last:
            return []
        if not self._kept or self._kept[0].number > number + 1:
            return None
        return [event for event in self._kept if event.number > number]

    async def changed(self, seconds: float) -> bool:
        """Wait for something new, at most so long; whether there is."""
        if self.ended:
            return True
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def _wake(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()
