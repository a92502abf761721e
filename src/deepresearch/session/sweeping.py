"""Taking over from the dead: sessions whose process is gone go back into the queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from deepresearch.session.claims import Claims
from deepresearch.session.leases import Lease, in_words

_log = logging.getLogger(__name__)


class Sweeper:
    """Looks for executors that own sessions and show no life.

    One counts as dead when it was seen lifeless in every look for `grace` seconds: a database that restarts drops
    every lock at once, and the living need a moment to take theirs again. Any number of processes may sweep: the
    claim of a dead one's session is one transaction.
    """

    def __init__(self, lease: Lease, claims: Claims, grace: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._lease = lease
        self._claims = claims
        self._grace = grace if lease.may_flicker else 0.0
        self._clock = clock
        self._lifeless_since: dict[str, float] = {}

    def sweep(self) -> list[str]:
        """One look; gives the sessions that were queued again."""
        owners = self._claims.owners() - {self._lease.executor}
        lifeless = owners - self._lease.alive(owners) if owners else set()
        now = self._clock()
        self._lifeless_since = {one: self._lifeless_since.get(one, now) for one in lifeless}
        dead = [one for one, since in self._lifeless_since.items() if now - since >= self._grace]
        if not dead:
            return []
        queued, failed = self._claims.sweep(dead)
        for one in dead:
            del self._lifeless_since[one]
        for session_id in queued:
            _log.warning("session %s goes back into the queue", session_id, extra={"session_id": session_id})
        for session_id in failed:
            _log.error("session %s is given up", session_id, extra={"session_id": session_id})
        if queued or failed:
            _log.warning("dead: %s", ", ".join(in_words(one) for one in dead))
        return queued

    def is_waiting(self) -> bool:
        """Whether somebody looked lifeless and may turn out to be dead."""
        return bool(self._lifeless_since)

    def forget(self) -> None:
        """Begin to count anew: while the database was away nobody could show life."""
        self._lifeless_since.clear()
