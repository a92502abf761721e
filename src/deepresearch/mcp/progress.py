"""What a session tells while it runs, as the steps of a call: a number that only grows, and a few words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from deepresearch.model.session import SessionEvent
from deepresearch.session.progress import STAGES, Count, Step

#: Seconds between two counts that are passed on; a folder of thousands of files would flood the assistant.
_PAUSE = 0.25

#: What of a stage has begun when it has begun, so that saying so is a step.
_BEGUN = 0.01


@dataclass(frozen=True)
class Told:
    """One step: `progress` of `total`, and what is done."""

    progress: float
    total: float
    message: str


class Progress:
    """A listener that may be told things on any thread; `until` gives the steps on the loop that made it.

    Finished stages count one each. What does not move the number forward is not told: the protocol wants it to grow.
    """

    def __init__(self, *, stages: int = len(STAGES) - 1) -> None:
        self._loop = asyncio.get_running_loop()
        self._told: asyncio.Queue[Told | None] = asyncio.Queue()
        self._total = stages
        self._finished = 0
        self._reads = 1
        self._read = 0
        self._last = 0.0
        self._counted_at = 0.0

    def event(self, event: SessionEvent) -> None:
        """A stored event of a session."""
        self._loop.call_soon_threadsafe(self._take_event, event)

    def count(self, count: Count) -> None:
        """How far a stage is."""
        if count.stage != "model" and self._is_time():
            self._loop.call_soon_threadsafe(self._take_count, STAGES.get(count.stage, ""), count)

    def step(self, step: Step) -> None:
        """How far reading files for a search is."""
        if self._is_time():
            self._loop.call_soon_threadsafe(self._take_count, STAGES["load"], step)

    async def until(self, work: asyncio.Task[Any]) -> AsyncIterator[Told]:
        """Every step until the work has ended."""
        work.add_done_callback(lambda _: self._told.put_nowait(None))
        while (told := await self._told.get()) is not None:
            yield told

    def _is_time(self) -> bool:
        now = time.monotonic()
        if now - self._counted_at < _PAUSE:
            return False
        self._counted_at = now
        return True

    def _take_event(self, event: SessionEvent) -> None:
        name, _, part = str(event.data.get("stage", "")).partition(":")
        if event.kind == "stage.started":
            if name == "web":
                self._total = len(STAGES)
            self._tell(self._finished + _BEGUN, STAGES.get(name, name))
        elif event.kind == "stage.finished":
            self._finish(name, part, event)

    def _finish(self, name: str, part: str, event: SessionEvent) -> None:
        words = STAGES.get(name, name)
        if name == "plan":
            self._reads = max(1, len(event.data.get("sub_questions", ())))
        if name == "read":
            self._read += 1
            if self._read < self._reads:
                self._tell(self._finished + self._read / self._reads, f"{words}: {part}")
                return
        if name == "compute" and part:
            return
        self._finished += 1
        self._tell(self._finished, f"{words}: done")

    def _take_count(self, words: str, count: Count | Step) -> None:
        share = min(count.done / count.total, 0.99) if count.total else 0.0
        of = f" {count.done}/{count.total}" if count.total else ""
        label = f" ({PurePath(count.label).name[:60]})" if count.label else ""
        self._tell(self._finished + share, f"{words}{of}{label}")

    def _tell(self, progress: float, message: str) -> None:
        if progress > self._last:
            self._last = progress
            self._told.put_nowait(Told(min(progress, self._total), self._total, message))
