"""Running a stage once for ever.

Each stage stores its result and its event in one transaction. A stage found stored is not run again, so a kill at any
instant costs at most the stage it interrupted. A database that has gone away is waited for.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from deepresearch.session.budgets import Budget
from deepresearch.session.patience import patiently
from deepresearch.session.progress import Listener
from deepresearch.session.store import Store
from deepresearch.telemetry.sessions import session_step


class StageRunner:
    """Runs a stage once for ever: the stored result wins over running it again.

    Everything is stored in the name of `owner`, and only while the session is that process's. The database is waited
    for `patience` seconds.
    """

    def __init__(
        self,
        store: Store,
        session_id: str,
        listener: Listener,
        *,
        owner: str | None = None,
        budget: Budget | None = None,
        patience: float = 0.0,
    ) -> None:
        self._store = store
        self._session_id = session_id
        self._listener = listener
        self._owner = owner
        self._budget = budget
        self._patience = patience

    async def once(self, key: str, work: Callable[[], Awaitable[tuple[Any, dict[str, Any]]]]) -> Any:
        """The stage's stored result; else do `work`, which gives the result and what its event tells.

        `work` is done again when the database goes away under it, so what it pays for must not lie before its last
        use of the database. Raises `SessionLostError` when the session is another process's by now.
        """
        stored = await self.patiently(lambda: asyncio.to_thread(self._store.result, self._session_id, key))
        if stored is not None:
            return stored
        await self.tell("stage.started", {"stage": key})
        begun = time.monotonic()
        with session_step(self._session_id, key):
            value, told = await self.patiently(work)
        told = {**told, "seconds": round(time.monotonic() - begun, 3)}

        def finish() -> Any:
            worked = None if self._budget is None else self._budget.worked()
            return self._store.finish(self._session_id, key, value, told, owner=self._owner, worked=worked)

        self._listener.event(await self.patiently(lambda: asyncio.to_thread(finish)))
        return value

    async def keep(self, key: str, value: Any, kind: str, data: dict[str, Any]) -> None:
        """Store a result that no stage worked for, with an event of its own kind; one that is stored stays."""

        def keep() -> Any:
            if self._store.result(self._session_id, key) is not None:
                return None
            return self._store.finish(self._session_id, key, value, data, kind=kind, owner=self._owner)

        event = await self.patiently(lambda: asyncio.to_thread(keep))
        if event is not None:
            self._listener.event(event)

    async def tell(self, kind: str, data: dict[str, Any]) -> None:
        """Store an event and hand it to the listener."""

        def add() -> Any:
            return self._store.add_event(self._session_id, kind, data, owner=self._owner)

        self._listener.event(await self.patiently(lambda: asyncio.to_thread(add)))

    async def patiently(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """`patience.patiently` with the patience of this session."""
        return await patiently(work, self._patience)
