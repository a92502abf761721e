"""Running a stage once for ever.

Each stage stores its result and its event in one transaction of ours before the workflow library records the step.
A stage found stored is not run again, so a kill at any instant costs at most the stage it interrupted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from deepresearch.session.progress import Listener
from deepresearch.session.store import Store
from deepresearch.telemetry.sessions import session_step


class StageRunner:
    """Runs a stage once for ever: the stored result wins over running it again."""

    def __init__(self, store: Store, session_id: str, listener: Listener) -> None:
        self._store = store
        self._session_id = session_id
        self._listener = listener

    async def once(self, key: str, work: Callable[[], Awaitable[tuple[Any, dict[str, Any]]]]) -> Any:
        """The stage's stored result; else do `work`, which gives the result and what its event tells."""
        stored = await asyncio.to_thread(self._store.result, self._session_id, key)
        if stored is not None:
            return stored
        event = await asyncio.to_thread(self._store.add_event, self._session_id, "stage.started", {"stage": key})
        self._listener.event(event)
        begun = time.monotonic()
        with session_step(self._session_id, key):
            value, told = await work()
        told = {**told, "seconds": round(time.monotonic() - begun, 3)}
        event = await asyncio.to_thread(self._store.finish, self._session_id, key, value, told)
        self._listener.event(event)
        return value
