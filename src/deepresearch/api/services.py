"""What the routes work with: opened once for a server, closed at its end."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import AsyncExitStack
from typing import Annotated

from fastapi import Depends, Request
from fastapi import Path as PathParameter

from deepresearch.api.access import Caller
from deepresearch.api.following import Following
from deepresearch.api.shown import Shown
from deepresearch.api.uploads import UploadLimits, Uploads
from deepresearch.model.errors import SandboxUnavailable
from deepresearch.model.session import SessionRecord
from deepresearch.sandbox import PoolOptions, Sandbox
from deepresearch.sandbox.backends import choose
from deepresearch.session.collections import Collections
from deepresearch.session.library import Library
from deepresearch.session.queue import SessionQueue
from deepresearch.settings import Settings

#: Seconds for which the sandbox's back end is not looked for again.
_BACKEND_KNOWN_FOR = 30.0


class Services:
    """Everything that routes share. Opening it creates or migrates the database; raises `StorageError`."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.queue = SessionQueue(settings)
        self.archive = self.queue.archive
        self._library = Library(settings)
        self.collections = Collections(self.archive.store, self._library, self.archive.locks)
        self.uploads = Uploads(settings.home / "uploads")
        self.upload_limits = UploadLimits.of(settings)
        self.shown = Shown(self.uploads.root)
        self.following = Following(self.queue)
        self.streams = 0
        self.sandbox_runs = 0
        #: One ingest of a collection at a time, so that no two put a file of one name into its folder.
        self.ingesting: dict[str, asyncio.Lock] = {}
        self._sandbox: Sandbox | None = None
        self._backend_seen: tuple[float, str | None] = (-math.inf, None)
        self._sandbox_lock = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def sandbox(self) -> Sandbox:
        """The sandbox, opened when it is first asked for."""
        async with self._sandbox_lock:
            if self._sandbox is None:
                opened = Sandbox.open(self.settings, pool=PoolOptions(warm={}))
                self._sandbox = await self._stack.enter_async_context(opened)
        return self._sandbox

    async def sandbox_backend(self) -> str | None:
        """The sandbox's back end that is there now, None without one; looked for again after a while."""
        async with self._sandbox_lock:
            seen_at, seen = self._backend_seen
            if time.monotonic() - seen_at > _BACKEND_KNOWN_FOR:
                seen = None
                for backend in choose(self.settings.sandbox_backend, self.settings):
                    try:
                        await backend.check()
                    except SandboxUnavailable:
                        continue
                    finally:
                        await backend.close()
                    seen = backend.name
                    break
                self._backend_seen = (time.monotonic(), seen)
        return seen

    async def close(self) -> None:
        """End the sandbox, give back files and connections."""
        await self._stack.aclose()
        self.following.close()
        self._library.close()
        self.queue.close()

    def tidy_uploads(self) -> int:
        """Remove uploads whose session is gone (purged by age or by a command); gives how many."""
        known = {record.id for record in self.queue.sessions()}
        gone = [session_id for session_id in self.uploads.sessions() if session_id not in known]
        for session_id in gone:
            self.uploads.remove(self.uploads.session_folder(session_id))
        return len(gone)


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _caller(request: Request) -> Caller:
    caller: Caller = request.scope["caller"]
    return caller


Served = Annotated[Services, Depends(_services)]
Calling = Annotated[Caller, Depends(_caller)]


def _called(
    session_id: Annotated[str, PathParameter(max_length=64, description="The session's id.")],
    services: Served,
    caller: Calling,
) -> SessionRecord:
    return services.queue.record(session_id, caller.tenant)


#: The session an address names. Another tenant's is as unknown (404) as one that never was.
Called = Annotated[SessionRecord, Depends(_called)]
