"""One session being run by this process: to its end, until it is cancelled, or until another process has it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from deepresearch.model.errors import SessionLostError
from deepresearch.session.budgets import Budget, BudgetSpent, Cut
from deepresearch.session.stages import Stages
from deepresearch.session.workflow import conclude, research


class Run:
    """A session at work. `cancel` and `lose` may be called from any thread; `run` once, on the loop that made it."""

    def __init__(self, session_id: str, stages: Stages, budget: Budget) -> None:
        self.session_id = session_id
        self._stages = stages
        self._budget = budget
        self._loop = asyncio.get_running_loop()
        self._working: asyncio.Task[None] | None = None
        self._cancelled = False
        self._lost = False

    def cancel(self) -> None:
        """Stop looking at once and end with what was found."""
        if not self._cancelled:
            self._cancelled = True
            self._loop.call_soon_threadsafe(self._stop_working)

    def lose(self) -> None:
        """Stop at once: the session is another process's."""
        if not self._lost:
            self._lost = True
            self._loop.call_soon_threadsafe(self._stop_working)

    async def run(self) -> None:
        """Run all stages that are not finished, or, when a budget is spent or it is cancelled, those that write down.

        Raises what a stage raised, and `SessionLostError`. Cancelling the call leaves the session as it is.
        """
        cut = await asyncio.to_thread(self._stages.cut)
        while cut is None:
            cut = await self._until_cut()
            if cut is None:
                return
            await self._stages.cut_short(cut)
        # What writes down is short and needs nothing, so a second wish to cancel does not stop it.
        await self._work(conclude(self._stages))

    async def _until_cut(self) -> Cut | None:
        """Everything, or why it ended before."""
        if self._cancelled:
            return Cut.CANCELLED
        try:
            async with asyncio.timeout(self._budget.seconds_left()) as limit:
                try:
                    await self._work(self._everything())
                except asyncio.CancelledError:
                    if limit.expired() or not self._cancelled:
                        raise
                    return Cut.CANCELLED
        except TimeoutError:
            if not limit.expired():
                raise
            return Cut.TIME
        except BudgetSpent as spent:
            return spent.cut
        return None

    async def _everything(self) -> None:
        await research(self._stages, self._budget.steps())
        await conclude(self._stages)

    async def _work(self, work: Coroutine[Any, Any, None]) -> None:
        self._working = asyncio.create_task(work)
        try:
            if self._lost:
                self._working.cancel()
            await self._working
        except asyncio.CancelledError:
            self._working.cancel()
            await asyncio.gather(self._working, return_exceptions=True)
            if self._lost:
                raise SessionLostError(f"Session {self.session_id} has been taken over by another process.") from None
            raise
        finally:
            self._working = None

    def _stop_working(self) -> None:
        if self._working is not None:
            self._working.cancel()
