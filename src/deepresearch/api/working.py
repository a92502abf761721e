"""Running queued sessions in the server's own process, so that nothing else has to be started."""

from __future__ import annotations

import asyncio
import logging

from deepresearch.model.errors import DeepResearchError
from deepresearch.session.service import DeepResearch
from deepresearch.settings import Settings

_log = logging.getLogger("deepresearch.api")

#: Seconds between two looks for work, and between two looks for sessions of processes that died.
_LOOK = 0.2
_SWEEP = 1.0


class Working:
    """Takes sessions from the queue, so many at a time as are set, until it is closed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._research = DeepResearch(settings)
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin."""
        await asyncio.to_thread(self._research.watch.start)
        self._loop = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Stop; what runs stays claimed by this process, and whoever sees it end goes on with it."""
        tasks = [task for task in (self._loop, *self._running) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._research.__aexit__(None, None, None)

    async def _work(self) -> None:
        swept = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            try:
                if clock() - swept > _SWEEP:
                    swept = clock()
                    await asyncio.to_thread(self._sweep)
                while len(self._running) < self._settings.max_concurrent_sessions:
                    session_id = await asyncio.to_thread(self._next)
                    if session_id is None:
                        break
                    task = asyncio.create_task(self._run(session_id))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
            except Exception:
                _log.warning("the queue cannot be looked at just now", exc_info=True)
            await asyncio.sleep(_LOOK)

    def _next(self) -> str | None:
        return self._research.claims.claim_next(
            self._research.archive.lease.executor,
            most=self._settings.max_running_sessions,
            most_per_tenant=self._settings.max_running_per_tenant,
        )

    def _sweep(self) -> None:
        owners = self._research.claims.owners()
        dead = owners - self._research.archive.lease.alive(owners) if owners else set()
        self._research.claims.sweep(dead)

    async def _run(self, session_id: str) -> None:
        try:
            await self._research.run_claimed(session_id)
        except DeepResearchError as error:
            _log.warning("session failed", extra={"session_id": session_id, "reason": str(error)})
        except Exception:
            _log.exception("session failed", extra={"session_id": session_id})
