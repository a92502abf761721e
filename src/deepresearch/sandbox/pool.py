"""Single-use workers, started ahead of time: each serves one run, is ended, and is replaced in the background."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from deepresearch.model.errors import SandboxError, SandboxUnavailable
from deepresearch.sandbox.backend import Backend, WorkerProcess
from deepresearch.sandbox.contract import PROFILE_LIMITS, Limits, ProfileName
from deepresearch.sandbox.protocol import Channel, ChannelBroken, ChannelClosed

_log = logging.getLogger(__name__)

#: A worker that has not done its imports by then never will.
START_SECONDS = 60.0
#: Longer than this an idle worker is asked for a sign of life before it gets a script.
STALE_SECONDS = 5.0
PING_SECONDS = 1.0
#: How long closing waits for runs to notice that their workers are gone.
CLOSE_SECONDS = 5.0
_RETRY_SECONDS = (0.5, 1.0, 2.0, 5.0, 15.0, 30.0)


def _default_warm() -> Mapping[ProfileName, int]:
    return {ProfileName.PLAIN: 1}


def _default_concurrency() -> int:
    return max(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class PoolOptions:
    """How many workers of each profile wait ready, and how many runs go on at once.

    A waiting worker holds some 100 MB. With ``warm={}`` every run is a cold start.
    """

    warm: Mapping[ProfileName, int] = field(default_factory=_default_warm)
    concurrency: int = field(default_factory=_default_concurrency)

    def wanted(self, profile: ProfileName) -> int:
        """How many workers of a profile should wait."""
        return self.warm.get(profile, 0)


@dataclass(slots=True)
class ReadyWorker:
    """A worker that has said it is ready."""

    worker: WorkerProcess
    channel: Channel
    hello: Mapping[str, Any]
    since: float


class Queue:
    """Lets `places` in at once, the others in the order they came; each can see its place."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[tuple[asyncio.Future[None], Callable[[int], None] | None]] = deque()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @asynccontextmanager
    async def turn(self, on_place: Callable[[int], None] | None = None) -> AsyncIterator[None]:
        """Wait for a place and give it back at the end."""
        await self._enter(on_place)
        try:
            if on_place is not None:
                on_place(0)
            yield
        finally:
            self._leave()

    async def _enter(self, on_place: Callable[[int], None] | None) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (future, on_place)
        self._waiting.append(entry)
        if on_place is not None:
            on_place(len(self._waiting))
        try:
            await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():
                self._leave()
            elif entry in self._waiting:
                self._waiting.remove(entry)
                self._tell()
            raise

    def _leave(self) -> None:
        while self._waiting:
            future, _ = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
                self._tell()
                return
        self._free += 1

    def _tell(self) -> None:
        for place, (_, on_place) in enumerate(self._waiting, start=1):
            if on_place is not None:
                on_place(place)


