"""What a site's robots.txt lets this program fetch (RFC 9309)."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from protego import Protego

from deepresearch.model.errors import FetchRefused
from deepresearch.web.policy import Target

#: Seconds after which a robots.txt is asked for again (RFC 9309 allows a day), and how many are remembered.
_LIFETIME = 3_600.0
_REMEMBERED = 2_000

#: The name under which robots.txt files may speak of this program.
PRODUCT = "DeepResearch"


@dataclass(frozen=True, slots=True)
class RobotsFile:
    """What came of asking for a robots.txt: its status and text, or None and the reason when it cannot be had."""

    status: int | None
    text: str


class Robots:
    """The rules of all sites met, each asked for once. `get` fetches the robots.txt of a target's origin."""

    def __init__(self, get: Callable[[Target], Awaitable[RobotsFile]]) -> None:
        self._get = get
        self._rules: OrderedDict[str, tuple[float, Protego | str]] = OrderedDict()
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def check(self, target: Target) -> float | None:
        """The pause in seconds that the site asks for, None when it asks for none.

        Raises `FetchRefused` (kind ``robots``) when the site does not want the page fetched, or does not answer for
        its robots.txt: RFC 9309 takes an unreachable file for a complete refusal and an absent one for none.
        """
        async with self._locks[target.origin]:
            known = self._rules.get(target.origin)
            if known is None or time.monotonic() > known[0] + _LIFETIME:
                file = await self._get(target)
                known = (time.monotonic(), await asyncio.to_thread(_rules, file))
                self._rules[target.origin] = known
                self._forget_old()
        rules = known[1]
        if isinstance(rules, str):
            raise FetchRefused(target.url, "robots", f"its site's robots.txt cannot be had ({rules})")
        if not rules.can_fetch(target.url, PRODUCT):
            raise FetchRefused(target.url, "robots", "the site's robots.txt asks not to fetch it")
        delay = rules.crawl_delay(PRODUCT)
        return None if delay is None else float(delay)

    def _forget_old(self) -> None:
        while len(self._rules) > _REMEMBERED:
            origin, _ = self._rules.popitem(last=False)
            if not self._locks[origin].locked():
                del self._locks[origin]


def _rules(file: RobotsFile) -> Protego | str:
    if file.status is None:
        return file.text
    if file.status == 429 or file.status >= 500:
        return f"status {file.status}"
    return Protego.parse(file.text if 200 <= file.status < 300 else "")
