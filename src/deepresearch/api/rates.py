"""How often somebody may call: a bucket of tokens for each, filled at a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

#: Callers remembered; the one that called longest ago is forgotten first, with a full bucket.
_REMEMBERED = 10_000


class Rates:
    """`per_minute` calls a minute for each key, a quarter of them at once at most (ten at least)."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._burst = max(10.0, per_minute / 4)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> float | None:
        """Take one; gives None when it was there, else the seconds until it will be."""
        now = self._clock()
        left = self._left(key, now)
        if left < 1:
            self._keep(key, left, now)
            return (1 - left) / self._per_second
        self._keep(key, left - 1, now)
        return None

    def wait(self, key: str) -> float | None:
        """As `take`, without taking."""
        left = self._left(key, self._clock())
        return None if left >= 1 else (1 - left) / self._per_second

    def _left(self, key: str, now: float) -> float:
        left, at = self._buckets.get(key, (self._burst, now))
        return min(self._burst, left + (now - at) * self._per_second)

    def _keep(self, key: str, left: float, now: float) -> None:
        self._buckets[key] = (left, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > _REMEMBERED:
            self._buckets.popitem(last=False)