class Pool:
    """Owns every worker of one back end."""

    def __init__(self, backend: Backend, options: PoolOptions) -> None:
        self.backend = backend
        self._options = options
        self._queue = Queue(options.concurrency)
        self._ready: dict[ProfileName, deque[ReadyWorker]] = {profile: deque() for profile in ProfileName}
        self._starting: dict[ProfileName, int] = dict.fromkeys(ProfileName, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[WorkerProcess] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopped = False
        #: Why the last background start failed, empty when it did not.
        self.trouble = ""

    @property
    def stopped(self) -> bool:
        """Whether the pool is closed: its workers were ended by it and not by their scripts."""
        return self._stopped

    @property
    def waiting(self) -> int:
        """How many runs wait for their turn."""
        return self._queue.waiting

    def counts(self) -> tuple[int, int, int]:
        """How many workers are ready, how many run a script, and how many runs wait: what telemetry shows."""
        return sum(len(waiting) for waiting in self._ready.values()), len(self._busy), self.waiting

    def ready(self, profile: ProfileName = ProfileName.PLAIN) -> int:
        """How many workers of a profile wait for a script."""
        return len(self._ready[profile])

    def start(self) -> None:
        """Begin to warm up in the background."""
        for profile in ProfileName:
            self._refill(profile)

    def turn(self, on_place: Callable[[int], None] | None = None) -> contextlib.AbstractAsyncContextManager[None]:
        """A place among the runs that go on at once."""
        return self._queue.turn(on_place)

    async def wait_warm(self, profile: ProfileName = ProfileName.PLAIN) -> None:
        """Wait until the pool of a profile is full. Raises `SandboxUnavailable` when it cannot be filled."""
        while len(self._ready[profile]) < self._options.wanted(profile):
            if self._stopped:
                return
            if self.trouble:
                raise SandboxUnavailable(self.trouble)
            await asyncio.sleep(0.005)

    @asynccontextmanager
    async def worker(self, profile: ProfileName, limits: Limits) -> AsyncIterator[ReadyWorker]:
        """A worker of its own for one run: a waiting one that fits, else one started now. It is ended at the end."""
        ready = await self._take(profile, limits)
        self._busy.add(ready.worker)
        self._idle.clear()
        try:
            yield ready
        finally:
            await asyncio.shield(ready.worker.kill())
            self._busy.discard(ready.worker)
            if not self._busy:
                self._idle.set()
            self._refill(profile)

    async def _take(self, profile: ProfileName, limits: Limits) -> ReadyWorker:
        waiting = self._ready[profile]
        if limits.start_key() == PROFILE_LIMITS[profile].start_key():
            while waiting:
                ready = waiting.popleft()
                if await self._healthy(ready):
                    return ready
                await ready.worker.kill()
        return await self._begin(profile, limits, warm=False)

    async def _healthy(self, ready: ReadyWorker) -> bool:
        if not ready.worker.alive() or ready.worker.reader.at_eof():
            return False
        if time.monotonic() - ready.since < STALE_SECONDS:
            return True
        try:
            await asyncio.wait_for(ready.channel.ping(), PING_SECONDS)
        except (TimeoutError, ChannelBroken, ChannelClosed, ConnectionError):
            return False
        return True

    async def _begin(self, profile: ProfileName, limits: Limits, *, warm: bool) -> ReadyWorker:
        """Start a worker and wait until it is ready."""
        if self._stopped:
            raise SandboxUnavailable("The sandbox is closed; open it again.")
        worker = await self.backend.start(profile, limits, warm=warm)
        channel = Channel(worker)
        try:
            hello = await asyncio.wait_for(channel.await_ready(), START_SECONDS)
        except BaseException as failure:
            said = await worker.diagnosis() if isinstance(failure, Exception) else ""
            await asyncio.shield(worker.kill())
            if isinstance(failure, (TimeoutError, ChannelBroken, ChannelClosed, ConnectionError)):
                why = said or str(failure) or "it ended without a word"
                raise SandboxUnavailable(f"A sandbox worker did not become ready: {why}.") from failure
            raise
        return ReadyWorker(worker, channel, hello, time.monotonic())

    def _refill(self, profile: ProfileName) -> None:
        """Start what is missing, in the background; while runs wait for their turn the processors are theirs.

        The end of every run comes by here, so what is left out now is made up for when nobody waits.
        """
        if self._stopped or self._queue.waiting:
            return
        missing = self._options.wanted(profile) - len(self._ready[profile]) - self._starting[profile]
        for _ in range(missing):
            self._starting[profile] += 1
            task = asyncio.create_task(self._warm_up(profile))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _warm_up(self, profile: ProfileName) -> None:
        """Start one worker for the pool, trying again with growing pauses."""
        try:
            for pause in (*_RETRY_SECONDS, None):
                try:
                    ready = await self._begin(profile, PROFILE_LIMITS[profile], warm=True)
                except SandboxError as failure:
                    self.trouble = str(failure)
                    if pause is None:
                        return
                    await asyncio.sleep(pause)
                    continue
                self.trouble = ""
                self._ready[profile].append(ready)
                return
        finally:
            self._starting[profile] -= 1

    async def stop(self) -> None:
        """End every worker, waiting, starting or running a script; returns when nothing is left."""
        self._stopped = True
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        waiting = [ready.worker for queue in self._ready.values() for ready in queue]
        for queue in self._ready.values():
            queue.clear()
        for worker in (*waiting, *self._busy):
            try:
                await worker.kill()
            except SandboxError as stays:
                # The next one can be ended all the same; what stays carries this program's label and is swept later.
                _log.warning("%s", stays)
        # Their runs still have to look at what was left of them; the back end is closed only after that.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), CLOSE_SECONDS)
