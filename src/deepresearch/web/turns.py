"""Taking turns: one request at a time to a site, with a pause between two."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Turns by site. A site that asked to be left alone is remembered until its time is over."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: dict[str, float] = {}
        self._resting: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, site: str, pause: float) -> AsyncIterator[None]:
        """Wait for the site to be free and `pause` seconds past its last request; then it is the caller's."""
        async with self._locks[site]:
            wait = self._free_at.get(site, 0.0) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                yield
            finally:
                self._free_at[site] = time.monotonic() + pause

    def rest(self, site: str, seconds: float) -> None:
        """The site wants no request for so many seconds."""
        self._resting[site] = time.monotonic() + seconds

    def rests_for(self, site: str) -> float:
        """Seconds for which the site still wants to be left alone; 0 when it does not."""
        return max(0.0, self._resting.get(site, 0.0) - time.monotonic())
