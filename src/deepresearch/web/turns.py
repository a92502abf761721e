"""Taking turns: one request at a time to a site, with a pause between two."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

#: Sites met before idle ones are forgotten.
_REMEMBERED = 2_000


class Turns:
    """Turns by site. A site that asked to be left alone is remembered until its time is over."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._free_at: dict[str, float] = {}
        self._resting: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, site: str, pause: float) -> AsyncIterator[None]:
        """Wait for the site to be free and `pause` seconds past its last request; then it is the caller's."""
        self._forget_idle()
        async with self._locks[site]:
            wait = self._free_at.get(site, 0.0) - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                yield
            finally:
                self._free_at[site] = time.monotonic() + pause

    def _forget_idle(self) -> None:
        """Drop sites whose pause and rest are over, when very many were met."""
        if len(self._locks) <= _REMEMBERED:
            return
        now = time.monotonic()
        for site in [site for site, lock in self._locks.items() if not lock.locked()]:
            if max(self._free_at.get(site, 0.0), self._resting.get(site, 0.0)) < now:
                self._locks.pop(site)
                self._free_at.pop(site, None)
                self._resting.pop(site, None)

    def rest(self, site: str, seconds: float) -> None:
        """The site wants no request for so many seconds."""
        self._resting[site] = time.monotonic() + seconds

    def rests_for(self, site: str) -> float:
        """Seconds for which the site still wants to be left alone; 0 when it does not."""
        return max(0.0, self._resting.get(site, 0.0) - time.monotonic())
