"""Following sessions: one look at the database serves all who follow the same session."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator

from deepresearch.model.errors import UnknownSessionError
from deepresearch.model.session import SessionEvent, SessionState
from deepresearch.session.queue import SessionQueue

_log = logging.getLogger("deepresearch.api")

#: States in which nothing more comes until somebody does something.
RESTING = frozenset({SessionState.COMPLETED, SessionState.NEEDS_REVIEW, SessionState.FAILED, SessionState.CANCELLED})

#: Seconds between two looks, at first and when nothing happens.
_SOON = 0.1
_LATER = 1.0

#: Events kept for those who follow; who is further behind reads them from the database.
_KEPT = 200

#: Events read at once.
_PAGE = 500


class Following:
    """Watches the sessions that somebody follows."""

    def __init__(self, queue: SessionQueue) -> None:
        self._queue = queue
        self._watched: dict[str, _Watched] = {}

    async def events(
        self, session_id: str, after: int, beat: float
    ) -> AsyncIterator[SessionEvent | SessionState | None]:
        """Every event with a number above `after`, each once and in order, then the state the session rests in.

        Gives None after `beat` seconds without any. Ends when the session rests, is gone, or the server stops.
        """
        while True:
            page = await asyncio.to_thread(self._queue.events, session_id, after, _PAGE)
            for event in page:
                after = event.number
                yield event
            if len(page) < _PAGE:
                break
        watched = self._watched.get(session_id)
        if watched is None or watched.ended:
            watched = self._watched[session_id] = _Watched(self._queue, session_id, after)
        watched.followers += 1
        try:
            while True:
                missed = watched.after(after)
                if missed is None:
                    missed = await asyncio.to_thread(self._queue.events, session_id, after, _PAGE)
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
            if not watched.followers:
                if self._watched.get(session_id) is watched:
                    del self._watched[session_id]
                watched.stop()

    def stop(self) -> None:
        """End all that follows, without a last word: clients come again."""
        for watched in list(self._watched.values()):
            watched.stop()


class _Watched:
    """One session that is watched, by one task for all its followers."""

    def __init__(self, queue: SessionQueue, session_id: str, after: int) -> None:
        self._queue = queue
        self._id = session_id
        self._kept: deque[SessionEvent] = deque(maxlen=_KEPT)
        self._condition = asyncio.Condition()
        self.followers = 0
        self.last = after
        self.state: SessionState | None = None
        self.ended = False
        self._task = asyncio.create_task(self._watch())

    def after(self, number: int) -> list[SessionEvent] | None:
        """The events above a number; None when some of them are not kept any more."""
        if number >= self.last:
            return []
        if not self._kept or self._kept[0].number > number + 1:
            return None
        return [event for event in self._kept if event.number > number]

    async def changed(self, seconds: float) -> bool:
        """Wait for something new, at most so long; whether there is."""
        last = self.last
        async with self._condition:
            if self.ended or self.last != last:
                return True
            try:
                await asyncio.wait_for(self._condition.wait(), seconds)
            except TimeoutError:
                return False
        return True

    def stop(self) -> None:
        """Look no more."""
        self._task.cancel()

    async def _watch(self) -> None:
        pause = _SOON
        try:
            while not self.ended:
                try:
                    # The state is read first: what is stored before it is then certainly among the events.
                    state, events = await asyncio.to_thread(self._look)
                except UnknownSessionError:
                    self.state = None
                    break
                except Exception:
                    _log.warning("session %s cannot be followed just now", self._id, exc_info=True)
                    await asyncio.sleep(_LATER)
                    continue
                self._kept.extend(events)
                if events:
                    self.last = events[-1].number
                    pause = _SOON
                resting = state in RESTING and len(events) < _PAGE
                if resting:
                    self.state, self.ended = state, True
                if events or resting:
                    async with self._condition:
                        self._condition.notify_all()
                elif len(events) < _PAGE:
                    await asyncio.sleep(pause)
                    pause = min(_LATER, pause * 1.3)
        finally:
            self.ended = True
            async with self._condition:
                self._condition.notify_all()

    def _look(self) -> tuple[SessionState, list[SessionEvent]]:
        state = self._queue.record(self._id).state
        return state, self._queue.events(self._id, self.last, _PAGE)
