"""Waiting for a database that has gone away, within bounds and saying so; what cannot be helped is not tried again."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import sqlalchemy as sa

from deepresearch.model.errors import StorageError

_log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: Seconds between two tries: doubled each time, from the first to the last.
_FIRST, _LAST = 0.1, 5.0

#: Postgres' classes of errors (SQLSTATE) that pass: connection lost, server going down or starting, too many
#: connections, and transactions that another one made fail.
_PASSING = ("08", "57P01", "57P02", "57P03", "53300", "40001", "40P01")


def is_outage(error: BaseException | None) -> bool:
    """Whether this error says that the database cannot be reached just now, and may be again.

    A full disk, a refused right or a broken file is no outage: waiting does not help there.
    """
    while error is not None:
        if isinstance(error, sa.exc.DBAPIError):
            return _passes(error)
        if isinstance(error, sa.exc.TimeoutError):
            return True
        error = error.__cause__
    return False


async def patiently(work: Callable[[], Awaitable[_T]], seconds: float) -> _T:
    """Do `work`, and again after a pause while the database is away, for at most so many seconds.

    `work` has to bear being done twice. Raises `StorageError` when the time is over, anything else at once.
    """
    begun: float | None = None
    pause = _FIRST
    while True:
        try:
            done = await work()
        except Exception as error:
            if not is_outage(error):
                raise
            begun = time.monotonic() if begun is None else begun
            left = begun + seconds - time.monotonic()
            if left <= 0:
                raise StorageError(
                    f"The session database has been away for {seconds:.0f} seconds: {reason(error)}. "
                    "Start it again; the session goes on where it stopped."
                ) from error
            if pause == _FIRST:
                _log.warning("the session database is away, waiting up to %.0f s: %s", seconds, reason(error))
            await asyncio.sleep(min(left, pause * random.uniform(0.7, 1.3)))  # noqa: S311 - no secret
            pause = min(_LAST, pause * 2)
        else:
            if begun is not None:
                _log.warning("the session database is back after %.1f s", time.monotonic() - begun)
            return done


def reason(error: BaseException) -> str:
    """The first line of what the database said."""
    text = str(getattr(error, "orig", None) or error).strip()
    return (text.splitlines() or [type(error).__name__])[0]


def _passes(error: sa.exc.DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    text = str(error.orig)
    if "database is locked" in text or "database table is locked" in text:
        return True
    if type(error.orig).__module__.startswith("sqlite3"):
        return False
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError)
    return any(str(state).startswith(one) for one in _PASSING)
