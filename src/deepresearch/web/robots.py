"""What a site's robots.txt lets this program fetch (RFC 9309)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protego import Protego

from deepresearch.model.errors import FetchRefused
from deepresearch.web.policy import Target

#: The name under which robots.txt files may speak of this program.
PRODUCT = "DeepResearch"


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """What came of asking for a robots.txt: its status and text, or None when the server did not answer."""

    status: int | None
    text: str


class Robots:
    """The rules of all sites met, each asked for once. `get` fetches the robots.txt of a target's origin."""

    def __init__(self, get: Callable[[Target], Awaitable[RobotsFile]]) -> None:
        self._get = get
        self._rules: dict[str, Protego | None] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, target: Target) -> float | None:
        """The pause in seconds that the site asks for, None when it asks for none.

        Raises `FetchRefused` (kind ``robots``) when the site does not want the page fetched, or does not answer for
        its robots.txt: RFC 9309 takes an unreachable file for a complete refusal and an absent one for none.
        """
        async with self._locks[target.origin]:
            if target.origin not in self._rules:
                self._rules[target.origin] = _rules(await self._get(target))
        rules = self._rules[target.origin]
        if rules is None:
            raise FetchRefused(target.url, "robots", "the site did not answer for its robots.txt")
        if not rules.can_fetch(target.url, PRODUCT):
            raise FetchRefused(target.url, "robots", "the site's robots.txt asks not to fetch it")
        delay = rules.crawl_delay(PRODUCT)
        return None if delay is None else float(delay)


def _rules(file: RobotsFile) -> Protego | None:
    if file.status is None or file.status == 429 or file.status >= 500:
        return None
    return Protego.parse(file.text if 200 <= file.status < 300 else "")
